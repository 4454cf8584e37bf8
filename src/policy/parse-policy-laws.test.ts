// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies write their variables so.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type OperatorFamily, type OperatorName, operators } from './condition-operators.ts';
import { parsePolicy } from './parse-policy.ts';
import type { Condition, Policy, Principal, Selection, Statement } from './policy.ts';
import { PolicyError } from './policy-error.ts';
import { checkVaultPolicy } from './vault-policy.ts';

const accountId = '111122223333';
const vaultArn = `arn:aws:glacier:us-west-2:${accountId}:vaults/examplevault`;

/** A policy as text; the opposite of parsing, but for the spelling of what can be spelt twice. */
function print({ version, id, statements }: Policy): string {
  return JSON.stringify({ Version: version, Id: id, Statement: statements.map(statementJson) });
}

function statementJson(statement: Statement): object {
  return {
    Sid: statement.sid,
    Effect: statement.effect,
    ...(statement.principals && element('Principal', statement.principals, principalsJson)),
    ...element('Action', statement.actions, (listed) => listed),
    ...element('Resource', statement.resources, (listed) => listed),
    Condition: conditionsJson(statement.conditions),
  };
}

function element<T>(
  name: string,
  { negated, listed }: Selection<T>,
  json: (listed: readonly T[]) => unknown,
): object {
  return { [negated ? `Not${name}` : name]: json(listed) };
}

function principalsJson(listed: readonly Principal[]): object {
  const kinds: Record<string, string[]> = {};
  for (const principal of listed) {
    const [kind, name] = principalJson(principal);
    kinds[kind] = [...(kinds[kind] ?? []), name];
  }
  return kinds;
}

function principalJson(principal: Principal): [kind: string, name: string] {
  if (principal.kind === 'any') return ['AWS', '*'];
  if (principal.kind === 'account') return ['AWS', principal.accountId];
  if ('arn' in principal) return ['AWS', principal.arn];
  return [principal.kind === 'service' ? 'Service' : 'Federated', principal.name];
}

function conditionsJson(conditions: readonly Condition[]): object {
  const blocks: Record<string, Record<string, readonly string[]>> = {};
  for (const { operator, quantifier, ifExists, key, values } of conditions) {
    const prefix = quantifier === undefined ? '' : `${quantifier}:`;
    const name = `${prefix}${operator}${ifExists ? 'IfExists' : ''}`;
    blocks[name] = { ...blocks[name], [key]: values };
  }
  return blocks;
}

const word = fc.string({ unit: fc.constantFrom('a', 'B', '1', '-'), minLength: 1, maxLength: 4 });
const hostile = fc.string({ unit: fc.constantFrom('a', '"', '\\', '{', '*', '?', '\u2028', '🧊') });

function selection<T>(item: fc.Arbitrary<T>): fc.Arbitrary<Selection<T>> {
  return plainRecord({
    negated: fc.boolean(),
    listed: fc.array(item, { minLength: 1, maxLength: 3 }),
  });
}

/** With the prototype of any object, as `deepEqual` compares that too. */
function plainRecord<T>(members: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(members, { noNullPrototype: true });
}

/** By what stands in the text, so that printing keeps their order: first `AWS`, then the others. */
const principals: fc.Arbitrary<Selection<Principal>> = selection<Principal>(
  fc.oneof(
    fc.constant<Principal>({ kind: 'any' }),
    fc.constant<Principal>({ kind: 'account', accountId }),
    word.map(
      (name): Principal => ({
        kind: 'user',
        accountId,
        arn: `arn:aws:iam::${accountId}:user/p/${name}`,
      }),
    ),
    word.map(
      (name): Principal => ({
        kind: 'role',
        accountId,
        arn: `arn:aws:iam::${accountId}:role/${name}`,
      }),
    ),
    word.map(
      (name): Principal => ({
        kind: 'role-session',
        accountId,
        arn: `arn:aws:sts::${accountId}:assumed-role/${name}/s`,
      }),
    ),
    fc.constant<Principal>({ kind: 'federated', name: 'accounts.google.com' }),
    fc.constant<Principal>({ kind: 'service', name: 'sns.amazonaws.com' }),
  ),
).map(({ negated, listed }) => ({
  negated,
  listed: ['AWS', 'Federated', 'Service'].flatMap((kind) =>
    listed.filter((principal) => principalJson(principal)[0] === kind),
  ),
}));

