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
  runUntilIdle,
  settle,
  storeText,
} from '../../tests/support/domain.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { parseBlobLabel } from '../domain/blob-labels.ts';
import { Jobs } from '../domain/jobs.ts';
import { listIds } from '../storage/blob-specimen.ts';
import { StoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import { TakeInventories, type TakeInventoriesOptions } from './take-inventories.ts';

const full = new StoreError('StoreFull', 'there is no room');
const unavailable = new StoreError('StoreUnavailable', 'the log could not be synced');

function workerOf(domain: Domain, other: Partial<TakeInventoriesOptions> = {}): TakeInventories {
  return new TakeInventories({ ...domain, arrivals: domain.arrivals.inventories, ...other });
}

const statusOf = async (domain: Domain, jobId: string) =>
  (await domain.jobs.describe(photos, jobId)).statusCode;

async function idsIn(domain: Domain, jobId: string): Promise<string[]> {
  const { ArchiveList } = JSON.parse((await outputOf(domain, jobId)).toString());
  return ArchiveList.map((entry: { ArchiveId: string }) => entry.ArchiveId);
}

test('an inventory shows the vault as it was when it was asked for, in the format asked for', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const [json, csv] = [await inventory(domain), await inventory(domain, { format: 'CSV' })];
  domain.clock.advance(1000);
  await domain.archives.remove(photos, archiveId);
  await storeText(domain, 'later');
  await runUntilIdle(workerOf(domain));
  assert.deepEqual(await idsIn(domain, json), [archiveId]);
  const { InventoryDate } = JSON.parse((await outputOf(domain, json)).toString());
  assert.equal(InventoryDate, '2026-01-31T14:26:33Z');
  const lines = (await outputOf(domain, csv)).toString().split('\r\n');
  assert.equal(lines.length, 3);
  assert.match(lines[1] ?? '', new RegExp(`^${archiveId},"",2026-01-31T14:26:33Z,5,`));
  assert.deepEqual(domain.log.names('info'), ['job.succeeded', 'job.succeeded']);
});

test('the label of an inventory’s output names the job that it is of', async () => {
  await using domain = await openDomain();
  const jobId = await inventory(domain);
  await runUntilIdle(workerOf(domain));
  const [blobId] = await listIds(domain.blobs);
  assert.ok(blobId !== undefined);
  const job = await domain.store.read(({ jobs }) => jobs.get(jobId));
  const label = parseBlobLabel((await domain.blobs.describe(blobId)).label);
  assert.deepEqual(label, { kind: 'inventory', jobId, vaultId: job?.vaultId });
  assert.equal(domain.pins.isHeld(blobId), false);
});

test('an inventory job waits for its delay', async () => {
  const delaysMs = { Expedited: 0, Standard: 0, Bulk: 0, inventory: 3 * hourMs };
  await using domain = await openDomain({ delaysMs });
  const jobId = await inventory(domain);
  const worker = workerOf(domain);
  domain.clock.advance(3 * hourMs - 1);
  assert.equal(await worker.step(goingOn), 'idle');
  domain.clock.advance(1);
  await runUntilIdle(worker);
  assert.equal(await statusOf(domain, jobId), 'Succeeded');
});

test('jobs of a limited length, each with the marker of the one before, show every archive once', async () => {
  await using domain = await openDomain();
  const stored: string[] = [];
  for (let index = 0; index < 7; index += 1) {
    stored.push(await storeText(domain, `${index}`));
    domain.clock.advance(1);
  }
  const worker = workerOf(domain);
  const seen: string[] = [];
  let marker: string | undefined;
  do {
    const inventoryRetrievalParameters = { limit: '3', marker };
    const jobId = await inventory(domain, { inventoryRetrievalParameters });
    await runUntilIdle(worker);
    seen.push(...(await idsIn(domain, jobId)));
    const { inventoryRetrievalParameters: shown } = await domain.jobs.describe(photos, jobId);
    marker = shown?.marker ?? undefined;
  } while (marker !== undefined);
  assert.deepEqual(seen, stored);
});

