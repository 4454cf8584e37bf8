// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies write their variables so.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { matchesArn, parseArnPattern } from './arn-pattern.ts';
import type { PolicyVersion } from './policy.ts';
import { literalOf } from './wildcard.ts';

const arn = 'arn:aws:glacier:us-west-2:111122223333:vaults/examplevault';

/** Whether a pattern matches, with these variables; `undefined` when it is no pattern. */
function answer(
  pattern: string,
  text: string,
  values: Readonly<Record<string, string>> = {},
  version: PolicyVersion = '2012-10-17',
): boolean | undefined {
  const parsed = parseArnPattern(pattern, version);
  if (parsed === undefined) return undefined;
  return matchesArn(parsed, text, (key) => {
    const value = values[key];
    return value === undefined ? undefined : literalOf(value);
  });
}

// biome-ignore format: a table reads best as a table
const examples: readonly [pattern: string, does: boolean | undefined][] = [
  [arn,                                                          true],
  ['*',                                                          true],
  ['arn:aws:glacier:us-west-2:111122223333:vaults/example*',     true],
  ['arn:aws:glacier:us-west-2:111122223333:vaults/*',            true],
  ['arn:aws:glacier:us-west-2:111122223333:*',                   true],
  ['arn:aws:glacier:*:*:vaults/examplevaul?',                    true],
  ['arn:*:glacier:us-*:1111*:*vault',                            true],
  ['arn:aws:glacier:us-west-2:*',                                true],
  ['arn:aws:glacier:*',                                          true],
  ['arn:aws:glacier:us-west-2:111122223333:vaults/other',        false],
  ['arn:aws:glacier:us-west-2:111122223333:vaults/example',      false],
  ['arn:aws:glacier:us-west-2:111122223333:Vaults/examplevault', false],
  ['arn:aws:glacier:us-west-2:444455556666:vaults/examplevault', false],
  ['arn:aws:glacier:us-east-1:111122223333:vaults/examplevault', false],
  ['arn:aws:s3:::bucket',                                        false],
  ['arn:aws:glacier:*:vaults/examplevault:*',                    false],
  ['arn:aws:glacier:us-west-2:111122223333',                     undefined],
  ['arn:aws:*',                                                  undefined],
  ['a*:aws:glacier:us-west-2:111122223333:vaults/examplevault',  undefined],
  ['arn${a:b}:aws:glacier:us-west-2:111122223333:vaults/a',      undefined],
  ['examplevault',                                               undefined],
  ['',                                                           undefined],
];

for (const [pattern, does] of examples) {
  const deed = does === undefined ? 'is no pattern' : does ? 'matches' : 'does not match';
  test(`${JSON.stringify(pattern)} ${deed} for the ARN of a vault`, () => {
    assert.equal(answer(pattern, arn), does);
  });
}

test('a wildcard of one field does not reach into the next one', () => {
  assert.equal(answer('arn:aws:sns:us-*:topic', 'arn:aws:sns:us-east-1:1:topic'), undefined);
  assert.equal(answer('arn:aws:sns:*:1:topic', 'arn:aws:sns:a:b:1:topic'), false);
});

test('colons behind the fifth are characters like any other', () => {
  const log = 'arn:aws:logs:us-east-1:1:group:name:stream';
  assert.equal(answer('arn:aws:logs:us-east-1:1:group:*:stream', log), true);
  assert.equal(answer('arn:aws:logs:us-east-1:1:group', log), false);
});

test('what a variable stands for is no wildcard, and stays within its field', () => {
  const pattern = 'arn:aws:glacier:us-west-2:111122223333:vaults/${aws:username}-*';
  const vault = 'arn:aws:glacier:us-west-2:111122223333:vaults/alice-photos';
  assert.equal(answer(pattern, vault, { 'aws:username': 'alice' }), true);
  assert.equal(answer(pattern, vault, { 'aws:username': 'bob' }), false);
  assert.equal(answer(pattern, vault, { 'aws:username': '*' }), false);
  assert.equal(answer(pattern, vault), false, 'nothing known of the variable');
  assert.equal(answer(pattern, vault, { 'aws:username': 'alice' }, '2008-10-17'), false);
});

test('a variable may stand in any field, and its default holds colons', () => {
  const user = 'arn:aws:iam::111122223333:user/alice';
  const pattern = "arn:aws:iam::${aws:PrincipalAccount, 'a:b'}:user/${aws:username, 'nobody'}";
  assert.equal(
    answer(pattern, user, { 'aws:PrincipalAccount': '111122223333', 'aws:username': 'alice' }),
    true,
  );
  assert.equal(
    answer(pattern, 'arn:aws:iam::111122223333:user/nobody', {
      'aws:PrincipalAccount': '111122223333',
    }),
    true,
  );
  assert.equal(answer(pattern, user), false);
});

test('every ARN without wildcards matches itself, and no other one', () => {
  const field = fc.string({ unit: fc.constantFrom('a', 'b', '-', '1'), maxLength: 3 });
  const anArn = fc
    .tuple(field, field, field, field, field)
    .map((fields) => `arn:${fields.join(':')}`);
  fc.assert(
    fc.property(anArn, anArn, (one, other) => {
      assert.equal(answer(one, one), true);
      assert.equal(answer(one, other), one === other);
    }),
  );
});
