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
import {
  assertIntact,
  blobsOf,
  forget,
  labelWithoutRow,
  storeTexts,
  wastefulSegment,
} from '../../tests/support/segments.ts';
import { listIds, writeBytes } from '../storage/blob-specimen.ts';
import { isStoreError } from '../storage/errors.ts';
import { CompactSegments } from './compact-segments.ts';
import { ExpireJobs } from './expire-jobs.ts';
import { TakeInventories } from './take-inventories.ts';

const minuteMs = 60_000;

/** Has the worker look, wait for what it has moved, and look again, until nothing is left to do. */
async function compact(domain: Domain, worker = new CompactSegments(domain)): Promise<void> {
  for (let visit = 0; visit < 4; visit += 1) {
    await runUntilIdle(worker);
    domain.clock.advance(minuteMs);
  }
}

const isMissing = (error: unknown) => isStoreError(error, 'BlobNotFound');

test('what is left in a wasteful segment is moved, and its room given back a minute later', async () => {
  await using domain = await openDomain();
  const kept = await wastefulSegment(domain);
  const before = await blobsOf(domain, kept);
  const worker = new CompactSegments(domain);
  await runUntilIdle(worker);
  const after = await blobsOf(domain, kept);
  assert.ok(after.every((id) => !before.includes(id)));
  domain.clock.advance(minuteMs - 1);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), [...before, ...after].sort());
  domain.clock.advance(1);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), [...after].sort());
  await assertIntact(domain, kept);
  assert.equal(domain.blobs.spaceBytes, domain.blobs.usedBytes);
  assert.deepEqual(domain.log.events.at(-1), {
    level: 'info',
    event: 'segment.compacted',
    facts: { segment: 1, retiredCount: 3, leftCount: 0 },
  });
});

test('a segment of which half is needed, or to which is appended still, stays as it is', async () => {
  await using domain = await openDomain();
  const half = await wastefulSegment(domain, { of: 10, left: 5 });
  const appended = await storeTexts(domain, 10);
  await forget(domain, appended.slice(1));
  const before = await listIds(domain.blobs);
  await compact(domain);
  assert.deepEqual(await listIds(domain.blobs), before);
  await assertIntact(domain, [...half, ...appended.slice(0, 1)]);
});

test('the worker asks again, a second later, until it has been told of all segments', async () => {
  await using domain = await openDomain();
  const kept = await wastefulSegment(domain);
  const before = await blobsOf(domain, kept);
  let lookCount = 0;
  const compaction = new Proxy(domain.compaction, {
    get: (target, property) => {
      if (property === 'isSurveyed') return lookCount > 2;
      if (property !== 'wasteful') return Reflect.get(target, property).bind(target);
      return async () => {
        lookCount += 1;
        return lookCount > 2 ? await target.wasteful() : [];
      };
    },
  });
  const worker = new CompactSegments({ ...domain, compaction });
  while (lookCount < 2) {
    await runUntilIdle(worker);
    assert.deepEqual(await blobsOf(domain, kept), before);
    const awake = worker.wake(goingOn);
    domain.clock.advance(1000);
    await awake;
  }
  await runUntilIdle(worker);
  assert.notDeepEqual(await blobsOf(domain, kept), before);
});

test('the most wasteful segment is emptied first', async () => {
  await using domain = await openDomain();
  const some = await wastefulSegment(domain, { of: 10, left: 4 });
  const few = await wastefulSegment(domain, { of: 10, left: 1 });
  const [from] = await blobsOf(domain, few);
  const before = await blobsOf(domain, some);
  const worker = new CompactSegments(domain);
  do {
    assert.deepEqual(await blobsOf(domain, some), before);
    assert.equal(await worker.step(goingOn), 'busy');
  } while ((await blobsOf(domain, few))[0] === from);
  await runUntilIdle(worker);
  assert.notDeepEqual(await blobsOf(domain, some), before);
});

test('a segment of many blobs is emptied in several steps', async () => {
  await using domain = await openDomain();
  const kept = await wastefulSegment(domain, { of: 1000, left: 450 });
  const before = new Set(await blobsOf(domain, kept));
  const worker = new CompactSegments(domain);
  const movedCount = async () =>
    (await blobsOf(domain, kept)).filter((id) => !before.has(id)).length;
  const counts = new Set<number>();
  while ((await worker.step(goingOn)) === 'busy') counts.add(await movedCount());
  assert.deepEqual([...counts], [0, 64, 128, 192, 256, 320, 384, 448, 450]);
  await compact(domain, worker);
  await assertIntact(domain, kept);
  assert.equal((await listIds(domain.blobs)).length, 450);
});

