// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies write their variables so.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  hasVariables,
  isConditionKey,
  splitVariables,
  type TextPart,
  wildcardOfParts,
} from './policy-variables.ts';
import { literalOf, matches } from './wildcard.ts';

const text = (value: string): TextPart => ({ kind: 'text', text: value });
const literal = (value: string): TextPart => ({ kind: 'literal', text: value });
const variable = (key: string, fallback?: string): TextPart => ({
  kind: 'variable',
  key,
  fallback,
});

// biome-ignore format: a table reads best as a table
const examples: readonly [written: string, parts: readonly TextPart[] | undefined][] = [
  ['',                               [text('')]],
  ['plain',                          [text('plain')]],
  ['$5 {a} $',                       [text('$5 {a} $')]],
  ['${aws:username}',                [variable('aws:username')]],
  ['a-${aws:username}-*',            [text('a-'), variable('aws:username'), text('-*')]],
  ['${a:b}${c:d}',                   [variable('a:b'), variable('c:d')]],
  ["${aws:username, 'nobody'}",      [variable('aws:username', 'nobody')]],
  ["${aws:username,'a}, b'}!",       [variable('aws:username', 'a}, b'), text('!')]],
  ["${aws:username, ''}",            [variable('aws:username', '')]],
  ['${aws:PrincipalTag/Cost Center}', [variable('aws:PrincipalTag/Cost Center')]],
  ['${*}${?}${$}',                   [literal('*'), literal('?'), literal('$')]],
  ['${',                             undefined],
  ['a${aws:username',                undefined],
  ['${}',                            undefined],
  ["${*, 'x'}",                     undefined],
  ['${username}',                    undefined],
  ['${:b}',                          undefined],
  ['${a:}',                          undefined],
  ["${aws:username, nobody}",        undefined],
  ["${aws:username, 'nobody}",       undefined],
  ['${aws:${aws:username}}',         undefined],
];

for (const [written, parts] of examples) {
  test(`${JSON.stringify(written)} is ${parts === undefined ? 'refused' : 'parted at its variables'}`, () => {
    assert.deepEqual(splitVariables(written, '2012-10-17'), parts);
  });
}

test('in a policy of 2008 nothing is a variable', () => {
  for (const [written] of examples) {
    assert.deepEqual(splitVariables(written, '2008-10-17'), [text(written)]);
    assert.equal(hasVariables(written, '2008-10-17'), false);
  }
});

test('parting loses nothing', () => {
  const written = fc
    .array(fc.constantFrom('${', '}', 'aws:a', ", 'b'", '${aws:b}', '${*}', '*', 'x', '$'))
    .map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(written, (value) => {
      const parts = splitVariables(value, '2012-10-17');
      if (parts === undefined) return;
      const printed = parts.map((part) => {
        if (part.kind === 'text') return part.text;
        if (part.kind === 'literal') return `\${${part.text}}`;
        return part.fallback === undefined
          ? `\${${part.key}}`
          : `\${${part.key}, '${part.fallback}'}`;
      });
      assert.deepEqual(splitVariables(printed.join(''), '2012-10-17'), parts);
    }),
    { numRuns: 2000 },
  );
});

test('escapes and values match as they are, wildcards in the text around them as wildcards', () => {
  const parts = splitVariables('?${*}-${aws:username}*', '2012-10-17') ?? [];
  const pattern = wildcardOfParts(parts, () => literalOf('a?')) ?? [];
  assert.equal(matches(pattern, 'x*-a?b'), true);
  assert.equal(matches(pattern, 'xx-a?b'), false);
  assert.equal(matches(pattern, 'x*-abb'), false);
});

test('a variable that nothing replaces leaves no pattern, unless it has a default', () => {
  const patternOf = (written: string) =>
    wildcardOfParts(splitVariables(written, '2012-10-17') ?? [], () => undefined);
  assert.equal(patternOf('a${aws:username}'), undefined);
  assert.deepEqual(patternOf("a${aws:username, '*'}"), literalOf('a*'));
});

test('a long malformed variable is refused at once', () => {
  assert.equal(splitVariables(`\${${'a'.repeat(1_000_000)}`, '2012-10-17'), undefined);
  assert.equal(splitVariables(`\${a:b,${' '.repeat(1_000_000)}`, '2012-10-17'), undefined);
  assert.equal(splitVariables('${'.repeat(500_000), '2012-10-17'), undefined);
});

test('a condition key is a prefix, a colon and a name', () => {
  for (const key of [
    'aws:SourceIp',
    'glacier:ArchiveAgeinDays',
    'glacier:ResourceTag/Legal Hold',
    'glacier:ResourceTag/a:b',
    'oidc.eks.us-east-1.amazonaws.com/id/1:sub',
  ]) {
    assert.equal(isConditionKey(key), true, key);
  }
  for (const key of ['', 'ArchiveAgeInDays', ':a', 'aws:', ' aws:a', 'aws:a ', 'a b:c', 'aws:\n']) {
    assert.equal(isConditionKey(key), false, key);
  }
});
