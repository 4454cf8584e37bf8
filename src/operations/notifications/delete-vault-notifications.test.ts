import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, photos, region } from '../../../tests/support/domain.ts';
import { deleteVaultNotifications } from './delete-vault-notifications.ts';

const call = { region, signal: goingOn };
const input = { accountId, vaultName: 'photos' };

test('DeleteVaultNotifications takes the configuration away, and does no more twice', async () => {
  await using domain = await openDomain();
  await domain.notificationSettings.set(photos, {
    snsTopic: 'arn:aws:sns:us-east-1:012345678901:done',
    events: ['ArchiveRetrievalCompleted'],
  });
  assert.deepEqual(await deleteVaultNotifications(input, domain, call), {});
  await assert.rejects(domain.notificationSettings.get(photos), /No notification configuration/);
  assert.deepEqual(await deleteVaultNotifications(input, domain, call), {});
});
