import type { Authenticator, Caller } from '../auth/authenticate.ts';
import { type Authorizer, resourceArnOf } from '../auth/authorize.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { sha256Hex } from '../lib/node/sha256.ts';
import type { Call, Services } from '../operations/handler.ts';
import { handlers } from '../operations/index.ts';
import { GlacierError, invalidParameter, missingParameter } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import { type OperationName, rowOf } from '../protocol/operations.ts';
import { shapes } from '../protocol/shapes/all.ts';
import type { Shape } from '../protocol/shapes/shape.ts';
import { RequestBody, readDocument, verifiedBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import type { IdleTimers } from './idle-timer.ts';
import { replyOf, writeReply } from './reply-writer.ts';
import { readInput } from './request-reader.ts';
import { operationAt } from './routes.ts';

export interface PipelineParts {
  readonly authenticator: Pick<Authenticator, 'begin'>;
  readonly authorizer: Pick<Authorizer, 'resolveAccount' | 'authorize'>;
  readonly services: Services;
  readonly clock: Clock;
  readonly log: Log;
  /** For clients that send nothing of a body that is waited for. */
  readonly bodyIdleTimers: IdleTimers;
  /** For clients that take nothing of a reply that waits for them. */
  readonly replyIdleTimers: IdleTimers;
  readonly allowUtf8Descriptions: boolean;
}

const apiVersion = '2012-06-01';

/**
 * What happens to every request, in this order. The order decides which error a request gets that
 * has several faults. Whatever is thrown becomes the answer, elsewhere and once.
 */
export async function carryOut(exchange: Exchange, parts: PipelineParts): Promise<void> {
  const operation = operationAt(exchange.route, exchange.query);
  const { caller, document, stream } = await authenticate(exchange, operation, parts);
  exchange.accessKeyId = caller.accessKeyId;

  if (operation === undefined) throw noOperation();
  exchange.operation = operation;

  checkVersion(exchange);

  const { path, query, headers, signal } = exchange;
  const { region } = caller;
  const accountId = await parts.authorizer.resolveAccount(path['accountId'] ?? '', caller);

  const resourceArn = resourceArnOf(operation, { accountId, region, vaultName: path['vaultName'] });
  parts.authorizer.authorize({ caller, operation, resourceArn });

  const shape: Shape = shapes[operation];
  const source = { path: { ...path, accountId }, query, headers, document, stream };
  const input = readInput(shape, source, parts);

  const output = await handle(operation, input, { services: parts.services, region, signal });

  const reply = replyOf(operation, shape.output, output);
  await writeReply(reply, exchange, parts.replyIdleTimers);
}

/** A caller with the body that it sent: a document that is read, or an archive's bytes to come. */
interface Authenticated {
  readonly caller: Caller;
  readonly document: Uint8Array;
  readonly stream: AsyncIterable<Uint8Array>;
}

/**
 * Finds out who calls. Documents are read for it, as the signature covers the body; an archive is
 * not: its hash is in a header, is signed as such, and is compared when the last byte has passed.
 */
async function authenticate(
  exchange: Exchange,
  operation: OperationName | undefined,
  { authenticator, bodyIdleTimers: idleTimers }: PipelineParts,
): Promise<Authenticated> {
  const pending = await authenticator.begin(exchange.signedRequest);
  const { request, defect } = exchange;
  if (defect !== undefined) throw defect;
  const onFirstRead = () => exchange.welcomeBody();
  const body = new RequestBody({ request, idleTimers, onFirstRead });
  exchange.body = body;

  if (pending.caller === undefined && exceedsDocument(exchange)) {
    // Its signature covers the whole body, and so much is not read for somebody unknown.
    if (isStreamed(operation)) throw missingParameter('x-amz-content-sha256');
  } else if (pending.caller !== undefined && isStreamed(operation)) {
    // Also where no body comes: that is a matter of its length, which is judged before its hashes.
    const stream = verifiedBody(body, (sha256) => pending.finish(sha256));
    return { caller: pending.caller, document: new Uint8Array(), stream };
  }
  if (operation === undefined && pending.caller !== undefined) {
    return { caller: pending.caller, document: new Uint8Array(), stream: body };
  }
  const document = await documentOf(exchange, body);
  if (document === undefined) throw operation === undefined ? noOperation() : documentTooLarge();
  const caller = pending.finish(sha256Hex(document));
  return { caller, document, stream: body };
}

/** The body where it is small enough for a document, else undefined. */
async function documentOf(exchange: Exchange, body: RequestBody): Promise<Uint8Array | undefined> {
  if (!exchange.hasBody) return new Uint8Array();
  const { announcedSizeBytes } = exchange;
  const sizeBytesMax = limits.documentSizeBytesMax;
  return await readDocument(body, { announcedSizeBytes, sizeBytesMax });
}

function documentTooLarge(): GlacierError {
  return new GlacierError(
    'SerializationException',
    `The request body is too large: at most ${limits.documentSizeBytesMax} bytes are accepted`,
  );
}

/** `400`, nothing of the API is at this method and path. */
function noOperation(): GlacierError {
  return new GlacierError('BadRequest', 'Bad request');
}

function exceedsDocument({ announcedSizeBytes, headers }: Exchange): boolean {
  return announcedSizeBytes > limits.documentSizeBytesMax || headers.has('transfer-encoding');
}

function isStreamed(operation: OperationName | undefined): boolean {
  return operation !== undefined && rowOf(operation).body === 'stream';
}

/**
 * Developer guide, "Common Request Headers": `x-amz-glacier-version` is the API's version to use.
 * Presigned URLs name it in their query, or nowhere at all, depending on who made them.
 */
function checkVersion({ headers, query }: Exchange): void {
  const name = 'x-amz-glacier-version';
  const isPresigned = (headers.get('authorization') ?? '') === '';
  const inHeader = headers.get(name) ?? '';
  const inUrl = isPresigned ? query.get(name) || apiVersion : '';
  const version = inHeader || inUrl;
  if (version === '') throw missingParameter('API version');
  if (version !== apiVersion) throw invalidParameter(`Invalid API version: ${version}`);
}

/** Calls the operation's handler with an input that was read by the operation's own shape. */
async function handle(
  operation: OperationName,
  input: unknown,
  { services, ...call }: Call & { readonly services: Services },
): Promise<unknown> {
  const handler = handlers[operation] as (
    input: unknown,
    services: Services,
    call: Call,
  ) => Promise<unknown>;
  return await handler(input, services, call);
}
