import { parseArnPattern } from './arn-pattern.ts';
import type { OperatorFamily } from './condition-operators.ts';
import { parseIpRange } from './ip-range.ts';
import type { PolicyVersion } from './policy.ts';
import { parsePolicyDate } from './policy-date.ts';
import { hasVariables, splitVariables } from './policy-variables.ts';

/**
 * What is wrong with an operand, to stand behind “an operand that”, or nothing. An operand that its
 * operator cannot read would never match, and the statement would not do what it says.
 */
export function operandProblem(
  family: OperatorFamily,
  operand: string,
  version: PolicyVersion,
): string | undefined {
  if (family === 'string' || family === 'arn') {
    if (splitVariables(operand, version) === undefined) return 'has a malformed policy variable';
    if (family === 'string') return undefined;
  }
  return isOperand[family](operand, version) ? undefined : `is not ${wanted[family]}`;
}

/** The number that a numeric operand stands for, or nothing. */
export function parseNumericOperand(operand: string): number | undefined {
  const number = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(operand)
    ? Number(operand)
    : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

/** What a boolean operand stands for, in any case, or nothing. */
export function parseBoolOperand(operand: string): boolean | undefined {
  const lower = operand.toLowerCase();
  if (lower === 'true') return true;
  return lower === 'false' ? false : undefined;
}

const wanted: Readonly<Record<OperatorFamily, string>> = {
  string: 'a text',
  numeric: 'a decimal number',
  date: 'a date such as "2026-01-31T12:00:00Z", or seconds since 1970',
  bool: '"true" or "false"',
  binary: 'base64',
  ip: 'an IP address, or a range such as "203.0.113.0/24"',
  arn: 'an ARN of six parts',
  null: '"true" or "false"',
};

const isOperand: Readonly<
  Record<OperatorFamily, (operand: string, version: PolicyVersion) => boolean>
> = {
  string: () => true,
  numeric: (operand) => parseNumericOperand(operand) !== undefined,
  date: (operand) => parsePolicyDate(operand) !== undefined,
  bool: (operand) => parseBoolOperand(operand) !== undefined,
  binary: (operand) => operand.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(operand),
  ip: (operand) => parseIpRange(operand) !== undefined,
  // A variable may stand for several fields, or for the whole.
  arn: (operand, version) =>
    hasVariables(operand, version) || parseArnPattern(operand, version) !== undefined,
  null: (operand) => parseBoolOperand(operand) !== undefined,
};
