import assert from 'node:assert/strict';
import test from 'node:test';
import { finerRules, layers } from './layers.ts';
import { importsOf, isForTests, type SourceFile, sourceFiles } from './source-files.ts';

const files = sourceFiles('src').filter(({ path }) => !isForTests(path));

const layerOf = (path: string) => path.split('/')[0] ?? '';

/** What `file` imports from above its layer, as sentences. */
function wrongWays(file: SourceFile): string[] {
  const layer = layerOf(file.path);
  const allowed = layers[layer];
  if (allowed === undefined) return [`src/${layer} is not in the layer table`];
  return importsOf(file)
    .filter((target) => target.endsWith('.ts'))
    .filter((target) => layerOf(target) !== layer && !allowed.includes(layerOf(target)))
    .map(
      (target) => `src/${file.path} must not import src/${target}: its layer, ${layer}, may \
import ${allowed.join(', ') || 'nothing'}`,
    );
}

test('every file imports only from the layers that its row of the table names', () => {
  assert.deepEqual(files.flatMap(wrongWays), []);
});

for (const { sentence, files: about, except, modules } of finerRules) {
  test(sentence, () => {
    const found = files
      .filter(({ path }) => about.test(path) && except?.test(path) !== true)
      .flatMap((file) =>
        importsOf(file)
          .filter((target) => modules.test(target))
          .map((target) => `src/${file.path} must not import ${target}`),
      );
    assert.deepEqual(found, []);
  });
}

test('the rows of the table name only rows of the table', () => {
  for (const targets of Object.values(layers)) {
    for (const target of targets) assert.ok(target in layers, target);
  }
});

test('a wrong import is found, wherever it is written', () => {
  const text = "import type { A } from '../domain/a.ts';\nawait import('../http/b.ts');";
  assert.equal(wrongWays({ path: 'lib/x.ts', text }).length, 2);
  assert.equal(wrongWays({ path: 'lib/x.ts', text: "// from '../http/b.ts'" }).length, 0);
});
