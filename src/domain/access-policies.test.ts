import assert from 'node:assert/strict';
import test from 'node:test';
import { openDomain, photos, videos } from '../../tests/support/domain.ts';
import { vaultArn } from '../protocol/names.ts';

const policyFor = (action: string) =>
  `{ "Statement": [{"Effect":"Allow", "Principal":{"AWS":"210987654321"},
     "Action":"${action}", "Resource":"${vaultArn(photos)}"}]}`;

const notSet = {
  code: 'ResourceNotFoundException',
  message: 'No vault access policy is set for: photos',
};

test('a policy is kept as it was given, and replaced as a whole', async () => {
  await using domain = await openDomain();
  const { accessPolicies } = domain;
  await assert.rejects(accessPolicies.get(photos), notSet);
  for (const action of ['glacier:UploadArchive', 'glacier:List*']) {
    await accessPolicies.set(photos, policyFor(action));
    assert.equal(await accessPolicies.get(photos), policyFor(action));
  }
});

test('a policy that can apply to no request to the vault is refused, with the reason', async () => {
  await using domain = await openDomain();
  const { accessPolicies } = domain;
  const policy = policyFor('glacier:ListParts');
  await accessPolicies.set(photos, policy);
  const sentence = 'The specified vault access policy is invalid. Provide a valid policy.';
  for (const text of ['', '[]', policyFor('glacier:CreateVault'), policyFor('s3:GetObject')]) {
    await assert.rejects(accessPolicies.set(photos, text), (error: Error) => {
      assert.ok('code' in error);
      assert.equal(error.code, 'InvalidParameterValueException');
      assert.ok(error.message.startsWith(`${sentence} Reason: `), error.message);
      return true;
    });
  }
  assert.equal(await accessPolicies.get(photos), policy);
});

test('a policy of 20,480 bytes is taken, and one of a byte more is not', async () => {
  await using domain = await openDomain();
  const { accessPolicies } = domain;
  const policy = policyFor('glacier:ListParts').replace('Statement', 'Id":"é","Statement');
  const padded = policy + ' '.repeat(20_480 - Buffer.byteLength(policy));
  await accessPolicies.set(photos, padded);
  await assert.rejects(accessPolicies.set(photos, `${padded} `), /It has 20481 bytes/);
  assert.equal(await accessPolicies.get(photos), padded);
});

test('a policy is taken away any number of times, and goes with its vault', async () => {
  await using domain = await openDomain();
  const { accessPolicies, vaults } = domain;
  const policy = policyFor('glacier:*');
  await accessPolicies.set(photos, policy);
  await accessPolicies.remove(photos);
  await accessPolicies.remove(photos);
  await assert.rejects(accessPolicies.get(photos), notSet);
  await accessPolicies.set(photos, policy);
  await vaults.remove(photos);
  await vaults.create(photos);
  await assert.rejects(accessPolicies.get(photos), notSet);
});

test('a vault that is not there has no policy to set, get or take away', async () => {
  await using domain = await openDomain();
  const { accessPolicies } = domain;
  const policy = policyFor('glacier:*').replace('vaults/photos', 'vaults/videos');
  const message = `Vault not found for ARN: ${vaultArn(videos)}`;
  for (const call of [
    () => accessPolicies.set(videos, policy),
    () => accessPolicies.get(videos),
    () => accessPolicies.remove(videos),
  ]) {
    await assert.rejects(call, { code: 'ResourceNotFoundException', message });
  }
});
