import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, photos, region } from '../../../tests/support/domain.ts';
import { listTagsForVault } from './list-tags-for-vault.ts';

const call = { region, signal: goingOn };
const input = { accountId, vaultName: 'photos' };

test('ListTagsForVault answers the tags of the vault, or none', async () => {
  await using domain = await openDomain();
  assert.deepEqual(await listTagsForVault(input, domain, call), { tags: new Map() });
  const tags = new Map([
    ['team', 'ice'],
    ['Year', ''],
  ]);
  await domain.tags.add(photos, tags);
  assert.deepEqual(await listTagsForVault(input, domain, call), { tags });
});
