import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, photos, region } from '../../../tests/support/domain.ts';
import { getVaultAccessPolicy } from './get-vault-access-policy.ts';

const call = { region, signal: goingOn };
const input = { accountId, vaultName: 'photos' };
const policy = JSON.stringify({
  Statement: { Effect: 'Deny', Principal: '*', Action: 'glacier:DeleteArchive', Resource: '*' },
});

test('GetVaultAccessPolicy answers the policy as it was given, or that there is none', async () => {
  await using domain = await openDomain();
  await assert.rejects(getVaultAccessPolicy(input, domain, call), {
    code: 'ResourceNotFoundException',
    message: 'No vault access policy is set for: photos',
  });
  await domain.accessPolicies.set(photos, policy);
  assert.deepEqual(await getVaultAccessPolicy(input, domain, call), { policy });
});