test('whoever found bytes in the last moment before they moved can read them', async () => {
  await using domain = await openDomain();
  const [stored] = await wastefulSegment(domain, { of: 5, left: 1 });
  assert.ok(stored);
  const jobId = await retrieve(domain, stored.archiveId);
  await domain.jobs.succeed(jobId);
  const { read } = await domain.jobs.output(photos, jobId, undefined);
  const worker = new CompactSegments(domain);
  await runUntilIdle(worker);
  domain.clock.advance(minuteMs - 1);
  await runUntilIdle(worker);
  const chunks = await Array.fromAsync(read(goingOn), (chunk) => Buffer.from(chunk));
  assert.equal(Buffer.concat(chunks).toString(), stored.text);
  await compact(domain, worker);
  assert.equal((await outputOf(domain, jobId)).toString(), stored.text);
});

test('bytes that somebody is reading stay where they are until the end of it', async () => {
  await using domain = await openDomain();
  const kept = await wastefulSegment(domain);
  const [first] = kept;
  assert.ok(first);
  const jobId = await retrieve(domain, first.archiveId);
  await domain.jobs.succeed(jobId);
  const before = await blobsOf(domain, kept);
  const worker = new CompactSegments(domain);
  const { read } = await domain.jobs.output(photos, jobId, undefined);
  for await (const chunk of read(goingOn)) {
    await compact(domain, worker);
    assert.equal(Buffer.from(chunk).toString(), first.text);
    const there = await listIds(domain.blobs);
    assert.deepEqual(
      before.map((id) => there.includes(id)),
      [true, false, false],
    );
  }
  await compact(domain, worker);
  assert.deepEqual(await listIds(domain.blobs), [...(await blobsOf(domain, kept))].sort());
});

test('a blob that somebody comes to hold in the last moment is not retired', async () => {
  await using domain = await openDomain();
  const kept = await wastefulSegment(domain);
  const before = await blobsOf(domain, kept);
  const worker = new CompactSegments(domain);
  await runUntilIdle(worker);
  domain.clock.advance(minuteMs);
  await worker.step(goingOn);
  {
    using _pin = domain.pins.hold(before.slice(0, 1));
    await runUntilIdle(worker);
    const left = [...before.slice(0, 1), ...(await blobsOf(domain, kept))];
    assert.deepEqual(await listIds(domain.blobs), left.sort());
  }
  await compact(domain, worker);
  assert.deepEqual(await listIds(domain.blobs), [...(await blobsOf(domain, kept))].sort());
});

test('the output of an inventory is moved, handed out, and removed where it went', async () => {
  await using domain = await openDomain();
  const jobId = await inventory(domain);
  const stored = await storeTexts(domain, 10);
  const inventories = { ...domain, arrivals: domain.arrivals.inventories };
  await runUntilIdle(new TakeInventories(inventories));
  const output = await outputOf(domain, jobId);
  domain.blobs.seal();
  await forget(domain, stored);
  const [before] = await listIds(domain.blobs);
  await compact(domain);
  const [after, ...others] = await listIds(domain.blobs);
  assert.ok(before !== after && others.length === 0);
  assert.deepEqual(await outputOf(domain, jobId), output);
  domain.clock.advance(48 * hourMs);
  await runUntilIdle(new ExpireJobs(domain));
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('a damaged blob stays where it is, the others move, and it is told', async () => {
  await using domain = await openDomain();
  const kept = await wastefulSegment(domain);
  const [victim, ...others] = kept;
  assert.ok(victim);
  const before = await blobsOf(domain, kept);
  const [blobId] = before;
  assert.ok(blobId !== undefined);
  domain.blobs.damage(blobId, 5);
  const worker = new CompactSegments(domain);
  await compact(domain, worker);
  const after = await blobsOf(domain, kept);
  assert.equal(after[0], blobId);
  assert.deepEqual(await listIds(domain.blobs), [...after].sort());
  await assertIntact(domain, others);
  const { facts } = domain.log.events.find(({ level }) => level === 'warn') ?? {};
  assert.deepEqual({ ...facts, error: '' }, { segment: 1, count: 1, blobId, error: '' });
  assert.ok(isStoreError(facts?.['error'], 'BlobCorrupt'));
  // What can't be moved is not tried over and over, and is moved once it can be.
  const toldCount = domain.log.names('warn').length;
  domain.clock.advance(hourMs / 2);
  await runUntilIdle(worker);
  assert.equal(domain.log.names('warn').length, toldCount);
  domain.blobs.damage(blobId, 5);
  domain.clock.advance(hourMs);
  await compact(domain, worker);
  await assertIntact(domain, kept);
  await assert.rejects(domain.blobs.describe(blobId), isMissing);
});

test('a blob that was just written is left alone: its row is about to come', async () => {
  await using domain = await openDomain();
  await storeTexts(domain, 1).then((stored) => forget(domain, stored));
  domain.blobs.seal();
  const padding = await storeTexts(domain, 3);
  // As old as can be, because its upload took long, and held by nobody until its writer is told.
  const { id } = await writeBytes(domain.blobs, Buffer.from('late'));
  domain.clock.advance(hourMs);
  domain.blobs.seal();
  await forget(domain, padding);
  const worker = new CompactSegments(domain);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), [id]);
  const pin = domain.pins.hold([id]);
  for (let minute = 0; minute < 5; minute += 1) {
    domain.clock.advance(minuteMs);
    await runUntilIdle(worker);
    assert.deepEqual(await listIds(domain.blobs), [id]);
  }
  const archiveId = await storeText(domain, 'hello');
  const row = await domain.store.read(({ archives }) => archives.get(archiveId));
  assert.ok(row !== undefined);
  const late = { ...row, archiveId: 'b'.repeat(138), sizeBytes: 4 };
  await domain.store.write(({ archives }) => archives.insert(late, [{ blobId: id, sizeBytes: 4 }]));
  pin[Symbol.dispose]();
  await compact(domain, worker);
  assert.notDeepEqual(await blobsOf(domain, [{ archiveId: late.archiveId, text: 'late' }]), [id]);
  await assertIntact(domain, [{ archiveId: late.archiveId, text: 'late' }]);
});

