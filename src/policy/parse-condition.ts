import { operandProblem } from './condition-operands.ts';
import { operators, parseOperator } from './condition-operators.ts';
import type { Condition, PolicyVersion } from './policy.ts';
import { PolicyError, quoted } from './policy-error.ts';
import { isJsonObject, readList } from './policy-json.ts';
import { isConditionKey } from './policy-variables.ts';

/** Reads a `Condition`: for each operator its keys, and for each key its values. */
export function parseConditions(
  value: unknown,
  version: PolicyVersion,
  where: string,
): readonly Condition[] {
  if (value === undefined) return [];
  if (!isJsonObject(value)) {
    throw new PolicyError(`${where} has a "Condition" that is not a JSON object.`);
  }
  return Object.entries(value).flatMap(([name, keys]) =>
    parseOperatorBlock(name, keys, version, where),
  );
}

function parseOperatorBlock(
  name: string,
  keys: unknown,
  version: PolicyVersion,
  where: string,
): readonly Condition[] {
  const operator = parseOperator(name, where);
  if (!isJsonObject(keys) || Object.keys(keys).length === 0) {
    throw new PolicyError(`${where} has a condition ${quoted(name)} that names no key.`);
  }
  return Object.entries(keys).map(([key, value]) => {
    if (!isConditionKey(key)) {
      throw new PolicyError(
        `${where} has a condition key ${quoted(key)}, which is not a prefix, a colon and a name.`,
      );
    }
    const place = `${where} has a condition ${quoted(name)} on ${quoted(key)}`;
    const { family } = operators[operator.operator];
    const values = readList(value, `${place}, which`, (item) => {
      const text = scalarText(item, place);
      const problem = operandProblem(family, text, version);
      if (problem === undefined) return text;
      throw new PolicyError(`${place} with an operand ${quoted(text)} that ${problem}.`);
    });
    return { ...operator, key, values };
  });
}

/** Values may be numbers and booleans too; the developer guide's own samples write `true`. */
function scalarText(value: unknown, place: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    // Beyond these JavaScript has already rounded what was written.
    if (Number.isSafeInteger(value) || !Number.isInteger(value)) return String(value);
    throw new PolicyError(`${place} with a number that is too long: write it as a string.`);
  }
  throw new PolicyError(`${place} with an operand that is not a string, a number or a boolean.`);
}
