import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, photos, region } from '../../tests/support/domain.ts';
import { vaultOf } from './handler.ts';

test('a vault is named by the account and name of the path and by the region that was signed', () => {
  const input = { accountId, vaultName: 'photos', jobId: 'job' };
  assert.deepEqual(vaultOf(input, { region, signal: goingOn }), photos);
});
