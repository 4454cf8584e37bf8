import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, photos, region } from '../../../tests/support/domain.ts';
import { completeVaultLock } from './complete-vault-lock.ts';

const call = { region, signal: goingOn };
const input = { accountId, vaultName: 'photos' };
const policy = JSON.stringify({
  Statement: { Effect: 'Deny', Principal: '*', Action: 'glacier:DeleteArchive', Resource: '*' },
});

test('CompleteVaultLock locks the vault for good, by the right id', async () => {
  await using domain = await openDomain();
  const lockId = await domain.vaultLocks.initiate(photos, policy);
  await assert.rejects(completeVaultLock({ ...input, lockId: 'x' }, domain, call), {
    code: 'InvalidParameterValueException',
    message: 'Invalid lock ID: x',
  });
  assert.deepEqual(await completeVaultLock({ ...input, lockId }, domain, call), {});
  assert.equal((await domain.vaultLocks.describe(photos)).state, 'Locked');
});
