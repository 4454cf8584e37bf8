import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, photos, region } from '../../../tests/support/domain.ts';
import { getVaultLock } from './get-vault-lock.ts';

const call = { region, signal: goingOn };
const input = { accountId, vaultName: 'photos' };
const policy = JSON.stringify({
  Statement: { Effect: 'Deny', Principal: '*', Action: 'glacier:DeleteArchive', Resource: '*' },
});

test('GetVaultLock answers the policy, the state and the dates, or that there is none', async () => {
  await using domain = await openDomain();
  await assert.rejects(getVaultLock(input, domain, call), {
    code: 'ResourceNotFoundException',
    message: 'No vault lock policy is set for: photos',
  });
  await domain.vaultLocks.initiate(photos, policy);
  assert.deepEqual(await getVaultLock(input, domain, call), {
    policy,
    state: 'InProgress',
    creationDate: '2026-01-31T14:26:33.031Z',
    expirationDate: '2026-02-01T14:26:33.031Z',
  });
});
