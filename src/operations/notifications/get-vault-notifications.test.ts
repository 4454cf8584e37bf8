import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, photos, region } from '../../../tests/support/domain.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { getVaultNotifications } from './get-vault-notifications.ts';

const call = { region, signal: goingOn };
const input = { accountId, vaultName: 'photos' };

test('GetVaultNotifications answers topic and events', async () => {
  await using domain = await openDomain();
  const snsTopic = 'arn:aws:sns:us-east-1:012345678901:done';
  const events = ['InventoryRetrievalCompleted', 'ArchiveRetrievalCompleted'];
  await domain.notificationSettings.set(photos, { snsTopic, events });
  assert.deepEqual(await getVaultNotifications(input, domain, call), {
    events,
    sNSTopic: snsTopic,
  });
});

test('GetVaultNotifications says that nothing is set', async () => {
  await using domain = await openDomain();
  await assert.rejects(
    getVaultNotifications(input, domain, call),
    new GlacierError(
      'ResourceNotFoundException',
      'No notification configuration is set for vault: photos',
    ),
  );
});
