import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, photos, region } from '../../../tests/support/domain.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { addTagsToVault } from './add-tags-to-vault.ts';

const call = { region, signal: goingOn };

test('AddTagsToVault adds tags to the vault and answers nothing', async () => {
  await using domain = await openDomain();
  const tags = new Map([['team', 'ice']]);
  const input = { accountId, vaultName: 'photos', tags };
  assert.deepEqual(await addTagsToVault(input, domain, call), {});
  assert.deepEqual(await domain.tags.list(photos), tags);
});

test('AddTagsToVault does not find a vault of another region', async () => {
  await using domain = await openDomain();
  const input = { accountId, vaultName: 'photos', tags: new Map([['team', 'ice']]) };
  await assert.rejects(
    addTagsToVault(input, domain, { ...call, region: 'eu-west-1' }),
    new GlacierError(
      'ResourceNotFoundException',
      'Vault not found for ARN: arn:aws:glacier:eu-west-1:012345678901:vaults/photos',
    ),
  );
});
