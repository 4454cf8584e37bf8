import { GlacierError } from '../protocol/errors.ts';
import type { Member, Members, Type } from '../protocol/shapes/shape.ts';

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json | undefined;
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
    if (typeof type === 'object') {
      if (!Array.isArray(value)) throw wrong('a list');
      return value.map((item: Json) => read(item, type.list));
    }
    if (type === 'integer') {
      if (!Number.isSafeInteger(value)) throw wrong('an integer');
      return value;
    }
    if (member.orNumber === true && typeof value === 'number') return String(value);
    if (typeof value !== type) throw wrong(`a ${type}`);
    return value;
  };
  return read(json, member.type);
}

function parse(bytes: Uint8Array): Json | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.trim() === '' ? undefined : JSON.parse(text);
  } catch (cause) {
    throw serialization('Invalid JSON in request body', { cause });
  }
}

function isObject(json: Json): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function serialization(message: string, options?: ErrorOptions): GlacierError {
  return new GlacierError('SerializationException', message, options);
}
