import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  hourMs,
  inventory,
  openDomain,
  outputOf,
  photos,
  retrieve,
  runUntilIdle,
  settle,
  storeText,
} from '../../tests/support/domain.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { listIds } from '../storage/blob-specimen.ts';
import { StoreError } from '../storage/errors.ts';
import { ForgetArchives } from './forget-archives.ts';
import { RefreshInventories } from './refresh-inventories.ts';
import { TakeInventories } from './take-inventories.ts';

const minuteMs = 60_000;

async function isForgotten({ store, blobs }: Domain, archiveId: string): Promise<boolean> {
  const row = await store.read(({ archives }) => archives.get(archiveId));
  assert.equal((await listIds(blobs)).length, row === undefined ? 0 : 1);
  return row === undefined;
}

/** Has the worker do all there is to do; answers whether the archive is forgotten after that. */
async function forgets(domain: Domain, archiveId: string): Promise<boolean> {
  await runUntilIdle(new ForgetArchives(domain));
  return isForgotten(domain, archiveId);
}

test('an archive that was removed is forgotten, bytes and row', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  assert.equal(await forgets(domain, archiveId), false);
  await domain.archives.remove(photos, archiveId);
  assert.equal(await forgets(domain, archiveId), true);
  assert.deepEqual(domain.log.events, [
    { level: 'info', event: 'archive.forgotten', facts: { archiveId } },
  ]);
  // For whoever gives back the room of blobs that were removed.
  await domain.freed.wait(goingOn);
});

test('bytes stay while a job that succeeded hands them out, and go once it has expired', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const jobId = await retrieve(domain, archiveId);
  await domain.jobs.succeed(jobId);
  await domain.archives.remove(photos, archiveId);
  domain.clock.advance(24 * hourMs - 1);
  assert.equal(await forgets(domain, archiveId), false);
  assert.equal((await outputOf(domain, jobId)).toString(), 'hello');
  // Whoever found the job in its last moment has a minute to hold the bytes.
  domain.clock.advance(minuteMs);
  assert.equal(await forgets(domain, archiveId), false);
  domain.clock.advance(1);
  assert.equal(await forgets(domain, archiveId), true);
});

test('bytes stay while a retrieval of them is in progress, and go when it failed', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const jobId = await retrieve(domain, archiveId);
  await domain.archives.remove(photos, archiveId);
  domain.clock.advance(1000 * hourMs);
  assert.equal(await forgets(domain, archiveId), false);
  await domain.jobs.fail(jobId);
  assert.equal(await forgets(domain, archiveId), true);
});

test('of several jobs the last one to expire decides', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const jobIds = [await retrieve(domain, archiveId), await retrieve(domain, archiveId)];
  await domain.archives.remove(photos, archiveId);
  for (const jobId of jobIds) {
    await domain.jobs.succeed(jobId);
    domain.clock.advance(12 * hourMs);
  }
  domain.clock.advance(hourMs);
  assert.equal(await forgets(domain, archiveId), false);
  domain.clock.advance(12 * hourMs);
  assert.equal(await forgets(domain, archiveId), true);
});

test('bytes that somebody is reading stay until the end of it', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const jobId = await retrieve(domain, archiveId);
  await domain.jobs.succeed(jobId);
  await domain.archives.remove(photos, archiveId);
  const { read } = await domain.jobs.output(photos, jobId, undefined);
  for await (const chunk of read(goingOn)) {
    assert.equal(Buffer.from(chunk).toString(), 'hello');
    domain.clock.advance(48 * hourMs);
    assert.equal(await forgets(domain, archiveId), false);
  }
  assert.equal(await forgets(domain, archiveId), true);
});

