import assert from 'node:assert/strict';
import test from 'node:test';
import { dated } from './dated.ts';

test('dates become texts, however deep they lie, and nothing else changes', () => {
  const report = {
    startedAtMs: 0,
    lastCompletedAtMs: null,
    durationMs: 5,
    list: [{ createdAtMs: 1000, name: 'AtMs' }],
  };
  assert.deepEqual(dated(report), {
    startedAt: '1970-01-01T00:00:00.000Z',
    lastCompletedAt: null,
    durationMs: 5,
    list: [{ createdAt: '1970-01-01T00:00:01.000Z', name: 'AtMs' }],
  });
  assert.equal(dated(null), null);
});
