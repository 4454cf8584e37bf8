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
import { assertIntact, wastefulSegment } from '../../tests/support/segments.ts';
import { listIds } from '../storage/blob-specimen.ts';
import { StoreError } from '../storage/errors.ts';
import { CompactSegments } from './compact-segments.ts';
import { ExpireJobs } from './expire-jobs.ts';
import { ForgetArchives } from './forget-archives.ts';
import { RefreshInventories } from './refresh-inventories.ts';
import { RetrieveArchives } from './retrieve-archives.ts';
import { SweepOrphans } from './sweep-orphans.ts';
import { TakeInventories } from './take-inventories.ts';

const minuteMs = 60_000;
const yearMs = 365 * 24 * hourMs;

/** All workers that give anything up. */
function cleaners(domain: Domain) {
  return [
    new ExpireJobs(domain),
    new ForgetArchives(domain),
    new SweepOrphans(domain),
    new CompactSegments(domain),
  ];
}

/** A retrieval of an archive that was removed since, and an inventory: both done. */
async function finishedJobs(domain: Domain) {
  const archiveId = await storeText(domain, 'removed since');
  const [retrieval, listing] = [await retrieve(domain, archiveId), await inventory(domain)];
  const { retrievals, inventories } = domain.arrivals;
  await runUntilIdle(new RetrieveArchives({ ...domain, arrivals: retrievals }));
  await runUntilIdle(new TakeInventories({ ...domain, arrivals: inventories }));
  await domain.archives.remove(photos, archiveId);
  return { retrieval, listing };
}

test('a clock that is set forward a year, and back, ends no job, and nothing is given up', async () => {
  await using domain = await openDomain();
  const { retrieval, listing } = await finishedJobs(domain);
  const kept = await wastefulSegment(domain);
  const workers = cleaners(domain);
  for (const worker of workers) await runUntilIdle(worker);
  const before = await listIds(domain.blobs);
  for (const jumpMs of [yearMs, -yearMs, -yearMs, yearMs]) {
    domain.clock.jump(jumpMs);
    for (const worker of workers) await runUntilIdle(worker);
    assert.equal((await outputOf(domain, retrieval)).toString(), 'removed since');
    assert.ok((await outputOf(domain, listing)).length > 0);
    assert.equal((await domain.jobs.list(photos, {})).jobs.length, 2);
    assert.deepEqual(await listIds(domain.blobs), before);
    await assertIntact(domain, kept);
  }
  const jumps = domain.log.names('warn').filter((event) => event === 'clock.jumped');
  assert.equal(jumps.length, 4);
});

test('a job lasts as long after the clock was set forward as it would have, and then it ends', async () => {
  for (const expiryMs of [24 * hourMs, 7 * 24 * hourMs]) {
    await using domain = await openDomain({ expiryMs });
    const { retrieval } = await finishedJobs(domain);
    const workers = cleaners(domain);
    domain.clock.jump(yearMs);
    for (let leftMs = expiryMs; leftMs > minuteMs; leftMs -= minuteMs * 30) {
      for (const worker of workers) await runUntilIdle(worker);
      assert.equal((await outputOf(domain, retrieval)).toString(), 'removed since');
      domain.clock.advance(minuteMs * 30);
    }
    domain.clock.advance(minuteMs);
    for (const worker of workers) await runUntilIdle(worker);
    await assert.rejects(outputOf(domain, retrieval), /The job ID was not found/);
    assert.deepEqual(await domain.store.read(({ jobs }) => jobs.get(retrieval)), undefined);
  }
});

test('what was postponed is tried again in half a minute, though the clock was set back', async () => {
  await using domain = await openDomain();
  const jobId = await retrieve(domain, await storeText(domain, 'hello'));
  const blobs = faulty(domain.blobs);
  blobs.failNext('describe', new StoreError('StoreUnavailable', 'the disk does not answer'));
  const worker = new RetrieveArchives({
    ...domain,
    blobs: blobs.it,
    arrivals: domain.arrivals.retrievals,
  });
  await runUntilIdle(worker);
  // The bell rang when the job came.
  await worker.wake(goingOn);
  domain.clock.jump(-yearMs);
  const wake = worker.wake(goingOn);
  await settle(domain);
  domain.clock.advance(minuteMs / 2);
  await wake;
  await runUntilIdle(worker);
  assert.equal((await domain.jobs.describe(photos, jobId)).statusCode, 'Succeeded');
});

test('a job that is due in some hours is done by then, though the clock was set back', async () => {
  const delaysMs = { Expedited: 0, Standard: 4 * hourMs, Bulk: 0, inventory: 4 * hourMs };
  await using domain = await openDomain({ delaysMs });
  const retrieval = await retrieve(domain, await storeText(domain, 'hello'));
  const listing = await inventory(domain);
  const { retrievals, inventories } = domain.arrivals;
  const workers = [
    new RetrieveArchives({ ...domain, arrivals: retrievals }),
    new TakeInventories({ ...domain, arrivals: inventories }),
  ];
  domain.clock.jump(-yearMs);
  domain.clock.advance(4 * hourMs);
  for (const worker of workers) await runUntilIdle(worker);
  for (const jobId of [retrieval, listing]) {
    assert.equal((await domain.jobs.describe(photos, jobId)).statusCode, 'Succeeded');
  }
});

test('inventories are taken as often as before, though the clock was set back', async () => {
  await using domain = await openDomain({ inventoryMode: 'scheduled' });
  const worker = new RefreshInventories({ ...domain, intervalMs: 24 * hourMs });
  domain.clock.advance(24 * hourMs);
  await runUntilIdle(worker);
  await storeText(domain, 'hello');
  domain.clock.jump(-yearMs);
  domain.clock.advance(24 * hourMs);
  await runUntilIdle(worker);
  const vault = await domain.store.read(({ vaults }) => vaults.get(photos));
  assert.equal(vault?.lastInventory?.archiveCount, 1);
  assert.equal(vault?.lastInventory?.takenAtMs, domain.clock.now());
});
