import type { PolicyVersion } from './policy.ts';
import { literalOf, type Wildcard, wildcardOf } from './wildcard.ts';

/** A piece of a text in which variables may stand. */
export type TextPart =
  /** As written: `*` and `?` are wildcards where the place knows wildcards. */
  | { readonly kind: 'text'; readonly text: string }
  /** `${*}`, `${?}` or `${$}`: the character itself, never a wildcard. */
  | { readonly kind: 'literal'; readonly text: string }
  /** `${key}` or `${key, 'fallback'}`. Where the key is absent and nothing replaces it, no match. */
  | { readonly kind: 'variable'; readonly key: string; readonly fallback: string | undefined };

/**
 * Parts a text at its variables. IAM user guide, "IAM policy elements: Variables and tags": they
 * exist since version 2012-10-17; before, `${…}` is text. Gives nothing when a variable is malformed.
 */
export function splitVariables(
  text: string,
  version: PolicyVersion,
): readonly TextPart[] | undefined {
  if (version === '2008-10-17') return [{ kind: 'text', text }];
  const parts: TextPart[] = [];
  let done = 0;
  for (let at = text.indexOf('${'); at !== -1; at = text.indexOf('${', done)) {
    if (at > done) parts.push({ kind: 'text', text: text.slice(done, at) });
    variablePattern.lastIndex = at;
    const [whole, key = '', fallback] = variablePattern.exec(text) ?? [];
    const part = partOf(key.trim(), fallback);
    if (whole === undefined || part === undefined) return undefined;
    parts.push(part);
    done = at + whole.length;
  }
  if (done < text.length || parts.length === 0)
    parts.push({ kind: 'text', text: text.slice(done) });
  return parts;
}

/** Whether a text holds variables, or their escapes, in a policy of that version. */
export function hasVariables(text: string, version: PolicyVersion): boolean {
  return version === '2012-10-17' && text.includes('${');
}

/**
 * The pattern of the parts, with what `lookUp` says in the place of each variable, or nothing when
 * it says nothing for one of them. What it says is never read for wildcards.
 */
export function wildcardOfParts(
  parts: readonly TextPart[],
  lookUp: (key: string) => Wildcard | undefined,
): Wildcard | undefined {
  const points: number[] = [];
  for (const part of parts) {
    const piece = wildcardOfPart(part, lookUp);
    if (piece === undefined) return undefined;
    // Not spread: a call takes only so many arguments.
    for (const point of piece) points.push(point);
  }
  return points;
}

function wildcardOfPart(
  part: TextPart,
  lookUp: (key: string) => Wildcard | undefined,
): Wildcard | undefined {
  if (part.kind === 'text') return wildcardOf(part.text);
  if (part.kind === 'literal') return literalOf(part.text);
  const value = lookUp(part.key);
  if (value !== undefined || part.fallback === undefined) return value;
  return literalOf(part.fallback);
}

/** Sticky, so that it looks at one place only, and each character a few times at most. */
const variablePattern = /\$\{([^,'{}]*)(?:,\s*'([^']*)'\s*)?\}/y;

const escapes: readonly string[] = ['*', '?', '$'];

function partOf(key: string, fallback: string | undefined): TextPart | undefined {
  if (escapes.includes(key) && fallback === undefined) return { kind: 'literal', text: key };
  return isConditionKey(key) ? { kind: 'variable', key, fallback } : undefined;
}

/** Whether `text` is a prefix, a colon and a name, as every condition key is: `aws:SourceIp`. */
export function isConditionKey(text: string): boolean {
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1 || text !== text.trim()) return false;
  return !/[\p{Cc}\s]/u.test(text.slice(0, colon)) && !/\p{Cc}/u.test(text);
}
