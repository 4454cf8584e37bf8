import assert from 'node:assert/strict';
import test from 'node:test';
import { nearest } from './nearest.ts';

test('a slip of the fingers finds the word that was meant', () => {
  const known = ['FIRN_LISTEN', 'FIRN_DATA_DIR', 'FIRN_TIMING'];
  assert.equal(nearest('FIRN_LISTN', known), 'FIRN_LISTEN');
  assert.equal(nearest('FIRN_DATADIR', known), 'FIRN_DATA_DIR');
  assert.equal(nearest('zzz', known), undefined);
});
