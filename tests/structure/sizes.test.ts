import assert from 'node:assert/strict';
import test from 'node:test';
import { sourceFiles } from './source-files.ts';

const linesMax = 500;

/** Tables and migrations that may be longer, each with its reason. */
const longFiles: Readonly<Record<string, string>> = {};

const files = ['src', 'tests', 'docs', 'bench', 'bin'].flatMap((folder) =>
  sourceFiles(folder, '**/*.{ts,js}').map(({ path, text }) => ({
    path: `${folder}/${path}`,
    text,
  })),
);

test('no file is longer than 500 lines', () => {
  const found = files
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ path, lines }) => lines > linesMax && !(path in longFiles))
    .map(({ path, lines }) => `${path} has ${lines} lines: split it`);
  assert.deepEqual(found, []);
});

test('the list of exceptions names files that are there', () => {
  const known = new Set(files.map(({ path }) => path));
  for (const path of Object.keys(longFiles)) {
    assert.ok(known.has(path), `${path} is gone: take it off the list`);
  }
});
