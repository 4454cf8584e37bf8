import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { mutate } from '../mutation/mutation.ts';
import { mutations } from '../mutation/mutations.ts';
import { root } from './source-files.ts';

const page = 'docs/durability.md';

for (const mutation of mutations) {
  const { name, file, tests } = mutation;

  test(`the mutation ${name} applies to ${file} as it is now`, () => {
    const text = readFileSync(join(root, file), 'utf8');
    assert.notEqual(mutate(text, mutation), text);
    for (const path of tests) assert.ok(existsSync(join(root, path)), `${path} is missing`);
    assert.ok(tests.length > 0, 'somebody has to catch it');
  });
}

test('no two mutations have one name', () => {
  assert.equal(new Set(mutations.map(({ name }) => name)).size, mutations.length);
});

test(`${page} lists all mutations, and no other`, () => {
  const section = readFileSync(join(root, page), 'utf8').split('\n## Mutations\n')[1] ?? '';
  const listed = Array.from(section.matchAll(/^\| `([a-z-]+)` /gm), ([, name = '']) => name);
  const names = mutations.map(({ name }) => name);
  assert.deepEqual(listed, names, 'run `npm run mutate`, and put its table there');
});

test('a mutation whose text is gone, or stands twice, does not apply', () => {
  const mutation = {
    ...{ name: 'x', breaks: '', file: 'x.ts', tests: [] },
    edits: [{ find: 'await sync();', replace: '' }],
  };
  assert.equal(mutate('a; await sync();', mutation), 'a; ');
  assert.throws(() => mutate('a;', mutation), /stands 0 times in x\.ts/);
  assert.throws(() => mutate('await sync(); await sync();', mutation), /stands 2 times/);
});
