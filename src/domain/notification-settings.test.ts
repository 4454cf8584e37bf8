import assert from 'node:assert/strict';
import test from 'node:test';
import { openDomain, photos, videos } from '../../tests/support/domain.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { GlacierError } from '../protocol/errors.ts';
import { StoreError } from '../storage/errors.ts';
import { NotificationSettings } from './notification-settings.ts';

const invalid = (message: string) => new GlacierError('InvalidParameterValueException', message);
const notFound = (message: string) => new GlacierError('ResourceNotFoundException', message);
const vaultNotFound = notFound(
  'Vault not found for ARN: arn:aws:glacier:us-east-1:012345678901:vaults/videos',
);
const notSet = notFound('No notification configuration is set for vault: photos');

const snsTopic = 'arn:aws:sns:us-east-1:012345678901:done';
const both = ['InventoryRetrievalCompleted', 'ArchiveRetrievalCompleted'];

test('what was set last is what holds', async () => {
  await using domain = await openDomain();
  const { notificationSettings } = domain;
  await notificationSettings.set(photos, { snsTopic, events: both });
  assert.deepEqual(await notificationSettings.get(photos), { snsTopic, events: both });
  const other = { snsTopic: `${snsTopic}-2`, events: ['ArchiveRetrievalCompleted'] };
  await notificationSettings.set(photos, other);
  assert.deepEqual(await notificationSettings.get(photos), other);
});

test('events are kept in their order, each once', async () => {
  await using domain = await openDomain();
  const { notificationSettings } = domain;
  await notificationSettings.set(photos, { snsTopic, events: [...both, ...both] });
  assert.deepEqual((await notificationSettings.get(photos)).events, both);
  await notificationSettings.set(photos, { snsTopic, events: both.toReversed() });
  assert.deepEqual((await notificationSettings.get(photos)).events, both.toReversed());
});

test('nothing is set until it is, and not any more once it is removed', async () => {
  await using domain = await openDomain();
  const { notificationSettings } = domain;
  await assert.rejects(notificationSettings.get(photos), notSet);
  await notificationSettings.remove(photos);
  await notificationSettings.set(photos, { snsTopic, events: both });
  await notificationSettings.remove(photos);
  await assert.rejects(notificationSettings.get(photos), notSet);
});

test('a configuration goes with its vault', async () => {
  await using domain = await openDomain();
  await domain.notificationSettings.set(photos, { snsTopic, events: both });
  await domain.vaults.remove(photos);
  await domain.vaults.create(photos);
  await assert.rejects(domain.notificationSettings.get(photos), notSet);
});

test('a vault that is not there has no configuration, once what is asked for is right', async () => {
  await using domain = await openDomain();
  const { notificationSettings } = domain;
  await assert.rejects(notificationSettings.get(videos), vaultNotFound);
  await assert.rejects(notificationSettings.remove(videos), vaultNotFound);
  await assert.rejects(notificationSettings.set(videos, { snsTopic, events: both }), vaultNotFound);
  const bad = { snsTopic: 'mine', events: both };
  await assert.rejects(
    notificationSettings.set(videos, bad),
    invalid('Invalid SNS topic ARN: mine'),
  );
});

test('the topic is one of the region, and need not exist', async () => {
  await using domain = await openDomain();
  const set = (topic: string) =>
    domain.notificationSettings.set(photos, { snsTopic: topic, events: both });
  const far = 'arn:aws:sns:eu-west-1:012345678901:done';
  await assert.rejects(set(far), invalid(`SNS topics must be in the local AWS region: ${far}`));
  const queue = 'arn:aws:sqs:us-east-1:012345678901:done';
  await assert.rejects(set(queue), invalid(`Invalid SNS topic ARN: ${queue}`));
  await set('arn:aws:sns:us-east-1:999999999999:of-somebody-else');
});

test('an event that no job has is refused, also beside others', async () => {
  await using domain = await openDomain();
  for (const event of ['ArchiveUploaded', 'archiveretrievalcompleted', '']) {
    await assert.rejects(
      domain.notificationSettings.set(photos, { snsTopic, events: [...both, event] }),
      invalid(`Invalid vault notification event: ${event}`),
    );
  }
  await assert.rejects(domain.notificationSettings.get(photos), notSet);
});

test('a store that is full takes no configuration, and lets one go', async () => {
  await using domain = await openDomain();
  await domain.notificationSettings.set(photos, { snsTopic, events: both });
  const blobs = faulty(domain.blobs);
  const settings = new NotificationSettings({ ...domain, blobs: blobs.it });
  blobs.failNext('checkRoom', new StoreError('StoreFull', 'full'));
  await assert.rejects(settings.set(photos, { snsTopic, events: both }), /There is no room/);
  blobs.failNext('checkRoom', new StoreError('StoreFull', 'full'));
  await settings.remove(photos);
  await assert.rejects(settings.get(photos), notSet);
});