const operands: Readonly<Record<OperatorFamily, fc.Arbitrary<string>>> = {
  string: fc.oneof(hostile, fc.constantFrom('', '${aws:username}', "x${aws:userid, 'a'}${*}")),
  numeric: fc.oneof(
    fc.integer().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  ),
  date: fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  bool: fc.constantFrom('true', 'False'),
  binary: fc.base64String(),
  ip: fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV6().map((address) => `${address}/64`),
  ),
  arn: fc.constantFrom('*', vaultArn, 'arn:aws:iam::*:role/${aws:username}', '${aws:PrincipalArn}'),
  null: fc.constantFrom('true', 'false'),
};

const operatorNames = Object.entries(operators).map(
  // The names of a table that is a constant.
  ([name, { family }]) => ({ operator: name as OperatorName, family }),
);

const conditionBlock = fc
  .record({
    named: fc.constantFrom(...operatorNames),
    quantifier: fc.constantFrom('ForAllValues' as const, 'ForAnyValue' as const, undefined),
    ifExists: fc.boolean(),
  })
  .chain(({ named: { operator, family }, quantifier, ifExists }) => {
    const isNull = operator === 'Null';
    return fc.uniqueArray(word, { minLength: 1, maxLength: 3 }).chain((keys) =>
      fc.tuple(
        ...keys.map((key) =>
          fc.array(operands[family], { minLength: 1, maxLength: 3 }).map(
            (values): Condition => ({
              operator,
              quantifier: isNull ? undefined : quantifier,
              ifExists: !isNull && ifExists,
              key: `glacier:ResourceTag/${key}`,
              values,
            }),
          ),
        ),
      ),
    );
  });

const blockName = ([first]: readonly Condition[]) =>
  `${first?.quantifier}:${first?.operator}:${first?.ifExists}`;

const statement: fc.Arbitrary<Statement> = plainRecord({
  sid: fc.constantFrom('', undefined),
  effect: fc.constantFrom('Allow', 'Deny'),
  principals: fc.oneof(principals, fc.constant(undefined)),
  actions: selection(
    fc.oneof(
      fc.constant('*'),
      word.map((name) => `glacier:${name.replaceAll('-', '*')}`),
    ),
  ),
  resources: selection(
    fc.oneof(
      fc.constantFrom('*', vaultArn, `${vaultArn}\${aws:a, '"'}`),
      word.map((name) => `arn:aws:s3:::${name}/*`),
    ),
  ),
  conditions: fc
    .uniqueArray(conditionBlock, { selector: blockName, maxLength: 3 })
    .map((blocks) => blocks.flat()),
});

const policy: fc.Arbitrary<Policy> = plainRecord({
  version: fc.constant('2012-10-17'),
  id: fc.oneof(hostile, fc.constant(undefined)),
  statements: fc
    .array(statement, { minLength: 1, maxLength: 3 })
    .map((list) => list.map((one, at) => (at === 0 ? { ...one, sid: 'first-one' } : one))),
});

test('to print a policy and to parse it gives that policy', () => {
  fc.assert(
    fc.property(policy, (value) => {
      assert.deepEqual(parsePolicy(print(value)), value);
    }),
    { numRuns: 1000 },
  );
});

const rules = {
  vaultArn,
  operationNames: ['DeleteArchive', 'ListVaults'],
  identityOnlyNames: ['ListVaults'],
};

/** Whether a text is accepted by the grammar. Any error but the one that is meant fails the test. */
function isAccepted(text: string): boolean {
  try {
    checkVaultPolicy(parsePolicy(text), rules);
    return true;
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    assert.match(error.message, /^[A-Z].*\.$/s, 'a message is a sentence');
    return false;
  }
}

