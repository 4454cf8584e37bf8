import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, photos, region } from '../../../tests/support/domain.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { setVaultNotifications } from './set-vault-notifications.ts';

const call = { region, signal: goingOn };
const snsTopic = 'arn:aws:sns:us-east-1:012345678901:done';
const vault = { accountId, vaultName: 'photos' };

test('SetVaultNotifications sets topic and events, and answers nothing', async () => {
  await using domain = await openDomain();
  const events = ['InventoryRetrievalCompleted'];
  const input = { ...vault, sNSTopic: snsTopic, events };
  assert.deepEqual(await setVaultNotifications(input, domain, call), {});
  assert.deepEqual(await domain.notificationSettings.get(photos), { snsTopic, events });
});

test('SetVaultNotifications refuses a topic that is not in the region of the call', async () => {
  await using domain = await openDomain();
  const eu = { accountId, region: 'eu-west-1', vaultName: 'photos' };
  await domain.vaults.create(eu);
  const input = { ...vault, sNSTopic: snsTopic, events: ['ArchiveRetrievalCompleted'] };
  await assert.rejects(
    setVaultNotifications(input, domain, { ...call, region: eu.region }),
    new GlacierError(
      'InvalidParameterValueException',
      `SNS topics must be in the local AWS region: ${snsTopic}`,
    ),
  );
});
