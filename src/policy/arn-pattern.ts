import type { PolicyVersion } from './policy.ts';
import { splitVariables, type TextPart, wildcardOfParts } from './policy-variables.ts';
import { matches, type Wildcard } from './wildcard.ts';

/**
 * The six fields of an ARN, each with its wildcards and variables: `arn`, partition, service,
 * region, account, and the rest, in which colons are characters like any other.
 */
export type ArnPattern = readonly (readonly TextPart[])[];

const fieldCount = 6;

/** The pattern that every ARN is like, as `*` is in the place of one. */
const everyArn: ArnPattern = Array.from({ length: fieldCount }, () => [text('*')]);

/**
 * Reads the pattern of an ARN, or gives nothing for what cannot be one.
 *
 * IAM user guide, "IAM JSON policy elements: Resource": a `*` at the end goes on beyond the colons,
 * so that `arn:aws:glacier:*` is every ARN of the service.
 */
export function parseArnPattern(pattern: string, version: PolicyVersion): ArnPattern | undefined {
  if (pattern === '*') return everyArn;
  const parts = splitVariables(pattern, version);
  if (parts === undefined) return undefined;
  const fields = splitFields(parts);
  const [first = []] = fields;
  if (first.length !== 1 || first[0]?.kind !== 'text' || first[0].text !== 'arn') return undefined;
  if (fields.length === fieldCount) return fields;
  if (fields.length < 4 || !pattern.endsWith('*')) return undefined;
  return [...fields, ...everyArn.slice(fields.length)];
}

/**
 * Whether an ARN is like a pattern, field by field, with what `lookUp` says in the place of each
 * variable. Where it says nothing for one of them, and it has no default, the ARN is not.
 */
export function matchesArn(
  pattern: ArnPattern,
  arn: string,
  lookUp: (key: string) => Wildcard | undefined,
): boolean {
  const fields = splitFields([text(arn)]);
  if (fields.length !== fieldCount) return false;
  return pattern.every((parts, index) => {
    const wildcard = wildcardOfParts(parts, lookUp);
    return wildcard !== undefined && matches(wildcard, textOf(fields[index] ?? []));
  });
}

/** Parts a text at its first five colons, but not at those within variables. */
function splitFields(parts: readonly TextPart[]): readonly (readonly TextPart[])[] {
  const fields: TextPart[][] = [[]];
  for (const part of parts) {
    if (part.kind !== 'text') {
      fields.at(-1)?.push(part);
      continue;
    }
    const pieces = part.text.split(':');
    const splitCount = Math.min(pieces.length - 1, fieldCount - fields.length);
    const rest = pieces.slice(splitCount).join(':');
    for (const [index, piece] of [...pieces.slice(0, splitCount), rest].entries()) {
      if (index > 0) fields.push([]);
      if (piece !== '') fields.at(-1)?.push(text(piece));
    }
  }
  return fields;
}

function text(value: string): TextPart {
  return { kind: 'text', text: value };
}

function textOf(parts: readonly TextPart[]): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}
