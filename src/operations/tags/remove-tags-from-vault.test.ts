import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, photos, region } from '../../../tests/support/domain.ts';
import { removeTagsFromVault } from './remove-tags-from-vault.ts';

const call = { region, signal: goingOn };

test('RemoveTagsFromVault removes the tags of the keys and answers nothing', async () => {
  await using domain = await openDomain();
  await domain.tags.add(
    photos,
    new Map([
      ['team', 'ice'],
      ['year', '2026'],
    ]),
  );
  const input = { accountId, vaultName: 'photos', tagKeys: ['team', 'never'] };
  assert.deepEqual(await removeTagsFromVault(input, domain, call), {});
  assert.deepEqual(await domain.tags.list(photos), new Map([['year', '2026']]));
});