test('an orphan is moved as one, so that it does not keep its segment', async () => {
  await using domain = await openDomain();
  const padding = await storeTexts(domain, 3);
  const { id } = await writeBytes(domain.blobs, Buffer.from('lost'), labelWithoutRow('lost'));
  domain.blobs.seal();
  await forget(domain, padding);
  const worker = new CompactSegments(domain);
  await runUntilIdle(worker);
  domain.clock.advance(minuteMs - 1);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), [id]);
  domain.clock.advance(1);
  await runUntilIdle(worker);
  const [copy, ...others] = await listIds(domain.blobs);
  assert.ok(copy !== undefined && copy !== id && others.length === 0);
  assert.equal((await domain.blobs.describe(copy)).label, labelWithoutRow('lost'));
  assert.equal(domain.blobs.spaceBytes, domain.blobs.usedBytes);
});

test('a blob whose label nobody understands stays, and it is told', async () => {
  await using domain = await openDomain();
  const padding = await storeTexts(domain, 3);
  const { id } = await writeBytes(domain.blobs, Buffer.from('lost'), 'of a later version');
  domain.blobs.seal();
  await forget(domain, padding);
  await compact(domain);
  assert.deepEqual(await listIds(domain.blobs), [id]);
  assert.deepEqual(domain.log.names('warn'), ['segment.compaction-hindered']);
});

test('a clock that is set back or forward neither delays nor hastens what was to be retired', async () => {
  for (const jumpMs of [-365 * 24 * hourMs, 365 * 24 * hourMs]) {
    await using domain = await openDomain();
    const kept = await wastefulSegment(domain);
    const before = await blobsOf(domain, kept);
    const worker = new CompactSegments(domain);
    await runUntilIdle(worker);
    domain.clock.jump(jumpMs);
    const after = await blobsOf(domain, kept);
    const untilRetirement = worker.wake(goingOn);
    domain.clock.advance(minuteMs - 1);
    await runUntilIdle(worker);
    assert.deepEqual(await listIds(domain.blobs), [...before, ...after].sort());
    domain.clock.advance(1);
    await untilRetirement;
    await runUntilIdle(worker);
    assert.deepEqual(await listIds(domain.blobs), [...after].sort());
  }
});

test('where the rows of more than a hundred blobs are missing, they stay, and it is told', async () => {
  await using domain = await openDomain();
  const padding = await storeTexts(domain, 200);
  const texts = Array.from({ length: 101 }, (_, index) => `${index}`);
  for (const text of texts) {
    await writeBytes(domain.blobs, Buffer.from(text), labelWithoutRow(text));
  }
  domain.blobs.seal();
  await forget(domain, padding);
  const before = await listIds(domain.blobs);
  await compact(domain);
  assert.deepEqual(await listIds(domain.blobs), before);
  assert.ok(domain.log.names('warn').includes('segment.compaction-hindered'));
});

test('the worker wakes when blobs were removed, when bytes are to be retired, and once an hour', async () => {
  await using domain = await openDomain();
  const worker = new CompactSegments(domain);
  await runUntilIdle(worker);
  const kept = await wastefulSegment(domain);
  await worker.wake(goingOn);
  await runUntilIdle(worker);
  const before = (await listIds(domain.blobs)).length;
  const untilRetirement = worker.wake(goingOn);
  await settle(domain);
  domain.clock.advance(minuteMs);
  await untilRetirement;
  await runUntilIdle(worker);
  assert.equal((await listIds(domain.blobs)).length, before - kept.length);
  const untilHour = worker.wake(goingOn);
  await settle(domain);
  domain.clock.advance(hourMs);
  await untilHour;
});

test('a stop ends a step before it begins to copy', async () => {
  await using domain = await openDomain();
  const kept = await wastefulSegment(domain);
  const before = await listIds(domain.blobs);
  const worker = new CompactSegments(domain);
  const reason = new Error('stopped');
  await assert.rejects(worker.step(AbortSignal.abort(reason)), reason);
  assert.deepEqual(await listIds(domain.blobs), before);
  await assertIntact(domain, kept);
});
