import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  hourMs,
  openDomain,
  photos,
  runUntilIdle,
} from '../../tests/support/domain.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { hidingRowsOf } from '../../tests/support/hidden-rows.ts';
import {
  assertIntact,
  blobsOf,
  forget,
  storeTexts,
  wastefulSegment,
} from '../../tests/support/segments.ts';
import { Pins } from '../domain/pins.ts';
import { listIds } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import { StoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import { CompactSegments } from './compact-segments.ts';
import { ForgetArchives } from './forget-archives.ts';
import { SweepOrphans } from './sweep-orphans.ts';

const minuteMs = 60_000;
const weekMs = 7 * 24 * hourMs;
const full = new StoreError('StoreFull', 'there is no room');
const unavailable = new StoreError('StoreUnavailable', 'the log could not be synced');

/** Visits until all has been given back that can be; the worker may be one that has just started. */
async function compact(domain: Domain, worker = new CompactSegments(domain)): Promise<void> {
  for (let visit = 0; visit < 4; visit += 1) {
    await runUntilIdle(worker);
    domain.clock.advance(minuteMs);
  }
}

/** The store, but that something happens around the `nth` transaction that writes. */
function around(
  store: MetadataStore,
  nth: number,
  deed: (write: () => Promise<unknown>) => Promise<unknown>,
): MetadataStore {
  let count = 0;
  return new Proxy(store, {
    get: (target, property) => {
      if (property !== 'write') return Reflect.get(target, property).bind(target);
      return (work: Parameters<MetadataStore['write']>[0]) => {
        count += 1;
        return count === nth ? deed(() => target.write(work)) : target.write(work);
      };
    },
  });
}

/** A worker looks for rows in its first write, and points them to the copies in its second. */
const repointing = 2;

async function assertOnly(domain: Domain, ids: readonly BlobId[]): Promise<void> {
  assert.deepEqual(await listIds(domain.blobs), [...ids].sort());
}

test('a crash after the rows were pointed to copies is made good, and alarms nobody', async () => {
  await using domain = await openDomain();
  const kept = await wastefulSegment(domain, { of: 400, left: 150 });
  await runUntilIdle(new CompactSegments(domain));
  assert.equal((await listIds(domain.blobs)).length, 300);
  domain.clock.advance(hourMs);
  await runUntilIdle(new SweepOrphans(domain));
  await compact(domain);
  await assertOnly(domain, await blobsOf(domain, kept));
  await assertIntact(domain, kept);
  assert.deepEqual(domain.log.names('error'), []);
});

test('what a crash while copying leaves is swept in a week, and alarms nobody', async () => {
  await using domain = await openDomain();
  const kept = await wastefulSegment(domain, { of: 400, left: 150 });
  for (const id of await blobsOf(domain, kept)) await domain.compaction.copy(id);
  domain.blobs.seal();
  domain.clock.advance(hourMs);
  await compact(domain);
  await assertIntact(domain, kept);
  assert.equal((await listIds(domain.blobs)).length, 300);
  const sweeper = new SweepOrphans(domain);
  for (let round = 0; round < 2; round += 1) {
    await runUntilIdle(sweeper);
    domain.clock.advance(weekMs);
  }
  await assertOnly(domain, await blobsOf(domain, kept));
  assert.deepEqual(domain.log.names('error'), []);
});

test('copies whose rows could not be pointed to them are removed, and nothing is lost', async () => {
  await using domain = await openDomain();
  const kept = await wastefulSegment(domain);
  const before = await listIds(domain.blobs);
  const error = new Error('a defect');
  const store = around(domain.store, repointing, async () => {
    throw error;
  });
  const worker = new CompactSegments({ ...domain, store });
  await assert.rejects(runUntilIdle(worker), error);
  await assertOnly(domain, before);
  await assertIntact(domain, kept);
  await compact(domain, worker);
  assert.ok((await listIds(domain.blobs)).every((id) => !before.includes(id)));
  await assertIntact(domain, kept);
});

test('after a commit whose answer was lost both stay, until a restart knows which is needed', async () => {
  for (const isCommitted of [true, false]) {
    await using domain = await openDomain();
    const kept = await wastefulSegment(domain);
    const store = around(domain.store, repointing, async (write) => {
      if (isCommitted) await write();
      throw unavailable;
    });
    const worker = new CompactSegments({ ...domain, store });
    await assert.rejects(runUntilIdle(worker), unavailable);
    assert.equal((await listIds(domain.blobs)).length, 6);
    // From then on every write fails, while reads go on, and see the rows in one state or the other.
    const failed = faulty(domain.store);
    failed.failNext('write', unavailable, 1000);
    const deaf = new CompactSegments({ ...domain, store: failed.it });
    for (let visit = 0; visit < 4; visit += 1) {
      await runUntilIdle(deaf).catch(() => undefined);
      domain.clock.advance(hourMs);
    }
    await assertIntact(domain, kept);
    assert.equal((await listIds(domain.blobs)).length, 6);
    // Nobody holds anything any more.
    await compact({ ...domain, pins: new Pins() });
    await assertIntact(domain, kept);
  }
});

test('an archive that is forgotten while it moves leaves nothing behind', async () => {
  for (const when of ['before', 'after']) {
    await using domain = await openDomain();
    const [first, ...others] = await wastefulSegment(domain);
    assert.ok(first);
    await domain.archives.remove(photos, first.archiveId);
    const forgetting = () => runUntilIdle(new ForgetArchives(domain));
    const store = around(domain.store, repointing, async (write) => {
      if (when === 'before') await forgetting();
      const result = await write();
      if (when === 'after') await forgetting();
      return result;
    });
    await compact(domain, new CompactSegments({ ...domain, store }));
    // What was held just then is forgotten at the next look.
    await forgetting();
    await assertOnly(domain, await blobsOf(domain, others));
    await assertIntact(domain, others);
  }
});

test('an archive that moves while it is forgotten leaves nothing behind', async () => {
  await using domain = await openDomain();
  const [first, ...others] = await wastefulSegment(domain);
  assert.ok(first);
  await domain.archives.remove(photos, first.archiveId);
  const compactor = new CompactSegments(domain);
  const store = around(domain.store, 1, async (write) => {
    // Its bytes were removed already: put back, as if they had been copied just before that.
    const [from] = await blobsOf(domain, [first]);
    const [another] = await blobsOf(domain, others);
    assert.ok(from !== undefined && another !== undefined);
    const to = await domain.compaction.copy(another);
    await domain.store.write((rows) => rows.blobs.repoint(from, to));
    return await write();
  });
  await runUntilIdle(new ForgetArchives({ ...domain, store }));
  await compact(domain, compactor);
  await assertOnly(domain, await blobsOf(domain, others));
});

test('a full disk is told, tried again a minute later, and what was moved before is retired', async () => {
  await using domain = await openDomain();
  const [moved, stuck] = [
    await wastefulSegment(domain, { of: 10, left: 1 }),
    await wastefulSegment(domain, { of: 10, left: 4 }),
  ];
  const compaction = faulty(domain.compaction);
  const worker = new CompactSegments({ ...domain, compaction: compaction.it });
  while (domain.log.events.length < 15) {
    const [before] = await blobsOf(domain, moved);
    await worker.step(goingOn);
    if ((await blobsOf(domain, moved))[0] !== before) break;
  }
  compaction.failNext('copy', full, 100);
  const ids = await blobsOf(domain, stuck);
  await runUntilIdle(worker);
  assert.deepEqual(await blobsOf(domain, stuck), ids);
  assert.deepEqual(domain.log.names('warn'), ['segment.compaction-hindered']);
  await runUntilIdle(worker);
  assert.deepEqual(domain.log.names('warn'), ['segment.compaction-hindered']);
  domain.clock.advance(minuteMs);
  await runUntilIdle(worker);
  await assertOnly(domain, [...(await blobsOf(domain, moved)), ...ids]);
  const roomy = new CompactSegments(domain);
  await compact(domain, roomy);
  await assertIntact(domain, [...moved, ...stuck]);
  assert.equal(domain.blobs.spaceBytes, domain.blobs.usedBytes);
});

test('no more segments are moved at a time than may wait for their retirement', async () => {
  await using domain = await openDomain();
  const kept = [];
  for (let segment = 0; segment < 70; segment += 1) {
    domain.blobs.seal();
    kept.push(await storeTexts(domain, 3));
  }
  domain.blobs.seal();
  await forget(
    domain,
    kept.flatMap((stored) => stored.slice(1)),
  );
  const left = kept.flatMap((stored) => stored.slice(0, 1));
  const worker = new CompactSegments(domain);
  await runUntilIdle(worker);
  assert.equal((await listIds(domain.blobs)).length, 70 + 64);
  await compact(domain, worker);
  await assertOnly(domain, await blobsOf(domain, left));
});

test('what an index hides is neither moved nor retired, and nothing else is from then on', async () => {
  for (const hiding of ['silently', 'noticed'] as const) {
    await using domain = await openDomain();
    const kept = await wastefulSegment(domain);
    const [blobId] = await blobsOf(domain, kept);
    assert.ok(blobId !== undefined);
    const worker = new CompactSegments({
      ...domain,
      store: hidingRowsOf(domain, blobId, hiding),
    });
    await compact(domain, worker);
    const named = await blobsOf(domain, kept);
    assert.equal(named[0], blobId);
    await assertIntact(domain, kept);
    assert.deepEqual(domain.log.names('error'), ['metadata.contradicts-itself']);
    const later = await wastefulSegment(domain);
    const before = await listIds(domain.blobs);
    await compact(domain, worker);
    assert.deepEqual(await listIds(domain.blobs), before);
    await assertIntact(domain, [...kept, ...later]);
    let isAwake = false;
    void worker.wake(goingOn).then(() => {
      isAwake = true;
    });
    await new Promise(setImmediate);
    assert.equal(isAwake, true, 'the bell had been rung');
    const rest = worker.wake(goingOn);
    domain.clock.advance(hourMs);
    await rest;
  }
});

test('a copy is not retired when what the row names instead is damaged: it takes its place', async () => {
  await using domain = await openDomain();
  const kept = await wastefulSegment(domain);
  const before = await blobsOf(domain, kept);
  const worker = new CompactSegments(domain);
  await runUntilIdle(worker);
  const [damaged, ...others] = await blobsOf(domain, kept);
  assert.ok(damaged !== undefined);
  domain.blobs.damage(damaged, 3);
  domain.clock.advance(minuteMs);
  // Up to where the row of the damaged one was repointed, and not until that is moved anew.
  await worker.step(goingOn);
  assert.deepEqual(await blobsOf(domain, kept), [before[0], ...others]);
  assert.deepEqual(domain.log.names('warn'), ['archive.healed']);
  await compact(domain, worker);
  await assertIntact(domain, kept);
  assert.ok((await listIds(domain.blobs)).includes(damaged));
});

test('what an interrupted move left takes the place of what has rotted since', async () => {
  await using domain = await openDomain();
  domain.blobs.seal();
  const [stored] = await storeTexts(domain, 1);
  assert.ok(stored);
  const [named] = await blobsOf(domain, [stored]);
  assert.ok(named !== undefined);
  domain.blobs.seal();
  const padding = await storeTexts(domain, 5);
  await domain.compaction.copy(named);
  domain.blobs.seal();
  await forget(domain, padding);
  domain.blobs.damage(named, 3);
  await compact(domain);
  await assertIntact(domain, [stored]);
  assert.deepEqual(domain.log.names('warn'), ['archive.healed']);
});
