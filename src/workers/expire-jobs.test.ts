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
import { listIds } from '../storage/blob-specimen.ts';
import { StoreError } from '../storage/errors.ts';
import { ExpireJobs } from './expire-jobs.ts';
import { TakeInventories } from './take-inventories.ts';

const minuteMs = 60_000;

async function inventoryTaken(domain: Domain): Promise<string> {
  const jobId = await inventory(domain);
  await runUntilIdle(new TakeInventories({ ...domain, arrivals: domain.arrivals.inventories }));
  return jobId;
}

const isThere = async ({ store }: Domain, jobId: string) =>
  (await store.read(({ jobs }) => jobs.get(jobId))) !== undefined;

test('a job and its output go a minute after it expired, and not before', async () => {
  await using domain = await openDomain();
  const jobId = await inventoryTaken(domain);
  const worker = new ExpireJobs(domain);
  domain.clock.advance(24 * hourMs + minuteMs - 1);
  await runUntilIdle(worker);
  assert.equal(await isThere(domain, jobId), true);
  assert.equal((await listIds(domain.blobs)).length, 1);
  domain.clock.advance(1);
  await runUntilIdle(worker);
  assert.equal(await isThere(domain, jobId), false);
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.deepEqual(domain.log.events.at(-1), {
    level: 'info',
    event: 'job.expired',
    facts: { jobId },
  });
});

test('jobs that failed go too, and those in progress stay', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const [failed, going] = [await retrieve(domain, archiveId), await retrieve(domain, archiveId)];
  await domain.jobs.fail(failed);
  domain.clock.advance(1000 * hourMs);
  await runUntilIdle(new ExpireJobs(domain));
  assert.equal(await isThere(domain, failed), false);
  assert.equal(await isThere(domain, going), true);
});

test('the bytes of an archive are not a job’s to remove', async () => {
  await using domain = await openDomain();
  const jobId = await retrieve(domain, await storeText(domain, 'hello'));
  await domain.jobs.succeed(jobId);
  domain.clock.advance(25 * hourMs);
  await runUntilIdle(new ExpireJobs(domain));
  assert.equal(await isThere(domain, jobId), false);
  assert.equal((await listIds(domain.blobs)).length, 1);
});

test('an output that is being read outlives its job', async () => {
  await using domain = await openDomain();
  const jobId = await inventoryTaken(domain);
  domain.clock.advance(24 * hourMs - 1);
  const { read } = await domain.jobs.output(photos, jobId, undefined);
  domain.clock.advance(1);
  // Whoever found the job in its last moment has not begun to read yet.
  await runUntilIdle(new ExpireJobs(domain));
  const chunks: Uint8Array[] = [];
  for await (const chunk of read(goingOn)) {
    domain.clock.advance(hourMs);
    await runUntilIdle(new ExpireJobs(domain));
    assert.equal((await listIds(domain.blobs)).length, 1);
    chunks.push(Uint8Array.from(chunk));
  }
  assert.match(Buffer.concat(chunks).toString(), /^\{"VaultARN":.*\}$/);
  assert.equal(await isThere(domain, jobId), false);
});