test('dates bound what a job shows', async () => {
  await using domain = await openDomain();
  const stored: string[] = [];
  for (let index = 0; index < 4; index += 1) {
    stored.push(await storeText(domain, `${index}`));
    domain.clock.advance(1000);
  }
  const inventoryRetrievalParameters = {
    startDate: '2026-01-31T14:26:34Z',
    endDate: '2026-01-31T15:26:36+01:00',
  };
  const jobId = await inventory(domain, { inventoryRetrievalParameters });
  await runUntilIdle(workerOf(domain));
  assert.deepEqual(await idsIn(domain, jobId), stored.slice(1, 3));
});

for (const [what, method] of [
  ['blobs cannot be written', 'write'],
  ['rows cannot be read', 'read'],
] as const) {
  test(`a job that cannot be done because ${what} is done later, and not slept over`, async () => {
    await using domain = await openDomain();
    const jobId = await inventory(domain);
    const blobs = faulty(domain.blobs);
    const store = faulty(domain.store);
    const worker = workerOf(domain, { blobs: blobs.it, store: store.it });
    if (method === 'write') blobs.failNext('write', full);
    else store.failNext('read', unavailable);
    await assert.rejects(worker.step(goingOn));
    assert.equal(await statusOf(domain, jobId), 'InProgress');
    assert.equal(await worker.step(goingOn), 'busy');
    assert.equal(await statusOf(domain, jobId), 'Succeeded');
  });
}

test('a job that cannot be done does not hold up others', async () => {
  await using domain = await openDomain();
  const [first, second] = [await inventory(domain), await inventory(domain)];
  const blobs = faulty(domain.blobs);
  const worker = workerOf(domain, { blobs: blobs.it });
  blobs.failNext('write', full);
  await assert.rejects(worker.step(goingOn), full);
  await worker.step(goingOn);
  const ended = [await statusOf(domain, first), await statusOf(domain, second)].sort();
  assert.deepEqual(ended, ['InProgress', 'Succeeded']);
  await runUntilIdle(worker);
  assert.equal(await statusOf(domain, first), 'Succeeded');
  assert.equal(await statusOf(domain, second), 'Succeeded');
});

test('while eight jobs cannot be done no more are taken, and all are done in the end', async () => {
  await using domain = await openDomain();
  const jobIds: string[] = [];
  for (let index = 0; index < 10; index += 1) jobIds.push(await inventory(domain));
  const blobs = faulty(domain.blobs);
  const worker = workerOf(domain, { blobs: blobs.it });
  blobs.failNext('write', full, 12);
  for (let count = 0; count < 12; count += 1) await assert.rejects(worker.step(goingOn), full);
  const nowMs = domain.clock.now();
  const claim = { action: 'InventoryRetrieval', nowMs, untilMs: nowMs, limit: 100 } as const;
  assert.equal((await domain.store.write(({ jobs }) => jobs.lease(claim))).length, 2);
  domain.clock.advance(hourMs);
  await runUntilIdle(worker);
  for (const jobId of jobIds) assert.equal(await statusOf(domain, jobId), 'Succeeded');
  assert.equal(domain.log.names('info').length, 10);
});

test('an output whose row found no room is removed, and rendered again later', async () => {
  await using domain = await openDomain();
  const jobId = await inventory(domain);
  const store = faulty(domain.store);
  const worker = workerOf(domain, { jobs: new Jobs({ ...domain, store: store.it }) });
  store.failNext('write', full);
  await assert.rejects(worker.step(goingOn), full);
  assert.deepEqual(await listIds(domain.blobs), []);
  await runUntilIdle(worker);
  assert.equal(await statusOf(domain, jobId), 'Succeeded');
  assert.equal((await listIds(domain.blobs)).length, 1);
});

