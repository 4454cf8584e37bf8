import assert from 'node:assert/strict';
import test from 'node:test';
import { sourceFiles } from './source-files.ts';

for (const { path, text } of sourceFiles('changelog/unreleased', '*.md')) {
  test(`changelog/unreleased/${path} has the form of the template`, () => {
    const [first = '', second, third = ''] = text.split('\n');
    assert.match(first, /^(?:Security|Bugfix|Change|Enhancement): \S.{9,}[^.]$/);
    assert.equal(second, '');
    assert.notEqual(third, '');
  });
}
