import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, photos, region } from '../../../tests/support/domain.ts';
import { abortVaultLock } from './abort-vault-lock.ts';

const call = { region, signal: goingOn };
const input = { accountId, vaultName: 'photos' };
const policy = JSON.stringify({
  Statement: { Effect: 'Deny', Principal: '*', Action: 'glacier:DeleteArchive', Resource: '*' },
});

test('AbortVaultLock takes away a lock that is in progress, and none that is locked', async () => {
  await using domain = await openDomain();
  await domain.vaultLocks.initiate(photos, policy);
  assert.deepEqual(await abortVaultLock(input, domain, call), {});
  assert.deepEqual(await abortVaultLock(input, domain, call), {});
  await domain.vaultLocks.complete(photos, await domain.vaultLocks.initiate(photos, policy));
  await assert.rejects(abortVaultLock(input, domain, call), {
    code: 'AccessDeniedException',
    message: 'The vault lock policy is locked for: photos',
  });
});
