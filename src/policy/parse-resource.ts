import { parseArnPattern } from './arn-pattern.ts';
import type { PolicyVersion } from './policy.ts';
import { PolicyError, quoted } from './policy-error.ts';
import { splitVariables, type TextPart } from './policy-variables.ts';

/** What may stand in the first five fields of an ARN; the service has no wildcards. */
const fieldPatterns: readonly RegExp[] = [
  /^arn$/,
  /^[a-z0-9*?-]+$/,
  /^[a-z0-9-]+$/,
  /^[a-z0-9*?-]*$/,
  /^[a-z0-9*?]*$/,
];

/**
 * Refuses what is neither `*` nor the pattern of an ARN. IAM user guide, "IAM policy elements:
 * Variables and tags": variables stand behind the fifth colon only.
 */
export function checkResource(resource: string, version: PolicyVersion, where: string): void {
  if (resource === '*') return;
  if (splitVariables(resource, version) === undefined) {
    throw new PolicyError(
      `${where} has a resource ${quoted(resource)} with a malformed policy variable.`,
    );
  }
  const pattern = parseArnPattern(resource, version);
  const isArn =
    pattern !== undefined &&
    pattern.at(-1)?.length !== 0 &&
    fieldPatterns.every((field, index) => isField(field, pattern[index] ?? []));
  if (isArn) return;
  throw new PolicyError(
    `${where} has a resource ${quoted(resource)}, which is neither "*" nor the pattern of an ARN.`,
  );
}

function isField(pattern: RegExp, parts: readonly TextPart[]): boolean {
  const [part] = parts;
  if (part === undefined) return pattern.test('');
  return parts.length === 1 && part.kind === 'text' && pattern.test(part.text);
}