test('an output that was moved since its job was found goes from where it is now', async () => {
  await using domain = await openDomain();
  await inventoryTaken(domain);
  domain.clock.advance(25 * hourMs);
  const read: typeof domain.store.read = async (work) => {
    const found = await domain.store.read(work);
    const [from] = await listIds(domain.blobs);
    assert.ok(from !== undefined);
    const to = await domain.compaction.copy(from);
    await domain.store.write((rows) => rows.blobs.repoint(from, to));
    await domain.blobs.remove(from);
    return found;
  };
  const store = replacing(domain.store, 'read', read);
  await new ExpireJobs({ ...domain, store }).step(goingOn);
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('many jobs go a hundred at a time', async () => {
  await using domain = await openDomain();
  const jobIds = await Promise.all(Array.from({ length: 150 }, () => inventory(domain)));
  await Promise.all(jobIds.map((jobId) => domain.jobs.fail(jobId)));
  domain.clock.advance(25 * hourMs);
  const worker = new ExpireJobs(domain);
  assert.equal(await worker.step(goingOn), 'busy');
  assert.equal(await worker.step(goingOn), 'idle');
  assert.equal(domain.log.names('info').length, 150);
});

test('many jobs go by few writes, each of which leaves few outputs without a job', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  for (let count = 0; count < 60; count += 1) {
    await domain.jobs.fail(await retrieve(domain, archiveId));
    await inventory(domain);
  }
  await runUntilIdle(new TakeInventories({ ...domain, arrivals: domain.arrivals.inventories }));
  assert.equal((await listIds(domain.blobs)).length, 61);
  domain.clock.advance(25 * hourMs);
  const without: number[] = [];
  const write: typeof domain.store.write = async (work) => {
    const done = await domain.store.write(work);
    const left = await domain.store.read(({ jobs }) => jobs.listExpired(domain.clock.now(), 1000));
    const outputCount = (await listIds(domain.blobs)).length - 1;
    without.push(outputCount - left.filter(({ output }) => output !== null).length);
    return done;
  };
  const store = replacing(domain.store, 'write', write);
  await runUntilIdle(new ExpireJobs({ ...domain, store }));
  assert.equal((await listIds(domain.blobs)).length, 1);
  assert.ok(without.length <= 10, `${without.length} writes`);
  assert.ok(Math.max(...without) <= 10, `${without}`);
});

test('a job that went with its vault since it was found is not told of', async () => {
  await using domain = await openDomain();
  await inventoryTaken(domain);
  domain.clock.advance(25 * hourMs);
  const read: typeof domain.store.read = async (work) => {
    const found = await domain.store.read(work);
    await domain.vaults.remove(photos);
    return found;
  };
  const store = replacing(domain.store, 'read', read);
  const before = domain.log.events.length;
  await new ExpireJobs({ ...domain, store }).step(goingOn);
  assert.deepEqual(domain.log.events.slice(before), []);
});

/** The store with another method. */
function replacing<M extends 'read' | 'write'>(
  store: Domain['store'],
  method: M,
  by: Domain['store'][M],
): Domain['store'] {
  return new Proxy(store, {
    get: (target, property) =>
      property === method ? by : Reflect.get(target, property).bind(target),
  });
}

test('jobs that went ring for the archives that they held and for room, and only then', async () => {
  await using domain = await openDomain();
  const worker = new ExpireJobs(domain);
  await runUntilIdle(worker);
  let isRung = false;
  const ring = domain.removals.wait(goingOn).then(() => {
    isRung = true;
  });
  await new Promise(setImmediate);
  assert.equal(isRung, false);
  await inventoryTaken(domain);
  domain.clock.advance(25 * hourMs);
  await runUntilIdle(worker);
  await ring;
  await domain.freed.wait(goingOn);
});

test('an output that could not be removed keeps neither its job nor others', async () => {
  await using domain = await openDomain();
  const jobIds = [await inventoryTaken(domain), await inventoryTaken(domain)];
  domain.clock.advance(25 * hourMs);
  const blobs = faulty(domain.blobs);
  const unavailable = new StoreError('StoreUnavailable', 'the disk does not answer');
  blobs.failNext('remove', unavailable);
  const worker = new ExpireJobs({ ...domain, blobs: blobs.it });
  await assert.rejects(worker.step(goingOn), unavailable);
  for (const jobId of jobIds) assert.equal(await isThere(domain, jobId), false);
  assert.equal((await listIds(domain.blobs)).length, 1);
  await domain.freed.wait(goingOn);
  await runUntilIdle(worker);
});

test('the worker looks once a minute', async () => {
  await using domain = await openDomain();
  const wake = new ExpireJobs(domain).wake(goingOn);
  domain.clock.advance(minuteMs);
  await wake;
});
