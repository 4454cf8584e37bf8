import { parseContentRange } from '../protocol/byte-range.ts';
import {
  GlacierError,
  invalidParameter,
  missingParameter,
  otherLength,
} from '../protocol/errors.ts';
import type { Member, Members, Shape } from '../protocol/shapes/shape.ts';
import { readUtf8, utf8Length } from './byte-text.ts';
import { type Json, type JsonObject, LongNumber, parseDocument, readJson } from './json-reader.ts';

/** Where the members of an input are taken from. */
export interface InputSource {
  /** Members of the path, percent-decoded. */
  readonly path: Readonly<Record<string, string | undefined>>;
  readonly query: ReadonlyMap<string, string>;
  /** Headers by lower-case name, one character per byte. */
  readonly headers: ReadonlyMap<string, string>;
  /** The whole body, where it is a document. */
  readonly document: Uint8Array;
  /** The body, where it is an archive's bytes. */
  readonly stream: AsyncIterable<Uint8Array>;
}

export interface ReaderRules {
  /** Whether archive descriptions may be any UTF-8 text. */
  readonly allowUtf8Descriptions: boolean;
}

/**
 * Reads an operation's input as its shape says. Members are read in the order of the shape, and the
 * first that is missing or wrong decides the error.
 */
export function readInput(shape: Shape, source: InputSource, rules: ReaderRules): unknown {
  const members = Object.values(shape.input);
  const hasDocument = members.some((member) => member.in === 'body');
  const document = hasDocument ? documentOf(shape, source.document) : undefined;
  const read = (member: Member) => memberValue(member, { source, document, rules });
  return readMembers(shape.input, read);
}

interface Reading {
  readonly source: InputSource;
  readonly document: JsonObject | undefined;
  readonly rules: ReaderRules;
}

/** Developer guide, "Error Responses": `MissingParameterValueException`, a required one is missing. */
function readMembers(members: Members, read: (member: Member) => unknown): unknown {
  const input: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(members)) {
    const value = read(member);
    if (typeof value === 'number' && member.lengthOf !== undefined) {
      checkLength(value, String(input[member.lengthOf]));
    }
    if (value !== undefined) input[key] = value;
    else if (member.required === true) throw missingParameter(member.missingName ?? member.name);
  }
  return input;
}

function checkLength(sizeBytes: number, contentRange: string): void {
  const range = parseContentRange(contentRange);
  if (range === undefined || range.lastByte - range.firstByte + 1 === sizeBytes) return;
  throw otherLength(contentRange, sizeBytes);
}

function documentOf(shape: Shape, bytes: Uint8Array): JsonObject {
  const document = parseDocument(bytes);
  if (document === undefined && shape.missingDocument !== undefined) {
    throw missingParameter(shape.missingDocument);
  }
  return document ?? {};
}

function memberValue(member: Member, { source, document, rules }: Reading): unknown {
  switch (member.in) {
    case 'path':
      // An empty segment is the id of nothing, not a missing one.
      return source.path[member.name];
    case 'query':
      return textValue(member, source.query.get(member.name));
    case 'header':
      return headerValue(member, headerText(member, source.headers), rules);
    case 'body':
      return bodyValue(member, document?.[member.name]);
    case 'stream':
      return source.stream;
    case 'status':
      throw new GlacierError('BadRequest', 'A status is no part of a request.');
  }
}

/** RFC 9112, section 6.3: what comes with neither a length nor chunks has no body at all. */
function headerText(member: Member, headers: InputSource['headers']): string | undefined {
  const isBodyless = member.lengthOf !== undefined && !headers.has('transfer-encoding');
  return headers.get(member.name) ?? (isBodyless ? '0' : undefined);
}

/** Some clients send headers that they have no value for: an empty one counts as absent. */
function headerValue(member: Member, bytes: string | undefined, rules: ReaderRules): unknown {
  if (bytes === '' && member.emptyIsText === true) return '';
  if (bytes === undefined || bytes === '') return undefined;
  if (member.form !== 'printable' || !rules.allowUtf8Descriptions) return textValue(member, bytes);
  const text = readUtf8(bytes);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a header can't carry
  if (text === undefined || /[\x00-\x1f\x7f]/.test(text)) throw invalid(member, bytes);
  if (bytes.length > (member.bytesMax ?? Infinity)) throw invalid(member, bytes);
  return text;
}

/** A value that travels as text: an empty text is absent, an empty number is wrong. */
function textValue(member: Member, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  if (member.type === 'integer') return integerValue(member, text);
  if (text === '') return undefined;
  checkText(member, text);
  return text;
}

function integerValue(member: Member, text: string): number {
  if (!/^\d+$/.test(text)) throw invalid(member, text);
  const value = Number(text);
  checkInteger(member, value, text);
  return value;
}

/** JSON `null` is the same as no member: clients send it for what they leave open. */
function bodyValue(member: Member, json: Json | undefined): unknown {
  if (json === undefined || json === null) return undefined;
  const value = readJson(json, member, (structure, object) =>
    readMembers(structure, (inner) => bodyValue(inner, object[inner.name])),
  );
  if (member.emptyIsAbsent === true && isEmpty(value)) return undefined;
  if (typeof value === 'string') checkText(member, value);
  if (typeof value === 'number' || typeof value === 'bigint') {
    checkInteger(member, value, String(value));
  }
  return value instanceof LongNumber ? longValue(member, value.text) : value;
}

function isEmpty(value: unknown): boolean {
  return value === '' || (Array.isArray(value) && value.length === 0);
}

/** An integer past 2^53, exact. */
function longValue(member: Member, text: string): bigint {
  if (!/^-?\d{1,30}$/.test(text)) throw invalid(member, text);
  const value = BigInt(text);
  checkInteger(member, value, text);
  return value;
}

function checkText(member: Member, text: string): void {
  if (member.oneOf !== undefined && !member.oneOf.includes(text)) throw invalid(member, text);
  if (member.form === 'hex' && !/^(?:[0-9a-f]{2})+$/i.test(text)) throw invalid(member, text);
  if (member.form === 'content-range' && parseContentRange(text) === undefined) {
    throw invalid(member, text);
  }
  if (member.form === 'printable' && !/^[\x20-\x7e]*$/.test(text)) throw invalid(member, text);
  if (utf8Length(text) > (member.bytesMax ?? Infinity)) throw invalid(member, text);
}

function checkInteger(member: Member, value: number | bigint, text: string): void {
  const { min = -Infinity, max = Infinity } = member;
  if (value < min || value > max) throw invalid(member, text);
}

/** Developer guide, "Error Responses": `InvalidParameterValueException`, a wrong value. */
function invalid(member: Member, value: string): GlacierError {
  const text = member.invalid ?? `Invalid ${member.name}: {value}`;
  const shown = member.in === 'header' ? (readUtf8(value) ?? value) : value;
  // A function, because dollar signs in a replacement text have a meaning.
  return invalidParameter(text.replace('{value}', () => shown));
}