test('an archive that an inventory in progress shows is not forgotten before it is taken', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const jobId = await inventory(domain);
  await domain.archives.remove(photos, archiveId);
  assert.equal(await forgets(domain, archiveId), false);
  await runUntilIdle(new TakeInventories({ ...domain, arrivals: domain.arrivals.inventories }));
  assert.match((await outputOf(domain, jobId)).toString(), new RegExp(archiveId));
  await runUntilIdle(new ForgetArchives(domain));
  assert.equal(await domain.store.read(({ archives }) => archives.get(archiveId)), undefined);
});

test('an inventory in progress holds nothing that it does not show', async () => {
  await using domain = await openDomain();
  const before = await storeText(domain, 'before');
  await domain.archives.remove(photos, before);
  await inventory(domain);
  assert.equal(await forgets(domain, before), true);
  const after = await storeText(domain, 'after');
  await domain.archives.remove(photos, after);
  assert.equal(await forgets(domain, after), true);
});

test('an archive that the last inventory shows stays until another is taken', async () => {
  await using domain = await openDomain({ inventoryMode: 'scheduled' });
  const archiveId = await storeText(domain, 'hello');
  const refresh = new RefreshInventories({ ...domain, intervalMs: 0 });
  await runUntilIdle(refresh);
  await domain.archives.remove(photos, archiveId);
  domain.clock.advance(1000 * hourMs);
  assert.equal(await forgets(domain, archiveId), false);
  await runUntilIdle(refresh);
  assert.equal(await forgets(domain, archiveId), true);
});

test('the archives of a vault that is gone are forgotten, whatever jobs it had', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await domain.jobs.succeed(await retrieve(domain, archiveId));
  await inventory(domain);
  await domain.archives.remove(photos, archiveId);
  await domain.vaults.remove(photos);
  assert.equal(await forgets(domain, archiveId), true);
});

test('a crash between the bytes and the row is made good by doing it again', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await domain.archives.remove(photos, archiveId);
  const store = faulty(domain.store);
  const crash = new StoreError('StoreUnavailable', 'the power is gone');
  store.failNext('write', crash);
  await assert.rejects(new ForgetArchives({ ...domain, store: store.it }).step(goingOn), crash);
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.ok(await domain.store.read(({ archives }) => archives.get(archiveId)));
  assert.equal(await forgets(domain, archiveId), true);
});

test('many archives go a hundred at a time', async () => {
  await using domain = await openDomain();
  const stored = Array.from({ length: 150 }, (_, index) => storeText(domain, `${index}`));
  const ids = await Promise.all(stored);
  await Promise.all(ids.map((archiveId) => domain.archives.remove(photos, archiveId)));
  const worker = new ForgetArchives(domain);
  assert.equal(await worker.step(goingOn), 'busy');
  assert.equal((await listIds(domain.blobs)).length, 50);
  assert.equal(await worker.step(goingOn), 'idle');
  assert.equal(domain.blobs.usedBytes, 0);
});

test('a page of archives that are all being read is not looked at over and over', async () => {
  await using domain = await openDomain();
  const stored = Array.from({ length: 100 }, (_, index) => storeText(domain, `${index}`));
  const ids = await Promise.all(stored);
  await Promise.all(ids.map((archiveId) => domain.archives.remove(photos, archiveId)));
  using _pin = domain.pins.hold(await listIds(domain.blobs));
  assert.equal(await new ForgetArchives(domain).step(goingOn), 'idle');
});

test('a stop ends a step between two archives', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await domain.archives.remove(photos, archiveId);
  const reason = new Error('stopped');
  await assert.rejects(new ForgetArchives(domain).step(AbortSignal.abort(reason)), reason);
  assert.equal(await isForgotten(domain, archiveId), false);
});

test('the worker wakes when an archive was removed, and once a minute', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const worker = new ForgetArchives(domain);
  const untilRemoval = worker.wake(goingOn);
  await domain.archives.remove(photos, archiveId);
  await untilRemoval;
  const untilMinute = worker.wake(goingOn);
  await settle(domain);
  domain.clock.advance(minuteMs);
  await untilMinute;
});
