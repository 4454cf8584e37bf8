import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  hourMs,
  inventory,
  openDomain,
  photos,
  retrieve,
  runUntilIdle,
  storeText,
} from '../../tests/support/domain.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { listIds, writeBytes } from '../storage/blob-specimen.ts';
import { StoreError } from '../storage/errors.ts';
import { SweepOrphans } from './sweep-orphans.ts';
import { TakeInventories } from './take-inventories.ts';

/** Bytes that nobody has a row for. */
async function orphan({ blobs }: Domain, text = 'lost') {
  return (await writeBytes(blobs, Buffer.from(text))).id;
}

test('a blob without a row goes when it is found a second time, an hour later', async () => {
  await using domain = await openDomain();
  const blobId = await orphan(domain);
  domain.clock.advance(1000 * hourMs);
  const worker = new SweepOrphans(domain);
  await runUntilIdle(worker);
  domain.clock.advance(hourMs - 1);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), [blobId]);
  domain.clock.advance(1);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.deepEqual(domain.log.events, [
    { level: 'warn', event: 'blob.orphan-removed', facts: { blobId } },
  ]);
});

test('a restart begins to count anew', async () => {
  await using domain = await openDomain();
  await orphan(domain);
  await runUntilIdle(new SweepOrphans(domain));
  domain.clock.advance(1000 * hourMs);
  await runUntilIdle(new SweepOrphans(domain));
  assert.equal((await listIds(domain.blobs)).length, 1);
});

test('what a row names is never removed: archives, removed ones too, and outputs', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'in its vault');
  const removed = await storeText(domain, 'handed out by a job');
  await domain.jobs.succeed(await retrieve(domain, removed));
  await domain.archives.remove(photos, removed);
  await inventory(domain);
  await runUntilIdle(new TakeInventories({ ...domain, arrivals: domain.arrivals.inventories }));
  const before = await listIds(domain.blobs);
  assert.equal(before.length, 3);
  const worker = new SweepOrphans(domain);
  for (let round = 0; round < 4; round += 1) {
    await runUntilIdle(worker);
    domain.clock.advance(hourMs);
  }
  assert.deepEqual(await listIds(domain.blobs), before);
  assert.deepEqual(domain.log.names('warn'), []);
});

test('a blob that got its row after it was suspected is suspected no more', async () => {
  await using domain = await openDomain();
  const blobId = await orphan(domain, 'late');
  const worker = new SweepOrphans(domain);
  await runUntilIdle(worker);
  const archiveId = await storeText(domain, 'hello');
  const { store } = domain;
  const row = await store.read(({ archives }) => archives.get(archiveId));
  assert.ok(row !== undefined);
  await store.write(({ archives }) =>
    archives.insert({ ...row, archiveId: 'b'.repeat(138), sizeBytes: 4 }, [
      { blobId, sizeBytes: 4 },
    ]),
  );
  domain.clock.advance(hourMs);
  await runUntilIdle(worker);
  assert.equal((await listIds(domain.blobs)).length, 2);
});

test('a blob that is being read is not removed, and counts from then on', async () => {
  await using domain = await openDomain();
  const blobId = await orphan(domain);
  const worker = new SweepOrphans(domain);
  await runUntilIdle(worker);
  domain.clock.advance(hourMs);
  {
    using _pin = domain.pins.hold([blobId]);
    await runUntilIdle(worker);
  }
  domain.clock.advance(hourMs);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), [blobId]);
  domain.clock.advance(hourMs);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('a round goes on a thousand blobs at a time', async () => {
  await using domain = await openDomain();
  for (let index = 0; index < 1001; index += 1) await orphan(domain, `${index}`);
  const worker = new SweepOrphans(domain);
  for (const outcome of ['busy', 'idle', 'busy', 'idle']) {
    assert.equal(await worker.step(goingOn), outcome);
    if (outcome === 'idle') domain.clock.advance(hourMs);
  }
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('a blob that cannot be removed is tried again in a later round', async () => {
  await using domain = await openDomain();
  await orphan(domain);
  const blobs = faulty(domain.blobs);
  const worker = new SweepOrphans({ ...domain, blobs: blobs.it });
  await runUntilIdle(worker);
  domain.clock.advance(hourMs);
  const unavailable = new StoreError('StoreUnavailable', 'the disk does not answer');
  blobs.failNext('remove', unavailable);
  await assert.rejects(worker.step(goingOn), unavailable);
  for (let round = 0; round < 3; round += 1) {
    await runUntilIdle(worker);
    domain.clock.advance(hourMs);
  }
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('a stop ends a step between two blobs, and the worker wakes once an hour', async () => {
  await using domain = await openDomain();
  await orphan(domain);
  const worker = new SweepOrphans(domain);
  const reason = new Error('stopped');
  await assert.rejects(worker.step(AbortSignal.abort(reason)), reason);
  const wake = worker.wake(goingOn);
  domain.clock.advance(hourMs);
  await wake;
});