test('an output whose row may be there, although its commit failed, is not removed', async () => {
  await using domain = await openDomain();
  await inventory(domain);
  const store = faulty(domain.store);
  const worker = workerOf(domain, { jobs: new Jobs({ ...domain, store: store.it }) });
  store.failNext('write', unavailable);
  await assert.rejects(worker.step(goingOn), unavailable);
  assert.equal((await listIds(domain.blobs)).length, 1);
});

/** The store, which does `deed` before each time that it is read. */
function beforeReads(store: MetadataStore, deed: () => Promise<void>): MetadataStore {
  return {
    read: async (work) => {
      await deed();
      return store.read(work);
    },
    preview: (work) => store.preview(work),
    write: (work) => store.write(work),
    checkWritable: () => store.checkWritable(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

test('an inventory that goes away with its vault leaves nothing behind, and nothing is said', async () => {
  await using domain = await openDomain();
  await inventory(domain);
  let reads = 0;
  const store = beforeReads(domain.store, async () => {
    reads += 1;
    if (reads === 2) await domain.vaults.remove(photos);
  });
  assert.equal(await workerOf(domain, { store }).step(goingOn), 'busy');
  await inventoryOfNewVault(domain);
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.deepEqual(domain.log.events, []);
});

test('a job whose vault is gone before it begins is dropped', async () => {
  await using domain = await openDomain();
  await inventory(domain);
  const store = beforeReads(domain.store, () => domain.vaults.remove(photos));
  const worker = workerOf(domain, { store });
  assert.equal(await worker.step(goingOn), 'busy');
  assert.equal(await worker.step(goingOn), 'idle');
  assert.deepEqual(await listIds(domain.blobs), []);
});

/** Makes sure that a vault of the same name is not taken for the one that is gone. */
async function inventoryOfNewVault(domain: Domain): Promise<void> {
  await domain.vaults.create(photos);
  assert.deepEqual((await domain.jobs.list(photos, {})).jobs, []);
}

test('a job stays ours however long its rendering takes', async () => {
  await using domain = await openDomain();
  const texts = Array.from({ length: 2500 }, (_, index) => `${index}`);
  await Promise.all(texts.map((text) => storeText(domain, text)));
  const jobId = await inventory(domain);
  let taken = 0;
  const store = beforeReads(domain.store, async () => {
    domain.clock.advance(2 * 60_000);
    const nowMs = domain.clock.now();
    const claim = { action: 'InventoryRetrieval', nowMs, untilMs: nowMs, limit: 1 } as const;
    taken += (await domain.store.write(({ jobs }) => jobs.lease(claim))).length;
  });
  await workerOf(domain, { store }).step(goingOn);
  assert.equal(taken, 0);
  assert.equal((await idsIn(domain, jobId)).length, 2500);
});

test('a job that a stop interrupts is in progress, and done by the next server', async () => {
  await using domain = await openDomain();
  const jobId = await inventory(domain);
  const reason = new Error('stopped');
  const stopping = new AbortController();
  const store = beforeReads(domain.store, async () => stopping.abort(reason));
  await assert.rejects(workerOf(domain, { store }).step(stopping.signal), reason);
  assert.equal(await statusOf(domain, jobId), 'InProgress');
  assert.deepEqual(await listIds(domain.blobs), []);

  const next = workerOf(domain);
  assert.equal(await next.step(goingOn), 'idle');
  await domain.store.write(({ jobs }) => jobs.releaseLeases());
  await runUntilIdle(next);
  assert.equal(await statusOf(domain, jobId), 'Succeeded');
});

test('the worker wakes when a job comes and when one is due', async () => {
  const delaysMs = { Expedited: 0, Standard: 0, Bulk: 0, inventory: 3 * hourMs };
  await using domain = await openDomain({ delaysMs });
  const worker = workerOf(domain);
  const untilJob = worker.wake(goingOn);
  await settle(domain);
  await inventory(domain);
  await untilJob;
  const untilDue = worker.wake(goingOn);
  await settle(domain);
  domain.clock.advance(3 * hourMs);
  await untilDue;
});
