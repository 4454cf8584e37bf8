import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, photos, region } from '../../../tests/support/domain.ts';
import { setVaultAccessPolicy } from './set-vault-access-policy.ts';

const call = { region, signal: goingOn };
const input = { accountId, vaultName: 'photos' };
const policy = JSON.stringify({
  Statement: { Effect: 'Deny', Principal: '*', Action: 'glacier:DeleteArchive', Resource: '*' },
});

test('SetVaultAccessPolicy puts the policy on the vault', async () => {
  await using domain = await openDomain();
  assert.deepEqual(await setVaultAccessPolicy({ ...input, policy }, domain, call), {});
  assert.equal(await domain.accessPolicies.get(photos), policy);
});

test('SetVaultAccessPolicy refuses what is no policy', async () => {
  await using domain = await openDomain();
  await assert.rejects(setVaultAccessPolicy({ ...input, policy: '{' }, domain, call), {
    code: 'InvalidParameterValueException',
    message: /^The specified vault access policy is invalid. Provide a valid policy. Reason: /,
  });
});
