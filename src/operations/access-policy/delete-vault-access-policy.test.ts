import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, photos, region } from '../../../tests/support/domain.ts';
import { deleteVaultAccessPolicy } from './delete-vault-access-policy.ts';

const call = { region, signal: goingOn };
const input = { accountId, vaultName: 'photos' };
const policy = JSON.stringify({
  Statement: { Effect: 'Deny', Principal: '*', Action: 'glacier:DeleteArchive', Resource: '*' },
});

test('DeleteVaultAccessPolicy takes the policy away, also when there is none', async () => {
  await using domain = await openDomain();
  await domain.accessPolicies.set(photos, policy);
  assert.deepEqual(await deleteVaultAccessPolicy(input, domain, call), {});
  assert.deepEqual(await deleteVaultAccessPolicy(input, domain, call), {});
  await assert.rejects(domain.accessPolicies.get(photos), { code: 'ResourceNotFoundException' });
});
