import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, photos, region } from '../../../tests/support/domain.ts';
import { initiateVaultLock } from './initiate-vault-lock.ts';

const call = { region, signal: goingOn };
const input = { accountId, vaultName: 'photos' };
const policy = JSON.stringify({
  Statement: { Effect: 'Deny', Principal: '*', Action: 'glacier:DeleteArchive', Resource: '*' },
});

test('InitiateVaultLock begins a lock and answers the id that completes it', async () => {
  await using domain = await openDomain();
  const { lockId } = await initiateVaultLock({ ...input, policy }, domain, call);
  assert.equal((await domain.vaultLocks.describe(photos)).state, 'InProgress');
  await domain.vaultLocks.complete(photos, lockId);
});