const valid = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'deny-based-on-archive-age',
      Effect: 'Deny',
      Principal: { AWS: ['*', `arn:aws:iam::${accountId}:role/Legal`] },
      Action: ['glacier:Delete*', '*'],
      Resource: [vaultArn, `${vaultArn}\${aws:username, 'x'}`],
      Condition: {
        NumericLessThan: { 'glacier:ArchiveAgeInDays': 365 },
        IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '2001:db8::1'] },
        'ForAnyValue:DateLessThanIfExists': { 'aws:CurrentTime': '2026-01-31T12:00:00Z' },
        ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:user/${aws:username}' },
        BinaryEquals: { 'aws:a': 'QUJD' },
      },
    },
  ],
});

test('a text that is cut, or has pieces put in, is accepted or refused with a sentence', () => {
  assert.ok(isAccepted(valid));
  const piece = fc.oneof(
    fc.constantFrom(
      '"',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '\\',
      '*',
      '?',
      '${',
      'Not',
      '/',
      '.',
      '\u0000',
    ),
    fc.nat({ max: valid.length }).map((at) => valid.slice(at, at + 20)),
    fc.jsonValue({ maxDepth: 1 }).map((value) => JSON.stringify(value)),
  );
  const edit = fc.record({ at: fc.nat({ max: valid.length }), cut: fc.nat({ max: 6 }), piece });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
      let text = valid;
      for (const { at, cut, piece: put } of edits)
        text = text.slice(0, at) + put + text.slice(at + cut);
      isAccepted(text);
    }),
    { numRuns: 2000 },
  );
});

/** Everything within a JSON value, itself included, each with the way to it. */
function placesIn(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [path, ...inner.flatMap(([key, member]) => placesIn(member, [...path, key]))];
}

/** The value with another one in the place that the path leads to. */
function replaced(value: unknown, path: readonly string[], other: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return other;
  const entries = Object.entries(Object(value)).map(([name, member]) => [
    name,
    name === key ? replaced(member, rest, other) : member,
  ]);
  return Array.isArray(value) ? entries.map(([, member]) => member) : Object.fromEntries(entries);
}

test('a policy with any other value in any place is accepted or refused with a sentence', () => {
  const base: unknown = JSON.parse(valid);
  const places = placesIn(base);
  const seen = { true: 0, false: 0 };
  const other = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('', '*', '${', '${a:b}', 'arn:aws:glacier:*', [], {}, ['*'], { AWS: '*' }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...places), other, (path, value) => {
      seen[`${isAccepted(JSON.stringify(replaced(base, path, value)))}`] += 1;
    }),
    { numRuns: 2000 },
  );
  assert.ok(seen.true > 20 && seen.false > 20, 'some were accepted, some were refused');
});

test('any text at all is accepted or refused with a sentence', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json({ maxDepth: 3 })), (text) => {
      isAccepted(text);
    }),
    { numRuns: 500 },
  );
});

test('texts of 20 KB that are made to be slow, or deep, are refused like others', () => {
  const withAction = (action: string) =>
    valid.replace('"glacier:Delete*"', () => JSON.stringify(action));
  assert.equal(isAccepted(withAction(`glacier:${'*a'.repeat(10_000)}`)), false);
  assert.equal(isAccepted(withAction(`glacier:${'?*'.repeat(10_000)}`)), false);
  assert.equal(isAccepted(valid.replace('examplevault', '*e'.repeat(10_000))), true);
  assert.equal(isAccepted(valid.replace('365', '1'.repeat(20_000))), false);
  assert.equal(isAccepted(valid.replace('"QUJD"', '['.repeat(20_000) + ']'.repeat(20_000))), false);
  assert.equal(isAccepted(valid.replace('2001:db8::1', ':'.repeat(20_000))), false);
  assert.equal(isAccepted(valid.replace('role/Legal', 'role/'.repeat(4_000))), false);
});
