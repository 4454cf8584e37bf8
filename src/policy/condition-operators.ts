import { PolicyError, quoted } from './policy-error.ts';

/** What an operator compares, and so what its operands must be. */
export type OperatorFamily =
  | 'string'
  | 'numeric'
  | 'date'
  | 'bool'
  | 'binary'
  | 'ip'
  | 'arn'
  | 'null';

interface Operator {
  readonly family: OperatorFamily;
  /** True of the operators that hold where a key is absent: no value may match. */
  readonly negated: boolean;
}

/** IAM user guide, "IAM JSON policy elements: Condition operators". */
// biome-ignore format: a table reads best as a table
export const operators = {
  StringEquals:              { family: 'string',  negated: false },
  StringNotEquals:           { family: 'string',  negated: true },
  StringEqualsIgnoreCase:    { family: 'string',  negated: false },
  StringNotEqualsIgnoreCase: { family: 'string',  negated: true },
  StringLike:                { family: 'string',  negated: false },
  StringNotLike:             { family: 'string',  negated: true },

  NumericEquals:             { family: 'numeric', negated: false },
  NumericNotEquals:          { family: 'numeric', negated: true },
  NumericLessThan:           { family: 'numeric', negated: false },
  NumericLessThanEquals:     { family: 'numeric', negated: false },
  NumericGreaterThan:        { family: 'numeric', negated: false },
  NumericGreaterThanEquals:  { family: 'numeric', negated: false },

  DateEquals:                { family: 'date',    negated: false },
  DateNotEquals:             { family: 'date',    negated: true },
  DateLessThan:              { family: 'date',    negated: false },
  DateLessThanEquals:        { family: 'date',    negated: false },
  DateGreaterThan:           { family: 'date',    negated: false },
  DateGreaterThanEquals:     { family: 'date',    negated: false },

  Bool:                      { family: 'bool',    negated: false },
  BinaryEquals:              { family: 'binary',  negated: false },

  IpAddress:                 { family: 'ip',      negated: false },
  NotIpAddress:              { family: 'ip',      negated: true },

  ArnEquals:                 { family: 'arn',     negated: false },
  ArnNotEquals:              { family: 'arn',     negated: true },
  ArnLike:                   { family: 'arn',     negated: false },
  ArnNotLike:                { family: 'arn',     negated: true },

  Null:                      { family: 'null',    negated: false },
} as const satisfies Record<string, Operator>;

export type OperatorName = keyof typeof operators;

const quantifiers = ['ForAllValues', 'ForAnyValue'] as const;

/** How the values of a key that has many are asked: all of them, or any. */
export type Quantifier = (typeof quantifiers)[number];

export interface ParsedOperator {
  readonly operator: OperatorName;
  readonly quantifier: Quantifier | undefined;
  readonly ifExists: boolean;
}

/**
 * Reads the name of an operator, with its prefix and its suffix, in exactly the documented case.
 * An unknown one is refused: in a `Deny` a misspelt operator would protect nothing.
 */
export function parseOperator(text: string, where: string): ParsedOperator {
  const quantifier = quantifiers.find((name) => text.startsWith(`${name}:`));
  const rest = quantifier === undefined ? text : text.slice(quantifier.length + 1);
  const ifExists = rest.endsWith('IfExists');
  const operator = ifExists ? rest.slice(0, -'IfExists'.length) : rest;

  if (!isOperatorName(operator)) {
    throw new PolicyError(`${where} has an unknown condition operator ${quoted(text)}.`);
  }
  if (operator === 'Null' && (ifExists || quantifier !== undefined)) {
    throw new PolicyError(
      `${where} has a condition operator ${quoted(text)}: "Null" takes no prefix and no suffix.`,
    );
  }
  return { operator, quantifier, ifExists };
}

function isOperatorName(text: string): text is OperatorName {
  return Object.hasOwn(operators, text);
}
