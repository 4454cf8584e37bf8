import assert from 'node:assert/strict';
import test from 'node:test';
import { healthOf } from './health.ts';

test('health is told in three words', () => {
  assert.deepEqual(healthOf('ready'), { status: 'ok' });
  assert.deepEqual(healthOf('full'), { status: 'full' });
  assert.deepEqual(healthOf('failed'), { status: 'failed' });
});
