import assert from 'node:assert/strict';
import test from 'node:test';
import {
  inventory,
  openDomain,
  outputOf,
  photos,
  retrieve,
  runUntilIdle,
  storeText,
  videos,
} from '../../tests/support/domain.ts';
import { StoreError } from '../storage/errors.ts';
import { ForgetArchives } from '../workers/forget-archives.ts';
import { whileThereIsRoom } from './room.ts';

const noRoom = {
  name: 'GlacierError',
  code: 'ServiceUnavailableException',
  message: /^There is no room for new data\. What is stored can be read and deleted as always/,
};

test('a full store makes no vault and starts no job, and does both when there is room', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const deeds = [
    () => domain.vaults.create(videos),
    () => inventory(domain),
    () => retrieve(domain, archiveId),
  ];
  domain.blobs.capacityBytes = domain.blobs.usedBytes;
  for (const deed of deeds) await assert.rejects(deed(), noRoom);
  assert.equal((await domain.jobs.list(photos, {})).jobs.length, 0);
  domain.blobs.capacityBytes = Number.POSITIVE_INFINITY;
  for (const deed of deeds) await deed();
});

test('a full store describes, hands out and deletes', async () => {
  await using domain = await openDomain();
  await domain.vaults.create(videos);
  const archiveId = await storeText(domain, 'hello');
  const jobId = await retrieve(domain, archiveId);
  await domain.jobs.succeed(jobId);
  domain.blobs.capacityBytes = domain.blobs.usedBytes;
  await domain.vaults.describe(photos);
  await domain.jobs.describe(photos, jobId);
  assert.equal((await outputOf(domain, jobId)).toString(), 'hello');
  await domain.vaults.remove(videos);
  await domain.archives.remove(photos, archiveId);
  domain.clock.advance(48 * 60 * 60 * 1000);
  await runUntilIdle(new ForgetArchives(domain));
  assert.equal(domain.blobs.usedBytes, 0);
  await domain.blobs.checkRoom();
});

test('only a want of room is told as one', async () => {
  const thrown = [new StoreError('StoreUnavailable', 'a sync failed'), new Error('a defect')];
  for (const error of thrown) {
    const fail = async () => {
      throw error;
    };
    await assert.rejects(
      whileThereIsRoom({ checkRoom: fail }, async () => 1),
      error,
    );
    await assert.rejects(whileThereIsRoom({ checkRoom: async () => {} }, fail), error);
  }
  const cause = new StoreError('StoreFull', 'no room for rows');
  const full = whileThereIsRoom({ checkRoom: async () => {} }, async () => {
    throw cause;
  });
  await assert.rejects(full, { ...noRoom, cause });
  assert.equal(await whileThereIsRoom({ checkRoom: async () => {} }, async () => 1), 1);
});
