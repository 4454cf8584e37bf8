import { PolicyError, quoted } from './policy-error.ts';

/** What a policy nests, with room to spare: policy, statements, statement, condition, key, values. */
const depthMax = 16;

/** An object of a policy, its members still unknown. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads a policy's text as one JSON object. Throws a `PolicyError` when it is none, when an object
 * in it names a member twice, of which `JSON.parse` would keep the last in silence, and when it is
 * nested deeper than any policy.
 */
export function parsePolicyJson(text: string): JsonObject {
  const value = parseJson(text);
  if (!isJsonObject(value)) throw new PolicyError('The policy is not a JSON object.');
  checkNesting(text);
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // Whatever it was, a text that cannot be read is the fault of who wrote it.
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    throw new PolicyError(`The policy is not valid JSON${reason}.`, { cause });
  }
}

/**
 * Goes through a text that is known to be JSON, with a stack of its own instead of calls, and
 * throws for a name that is twice in one object and for nesting that is too deep.
 */
function checkNesting(text: string): void {
  /** The names so far of each open object; of an open array, nothing. */
  const open: (Set<string> | undefined)[] = [];
  /** Whether a string that comes now would be the name of a member. */
  let atName = false;

  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : undefined);
      atName = character === '{';
      if (open.length > depthMax) {
        throw new PolicyError(`The policy is nested more than ${depthMax} levels deep.`);
      }
    } else if (character === '}' || character === ']') {
      open.pop();
      atName = false;
    } else if (character === ',') {
      atName = open.at(-1) !== undefined;
    } else if (character === '"') {
      const end = endOfString(text, at);
      if (atName) addName(open.at(-1), text.slice(at, end), lineOf(text, at));
      atName = false;
      at = end - 1;
    }
  }
}

/** Where the string that begins with the quote at `start` is over. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function addName(names: Set<string> | undefined, literal: string, line: () => number): void {
  // Parsed, as one name can be written in several ways: "\u0053id" is "Sid".
  const name = String(JSON.parse(literal));
  if (names?.has(name) === true) {
    throw new PolicyError(`The policy has ${quoted(name)} twice in one object, on line ${line()}.`);
  }
  names?.add(name);
}

function lineOf(text: string, at: number): () => number {
  return () => text.slice(0, at).split('\n').length;
}

/** A text, or a list of at least one text. */
export function readTexts(value: unknown, where: string): readonly string[] {
  return readList(value, where, (item) => {
    if (typeof item !== 'string') throw new PolicyError(`${where} must hold strings only.`);
    return item;
  });
}

/** One item, or a list of at least one: a policy may write either. */
export function readList<T>(
  value: unknown,
  where: string,
  read: (item: unknown) => T,
): readonly T[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (items.length === 0) throw new PolicyError(`${where} is an empty list.`);
  return items.map(read);
}

/** Refuses names that the grammar does not know; names are compared with regard to case. */
export function checkNames(object: JsonObject, known: readonly string[], where: string): void {
  const unknown = Object.keys(object).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new PolicyError(`${where} has an unknown element ${quoted(unknown)}.`);
}
