import { commonErrorCodes } from '../../src/protocol/errors.ts';
import {
  actionOf,
  type OperationName,
  operationNames,
  rowOf,
} from '../../src/protocol/operations.ts';
import { shapes } from '../../src/protocol/shapes/all.ts';
import type { Member, Members, Type } from '../../src/protocol/shapes/shape.ts';
import { code, pageHead, table } from '../markdown.ts';

export function operationsPage(): string {
  return `${pageHead('Operations', 'src/protocol/operations.ts and src/protocol/shapes')}\
The API is Amazon S3 Glacier's, version 2012-06-01. It has ${operationNames.length} operations.
\`{accountId}\` is the 12-digit number of the account, or \`-\` for the caller's own. Any operation can
answer with the [common errors](#common-errors).

## Operations

${operationNames.map(section).join('\n')}
## Common errors

${commonErrorCodes.map((name) => `- [${code(name)}](errors.md)\n`).join('')}`;
}

function section(name: OperationName): string {
  const { http, ok, on, errors } = rowOf(name);
  const more = errors.length === 0 ? 'none' : errors.map(code).join(', ');
  const facts = `- Request: ${code(http)}
- Success: ${code(String(ok))}
- Action in policies: ${code(actionOf(name))}, on the ${on}
- Errors beside the common ones: ${more}
`;
  const { input, output }: { input: Members; output: Members } = shapes[name];
  return `### ${name}\n\n${facts}\n${members('Input', input)}\n${members('Output', output)}`;
}

function members(title: string, of: Members): string {
  const rows = memberRows('', of);
  if (rows.length === 0) return `${title}: nothing.\n`;
  return `${title}:\n\n${table(['Name', 'In', 'Type', 'Required', 'Rule'], rows)}`;
}

/** A structure's members follow it, with its name before theirs. */
function memberRows(prefix: string, of: Members): string[][] {
  return Object.values(of).flatMap((member) => [
    [
      code(prefix + member.name),
      member.in,
      typeText(member.type),
      member.required === true ? 'yes' : '',
      ruleText(member),
    ],
    ...memberRows(
      `${prefix}${member.name}${isList(member.type) ? '[].' : '.'}`,
      inner(member.type),
    ),
  ]);
}

function isList(type: Type): boolean {
  return typeof type === 'object' && 'list' in type;
}

function inner(type: Type): Members {
  if (typeof type === 'string') return {};
  if ('map' in type) return {};
  return 'list' in type ? inner(type.list) : type.structure;
}

function typeText(type: Type): string {
  if (typeof type === 'string') return type;
  if ('map' in type) return `map of ${type.map}`;
  return 'list' in type ? `list of ${typeText(type.list)}` : 'structure';
}

function ruleText({ oneOf, min, max }: Member): string {
  const rules = [
    oneOf === undefined ? '' : `one of ${oneOf.map(code).join(', ')}`,
    min === undefined ? '' : `at least ${min}`,
    max === undefined ? '' : `at most ${max}`,
  ];
  return rules.filter((rule) => rule !== '').join(', ');
}
