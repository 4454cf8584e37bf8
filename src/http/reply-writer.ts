import { assert } from '../lib/assert.ts';
import { type OperationName, rowOf } from '../protocol/operations.ts';
import type { Member, Members, OutgoingBytes, Type } from '../protocol/shapes/shape.ts';
import { writeUtf8 } from './byte-text.ts';
import type { Exchange } from './exchange.ts';
import type { IdleTimers } from './idle-timer.ts';
import { sendBytes } from './outgoing-bytes.ts';

/** A successful reply, before it is written. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined where the reply has no body. */
  readonly body: Uint8Array | OutgoingBytes | undefined;
}

/** What an output becomes on the wire, as the operation's row and shape say. */
export function replyOf(operation: OperationName, members: Members, output: unknown): Reply {
  const values = (output ?? {}) as Readonly<Record<string, unknown>>;
  let status: number = rowOf(operation).ok;
  const headers: Record<string, string> = {};
  let stream: OutgoingBytes | undefined;
  let hasDocument = false;
  for (const [key, member] of Object.entries(members)) {
    const value = values[key] ?? null;
    assert(value !== null || member.required !== true, `${operation} answers with ${member.name}`);
    if (member.in === 'body') hasDocument = true;
    else if (value === null) continue;
    else if (member.in === 'status') status = Number(value);
    else if (member.in === 'header') headers[headerName(member.name)] = headerText(String(value));
    else stream = value as OutgoingBytes;
  }
  if (!hasDocument) return { status, headers, body: stream };
  // Exactly this type and nothing after it: older clients compare the whole text.
  headers['Content-Type'] = 'application/json';
  const document = JSON.stringify(structureOf(members, output));
  return { status, headers, body: Buffer.from(document, 'utf8') };
}

/**
 * Writes a reply to its end. Throws `ClientGone` when the client does not take it. Nothing is
 * written before the first piece of a streamed body is there: until then, an error can be told.
 */
export async function writeReply(
  { status, headers, body }: Reply,
  exchange: Exchange,
  idleTimers: IdleTimers,
): Promise<void> {
  const { response, requestId } = exchange;
  const head: Record<string, string | number> = { 'x-amzn-RequestId': requestId, ...headers };
  if (status !== 204) head['Content-Length'] = sizeOf(body);
  const writeHead = () => {
    exchange.status = status;
    response.writeHead(status, head);
  };
  if (body === undefined || body instanceof Uint8Array) {
    writeHead();
    response.end(body);
    exchange.bytesOut = sizeOf(body);
    return;
  }
  const bytes = await begun(body.bytes);
  writeHead();
  const onSent = (sizeBytes: number) => {
    exchange.bytesOut += sizeBytes;
  };
  await sendBytes({ ...body, bytes }, { response, idleTimers, onSent });
  response.end();
}

/** The same bytes, of which the first piece has been fetched. */
async function begun(bytes: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = bytes[Symbol.asyncIterator]();
  let first: Promise<IteratorResult<Uint8Array>> | undefined = iterator.next();
  await first;
  const rest: AsyncIterator<Uint8Array> = {
    next: () => {
      const next = first ?? iterator.next();
      first = undefined;
      return next;
    },
    return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
  };
  return { [Symbol.asyncIterator]: () => rest };
}

function sizeOf(body: Reply['body']): number {
  if (body === undefined) return 0;
  return body instanceof Uint8Array ? body.length : body.sizeBytes;
}

/** `JSON.rawJSON`, which TypeScript's library does not know yet: text that is JSON as it stands. */
const { rawJSON: rawJson } = JSON as typeof JSON & { readonly rawJSON: (text: string) => unknown };

/** The document of an output: its keys in the order of the shape, `null` for what is not there. */
function structureOf(members: Members, output: unknown): Record<string, unknown> {
  const values = new Map(Object.entries(output ?? {}));
  const document: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(members)) {
    if (member.in !== 'body') continue;
    const value = values.get(key);
    const hasValue = value !== null && value !== undefined;
    if (hasValue || member.omittedWhenNull !== true) document[member.name] = jsonOf(member, value);
  }
  return document;
}

function jsonOf(member: Member, value: unknown): unknown {
  const write = (item: unknown, type: Type): unknown => {
    if (item === null || item === undefined) return null;
    if (type === 'long') return rawJson(String(item));
    if (typeof type === 'string') return item;
    if ('map' in type) return Object.fromEntries(item as ReadonlyMap<string, string>);
    if ('structure' in type) return structureOf(type.structure, item);
    assert(Array.isArray(item), `${member.name} is a list`);
    return item.map((each) => write(each, type.list));
  };
  return write(value, member.type);
}

/** As many as the shapes have. */
const headerNames = new Map<string, string>();

/** Header names are read in any case; these are written as everybody writes them. */
function headerName(name: string): string {
  if (name.startsWith('x-')) return name;
  const known = headerNames.get(name);
  if (known !== undefined) return known;
  const written = name.replaceAll(/(^|-)[a-z]/g, (start) => start.toUpperCase());
  headerNames.set(name, written);
  return written;
}

function headerText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : writeUtf8(text);
}
