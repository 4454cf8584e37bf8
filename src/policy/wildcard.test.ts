import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { literalOf, matches, wildcardOf } from './wildcard.ts';

/** The definition, word for word: all ways to part the text. */
function slowlyMatches(pattern: readonly string[], text: readonly string[]): boolean {
  const [first, ...others] = pattern;
  if (first === undefined) return text.length === 0;
  if (first === '*')
    return text.some((_, at) => slowlyMatches(others, text.slice(at))) || slowlyMatches(others, []);
  if (text.length === 0) return false;
  return (first === '?' || first === text[0]) && slowlyMatches(others, text.slice(1));
}

// biome-ignore format: a table reads best as a table
const examples: readonly [pattern: string, text: string, does: boolean][] = [
  ['',            '',                true],
  ['',            'a',               false],
  ['*',           '',                true],
  ['?',           '',                false],
  ['**',          'a/b:c',           true],
  ['example*',    'example',         true],
  ['example*',    'examplevault',    true],
  ['example*',    'myexample',       false],
  ['*vault',      'a/vault/b/vault', true],
  ['*vault',      'vaults',          false],
  ['?escribe*',   'describevault',   true],
  ['a*b*c',       'abcbc',           true],
  ['a*b?c',       'abbbc',           true],
  ['A',           'a',               false],
  ['?',           '🧊',              true],
  ['??',          '🧊',              false],
  ['*🧊',         '🧊🧊',            true],
  ['*\uddca',    '🧊',              false],
  ['[a-z].\\',    '[a-z].\\',        true],
  ['.',           'a',               false],
];

for (const [pattern, text, does] of examples) {
  test(`${JSON.stringify(pattern)} ${does ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, () => {
    assert.equal(matches(wildcardOf(pattern), text), does);
  });
}

const pieces = (units: readonly string[]) => fc.array(fc.constantFrom(...units), { maxLength: 9 });

test('matching agrees with the definition', () => {
  const seen = { true: 0, false: 0 };
  fc.assert(
    fc.property(pieces(['a', 'b', '🧊', '*', '?']), pieces(['a', 'b', '🧊', '*']), (p, t) => {
      const expected = slowlyMatches(p, t);
      seen[`${expected}`] += 1;
      assert.equal(matches(wildcardOf(p.join('')), t.join('')), expected);
    }),
    { numRuns: 5000 },
  );
  assert.ok(seen.true > 100 && seen.false > 100, 'both answers were asked for');
});

test('a literal matches itself alone, whatever characters it has', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '*', '?', '🧊', '\ud83e') });
  fc.assert(
    fc.property(text, text, (one, other) => {
      assert.equal(matches(literalOf(one), other), one === other);
    }),
  );
});

test('a pattern made to be slow takes at most the product of the two lengths', () => {
  const pattern = wildcardOf(`${'*a'.repeat(2000)}b`);
  assert.equal(matches(pattern, 'a'.repeat(10_000)), false);
  assert.equal(matches(pattern, `${'a'.repeat(10_000)}b`), true);
});
