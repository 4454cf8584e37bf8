import { commonErrorCodes } from '../../src/protocol/errors.ts';
import {
  actionOf,
  type OperationName,
  operationNames,
  rowOf,
} from '../../src/protocol/operations.ts';
import { shapes } from '../../src/protocol/shapes/all.ts';
import type { Form, Member, Members, Type } from '../../src/protocol/shapes/shape.ts';
import { code, pageHead, table } from '../markdown.ts';
import { neverAnswered } from './errors.ts';
import { type OperationRules, operationRules } from './operation-rules.ts';

export function operationsPage(): string {
  return `${pageHead('Operations', 'src/protocol/operations.ts and src/protocol/shapes')}\
The API is Amazon S3 Glacier's, version 2012-06-01. It has ${operationNames.length} operations.
Actions are those that policies name; policies are checked and kept, and **not enforced yet**.
\`{accountId}\` is the 12-digit number of the account, or \`-\` for the caller's own. Any operation can
answer with the [common errors](#common-errors).

A header that is empty counts as none, unless it is a description, and so does what is empty in the
query, unless it is \`limit\`, and a \`null\` of the document. What no table names is ignored.

## Operations

${operationNames.map(section).join('\n')}
## Common errors

${commonErrorCodes.map(commonError).join('')}`;
}

function commonError(name: (typeof commonErrorCodes)[number]): string {
  const note = neverAnswered.has(name) ? ', but not by this version' : '';
  return `- [${code(name)}](errors.md)${note}\n`;
}

function section(name: OperationName): string {
  const { http, ok, on, errors } = rowOf(name);
  const { input, output }: { input: Members; output: Members } = shapes[name];
  const { sentences, required } = operationRules[name] ?? { sentences: [] };
  const more = errors.length === 0 ? 'none' : errors.map(code).join(', ');
  const facts = `- Request: ${code(http)}
- Success: ${code(String(ok))}${hasStatus(output) ? ', or `206` for a range' : ''}
- Action in policies: ${code(actionOf(name))}, on the ${on}
- Errors beside the common ones: ${more}
`;
  const rules = sentences.length === 0 ? '' : `\nRules:\n\n${sentences.map(item).join('')}`;
  const given = members('Input', input, required);
  return `### ${name}\n\n${facts}\n${given}${rules}\n${members('Output', output)}`;
}

function item(sentence: string): string {
  return `- ${sentence}\n`;
}

function hasStatus(output: Members): boolean {
  return Object.values(output).some((member) => member.in === 'status');
}

function members(title: string, of: Members, required?: OperationRules['required']): string {
  const rows = memberRows('', of, required);
  if (rows.length === 0) return `${title}: nothing.\n`;
  return `${title}:\n\n${table(['Name', 'In', 'Type', 'Required', 'Rule'], rows)}`;
}

/** A structure's members follow it, with its name before theirs. */
function memberRows(
  prefix: string,
  of: Members,
  required: OperationRules['required'] = {},
): string[][] {
  return Object.values(of).flatMap((member) => [
    [
      code(prefix + member.name),
      member.in,
      typeText(member.type) + (member.orNumber === true ? ' or number' : ''),
      member.required === true ? 'yes' : (required[member.name] ?? ''),
      ruleText(member, of),
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

const formTexts: Readonly<Record<Form, string>> = {
  hex: 'bytes in hexadecimal',
  printable: 'of the characters 0x20–0x7E',
  'content-range': '`bytes first-last/size`, the size may be `*`',
};

function ruleText(member: Member, among: Members): string {
  const { oneOf, min, max, form, bytesMax, lengthOf, emptyIsAbsent } = member;
  const rules = [
    oneOf === undefined ? '' : `one of ${oneOf.map(code).join(', ')}`,
    form === undefined ? '' : formTexts[form],
    bytesMax === undefined ? '' : `at most ${bytesMax.toLocaleString('en-US')} bytes`,
    min === undefined ? '' : `at least ${min}`,
    max === undefined ? '' : `at most ${max}`,
    lengthOf === undefined ? '' : `as many bytes as ${code(among[lengthOf]?.name ?? '')} says`,
    emptyIsAbsent === true ? 'empty counts as none' : '',
  ];
  return rules.filter((rule) => rule !== '').join(', ');
}
