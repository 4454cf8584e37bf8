import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { referencePages } from '../../docs/pages.ts';
import { root } from './source-files.ts';

for (const [name, text] of referencePages()) {
  test(`docs/${name} says what its table says`, () => {
    const written = readFileSync(join(root, 'docs', name), 'utf8');
    assert.equal(written, text, `docs/${name} is out of step: run \`npm run docs\``);
  });
}
