import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { PolicyError } from './policy-error.ts';
import { parsePolicyJson } from './policy-json.ts';

const refused = (text: string, message: RegExp) =>
  assert.throws(
    () => parsePolicyJson(text),
    (error: unknown) => error instanceof PolicyError && message.test(error.message),
  );

for (const [text, message] of [
  ['{"a":1,"a":1}', /^The policy has "a" twice in one object, on line 1\.$/],
  ['{"a":[{"b":{},\n"c":"}",\n\n"b":[]}]}', /"b" twice in one object, on line 4\.$/],
  ['{"a":1,"\\u0061":2}', /"a" twice/],
  ['{"\\"":1,"\\"":2}', /twice/],
  ['{"__proto__":1,"__proto__":2}', /"__proto__" twice/],
  ['{"":1,"":2}', /"" twice/],
  ['{"a":{"x":1},"b":[1,"x",{"y":2}],"a":3}', /"a" twice/],
] as const) {
  test(`${JSON.stringify(text)} has a name twice`, () => refused(text, message));
}

for (const text of [
  '{}',
  '{"a":"a","b":["a","a"],"c":{"a":"a"},"d":{"a":[{"a":1},{"a":1}]}}',
  '{"a":"\\"a\\":1,","b":"{[\\\\"}',
  ' {\t"a"\r\n: "b,\\"a\\"" } ',
  '{"a":1,"A":1}',
]) {
  test(`${JSON.stringify(text)} has no name twice`, () => {
    assert.deepEqual(parsePolicyJson(text), JSON.parse(text));
  });
}

test('sixteen levels may be nested, and not one more', () => {
  const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
  parsePolicyJson(nested(16));
  refused(nested(17), /nested more than 16 levels deep/);
  refused(nested(5_000_000), /nested more than 16 levels deep|not valid JSON/);
  refused('['.repeat(5_000_000), /not valid JSON/);
  refused('{"a":'.repeat(1_000_000), /not valid JSON/);
});

test('what JSON.stringify wrote has no name twice; with a member again at the end it has', () => {
  const value = fc.dictionary(
    fc.string({ unit: fc.constantFrom('a', 'b', '"', '\\', ',', '{', '\u2028') }),
    fc.jsonValue({ maxDepth: 3 }),
    { minKeys: 1 },
  );
  fc.assert(
    fc.property(value, fc.nat(), (object, pick) => {
      const text = JSON.stringify(object);
      assert.deepEqual(parsePolicyJson(text), JSON.parse(text));
      const names = Object.keys(object);
      const again = JSON.stringify(names[pick % names.length]);
      refused(`${text.slice(0, -1)},${again}:0}`, /twice in one object, on line 1/);
    }),
    { numRuns: 1000 },
  );
});
