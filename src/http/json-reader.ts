import { GlacierError } from '../protocol/errors.ts';
import type { Member, Members, Type } from '../protocol/shapes/shape.ts';

export type Json = string | number | LongNumber | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** A number of the document that is no integer up to 2^53, as it was written. */
export class LongNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** The JSON object in `bytes`, or undefined when there is nothing, or `null`. */
export function parseDocument(bytes: Uint8Array): JsonObject | undefined {
  const json = parse(bytes);
  if (json === undefined || json === null) return undefined;
  if (!isObject(json)) throw serialization('The request body is not a JSON object');
  return json;
}

/**
 * Reads one value as the type of its member. Structures are handed to `readStructure`, which knows
 * what becomes of their members.
 */
export function readJson(
  json: Json,
  member: Member,
  readStructure: (members: Members, object: JsonObject) => unknown,
): unknown {
  const wrong = (expected: string) =>
    serialization(`Invalid type of ${member.name} in request body: expected ${expected}`);
  const read = (value: Json, type: Type): unknown => {
    if (typeof type === 'object' && 'structure' in type) {
      if (!isObject(value)) throw wrong('an object');
      return readStructure(type.structure, value);
    }
    if (typeof type === 'object' && 'map' in type) {
      if (!isObject(value)) throw wrong('an object');
      return new Map(
        Object.entries(value).map(([key, item]) => [key, read(item ?? null, type.map)]),
      );
    }
    if (typeof type === 'object') {
      if (!Array.isArray(value)) throw wrong('a list');
      return value.map((item: Json) => read(item, type.list));
    }
    if (type === 'integer' && typeof value !== 'number') throw wrong('an integer');
    if (type === 'integer') return value;
    if (type === 'long' && typeof value === 'number') return BigInt(value);
    if (type === 'long' && value instanceof LongNumber) return value;
    if (type === 'long') throw wrong('an integer');
    if (member.orNumber === true && typeof value === 'number') return String(value);
    if (member.orNumber === true && value instanceof LongNumber) return value.text;
    if (typeof value !== type) throw wrong(`a ${type}`);
    return value;
  };
  return read(json, member.type);
}

function parse(bytes: Uint8Array): Json | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.trim() === '' ? undefined : parseExactly(text);
  } catch (cause) {
    throw serialization('Invalid JSON in request body', { cause });
  }
}

/**
 * A number that `JSON.parse` may round, or text that looks like one: with many digits, a fraction or
 * an exponent.
 */
const unsafeNumber = /\d{16}|\d[.eE]/;

/**
 * `JSON.parse` rounds what a number can't hold; clients do send 9223372036854775807. Looking at every
 * value takes fifty times as long, so that is done only where there is something to look for.
 */
function parseExactly(text: string): Json {
  if (!unsafeNumber.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value: unknown, { source = '' }: { source?: string } = {}) =>
    typeof value === 'number' && !Number.isSafeInteger(value) ? new LongNumber(source) : value,
  );
}

function isObject(json: Json): json is JsonObject {
  const isContainer = typeof json === 'object' && json !== null && !Array.isArray(json);
  return isContainer && !(json instanceof LongNumber);
}

function serialization(message: string, options?: ErrorOptions): GlacierError {
  return new GlacierError('SerializationException', message, options);
}
