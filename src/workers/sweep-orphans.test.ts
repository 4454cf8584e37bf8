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
import { initiate, partOf, storeInParts } from '../../tests/support/domain-uploads.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { hidingRowsOf } from '../../tests/support/hidden-rows.ts';
import { labelWithoutRow } from '../../tests/support/segments.ts';
import { listIds, writeBytes } from '../storage/blob-specimen.ts';
import { StoreError } from '../storage/errors.ts';
import { SweepOrphans } from './sweep-orphans.ts';
import { TakeInventories } from './take-inventories.ts';

const minuteMs = 60_000;
const weekMs = 7 * 24 * hourMs;

/** Bytes that nobody has a row for, written a while ago. */
async function orphan({ blobs, clock }: Domain, text = 'lost') {
  const { id } = await writeBytes(blobs, Buffer.from(text), labelWithoutRow(text));
  clock.advance(minuteMs);
  return id;
}

/** As many of them, written at once. */
async function orphans({ blobs, clock }: Domain, count: number): Promise<void> {
  const texts = Array.from({ length: count }, (_, index) => `${index}`);
  await Promise.all(
    texts.map((text) => writeBytes(blobs, Buffer.from(text), labelWithoutRow(text))),
  );
  clock.advance(minuteMs);
}

test('a blob without a row goes when it is found a second time, a week later', async () => {
  await using domain = await openDomain();
  const blobId = await orphan(domain);
  domain.clock.advance(1000 * hourMs);
  const worker = new SweepOrphans(domain);
  await runUntilIdle(worker);
  domain.clock.advance(weekMs - 1);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), [blobId]);
  domain.clock.advance(1);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.deepEqual(domain.log.events, [
    { level: 'warn', event: 'blobs.suspected', facts: { count: 1 } },
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

test('what a row names is never removed: archives, removed ones too, parts, and outputs', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'in its vault');
  const removed = await storeText(domain, 'handed out by a job');
  await domain.jobs.succeed(await retrieve(domain, removed));
  await domain.archives.remove(photos, removed);
  await inventory(domain);
  await runUntilIdle(new TakeInventories({ ...domain, arrivals: domain.arrivals.inventories }));
  await storeInParts(domain, Buffer.from('uploaded in one part'));
  const uploadId = await initiate(domain);
  await domain.uploads.putPart(partOf(uploadId, 0, Buffer.from('of an upload that is open')));
  const before = await listIds(domain.blobs);
  assert.equal(before.length, 6);
  const worker = new SweepOrphans(domain);
  for (let round = 0; round < 4; round += 1) {
    await runUntilIdle(worker);
    domain.clock.advance(weekMs);
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
  domain.clock.advance(weekMs);
  await runUntilIdle(worker);
  assert.equal((await listIds(domain.blobs)).length, 2);
});

test('a blob that is being read is not removed, and counts from then on', async () => {
  await using domain = await openDomain();
  const blobId = await orphan(domain);
  const worker = new SweepOrphans(domain);
  await runUntilIdle(worker);
  domain.clock.advance(weekMs);
  {
    using _pin = domain.pins.hold([blobId]);
    await runUntilIdle(worker);
  }
  domain.clock.advance(weekMs);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), [blobId]);
  domain.clock.advance(weekMs);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('a blob that was just written is not suspected: its row is about to come', async () => {
  await using domain = await openDomain();
  await writeBytes(domain.blobs, Buffer.from('just now'));
  domain.clock.advance(minuteMs - 1);
  const worker = new SweepOrphans(domain);
  await runUntilIdle(worker);
  assert.deepEqual(domain.log.events, []);
  domain.clock.advance(weekMs);
  await runUntilIdle(worker);
  assert.equal((await listIds(domain.blobs)).length, 1);
});

test('a hundred blobs without a row are garbage', async () => {
  await using domain = await openDomain();
  await orphans(domain, 100);
  const worker = new SweepOrphans(domain);
  await runUntilIdle(worker);
  await runUntilIdle(worker);
  assert.deepEqual(domain.log.events, [
    { level: 'warn', event: 'blobs.suspected', facts: { count: 100 } },
  ]);
  domain.clock.advance(weekMs);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('more than a hundred blobs without a row mean lost rows: none is removed, ever', async () => {
  await using domain = await openDomain();
  await orphans(domain, 101);
  const worker = new SweepOrphans(domain);
  for (let round = 0; round < 3; round += 1) {
    await runUntilIdle(worker);
    domain.clock.advance(weekMs);
  }
  assert.equal((await listIds(domain.blobs)).length, 101);
  const told = { level: 'error', event: 'blobs.without-rows', facts: { count: 101 } };
  assert.deepEqual(domain.log.events, [told, told, told]);
});

/** As many copies of an archive that is there as a crash may leave of what was being moved. */
async function copies(domain: Domain, count: number): Promise<void> {
  await storeText(domain, 'moved');
  const [id] = await listIds(domain.blobs);
  assert.ok(id !== undefined);
  for (let copy = 0; copy < count; copy += 1) await domain.compaction.copy(id);
  domain.clock.advance(minuteMs);
}

test('copies too many of what has a row go like other garbage, however many there are', async () => {
  await using domain = await openDomain();
  await copies(domain, 150);
  const worker = new SweepOrphans(domain);
  await runUntilIdle(worker);
  assert.deepEqual(domain.log.events, [
    { level: 'warn', event: 'blobs.suspected', facts: { count: 150 } },
  ]);
  domain.clock.advance(weekMs - 1);
  await runUntilIdle(worker);
  assert.equal((await listIds(domain.blobs)).length, 151);
  domain.clock.advance(1);
  await runUntilIdle(worker);
  assert.equal((await listIds(domain.blobs)).length, 1);
  assert.equal((await domain.vaults.describe(photos)).numberOfArchives, 1);
});

test('a round remembers a thousand of them, and the others come next', async () => {
  await using domain = await openDomain();
  await copies(domain, 1001);
  const worker = new SweepOrphans(domain);
  for (const leftCount of [1002, 2, 2, 1]) {
    // Those that are left decide how many steps a round takes.
    const stepCount = Math.floor((await listIds(domain.blobs)).length / 500) + 1;
    for (let step = 0; step < stepCount; step += 1) await worker.step(goingOn);
    assert.equal((await listIds(domain.blobs)).length, leftCount);
    domain.clock.advance(weekMs);
  }
});

test('where rows are missing copies too many stay as well', async () => {
  await using domain = await openDomain();
  await copies(domain, 10);
  await orphans(domain, 101);
  const worker = new SweepOrphans(domain);
  for (let round = 0; round < 3; round += 1) {
    await runUntilIdle(worker);
    domain.clock.advance(weekMs);
  }
  assert.equal((await listIds(domain.blobs)).length, 112);
});

test('a blob whose label is damaged counts as one without a row', async () => {
  await using domain = await openDomain();
  await copies(domain, 101);
  for (const id of await listIds(domain.blobs)) domain.blobs.damageLabel(id, 0);
  await runUntilIdle(new SweepOrphans(domain));
  assert.deepEqual(domain.log.names('error'), ['blobs.without-rows']);
});

test('a round that found too many does not count for those it found', async () => {
  await using domain = await openDomain();
  await orphans(domain, 1);
  const worker = new SweepOrphans(domain);
  await runUntilIdle(worker);
  domain.clock.advance(weekMs - minuteMs);
  await orphans(domain, 100);
  await runUntilIdle(worker);
  const ids = await listIds(domain.blobs);
  assert.equal(ids.length, 101);
  const [id] = ids;
  assert.ok(id !== undefined);
  await domain.blobs.remove(id);
  await runUntilIdle(worker);
  assert.equal((await listIds(domain.blobs)).length, 100);
});

test('a round that fails midway counts for nothing, and the next one begins anew', async () => {
  await using domain = await openDomain();
  await orphans(domain, 101);
  const store = faulty(domain.store);
  const worker = new SweepOrphans({ ...domain, store: store.it });
  store.failNext('read', new StoreError('StoreUnavailable', 'the disk does not answer'));
  await assert.rejects(worker.step(goingOn));
  for (let round = 0; round < 2; round += 1) {
    await runUntilIdle(worker);
    domain.clock.advance(weekMs);
  }
  assert.equal((await listIds(domain.blobs)).length, 101);
  assert.deepEqual(domain.log.names('error'), ['blobs.without-rows', 'blobs.without-rows']);
});

test('a round looks at five hundred blobs at a time, and rests in between', async () => {
  await using domain = await openDomain();
  await orphans(domain, 1001);
  const worker = new SweepOrphans(domain);
  for (let rest = 0; rest < 2; rest += 1) {
    await worker.step(goingOn);
    assert.deepEqual(domain.log.events, []);
    const wake = worker.wake(goingOn);
    domain.clock.advance(50);
    await wake;
  }
  await worker.step(goingOn);
  assert.deepEqual(domain.log.names('error'), ['blobs.without-rows']);
});

test('the first round may wait a while', async () => {
  await using domain = await openDomain();
  await orphans(domain, 101);
  const worker = new SweepOrphans({ ...domain, firstRoundInMs: minuteMs });
  await worker.step(goingOn);
  const wake = worker.wake(goingOn);
  domain.clock.advance(minuteMs - 1);
  await worker.step(goingOn);
  assert.deepEqual(domain.log.events, []);
  domain.clock.advance(1);
  await wake;
  await worker.step(goingOn);
  assert.deepEqual(domain.log.names('error'), ['blobs.without-rows']);
});

test('a blob that its archive’s row names stays, though an index hides that, and so does all else', async () => {
  for (const hiding of ['silently', 'noticed'] as const) {
    await using domain = await openDomain();
    await storeText(domain, 'hello');
    const [blobId] = await listIds(domain.blobs);
    assert.ok(blobId !== undefined);
    await orphan(domain);
    const before = await listIds(domain.blobs);
    const store = hidingRowsOf(domain, blobId, hiding);
    const worker = new SweepOrphans({ ...domain, store });
    for (let round = 0; round < 4; round += 1) {
      await runUntilIdle(worker);
      domain.clock.advance(weekMs);
    }
    assert.deepEqual(await listIds(domain.blobs), before);
    assert.ok(domain.log.names('error').includes('metadata.contradicts-itself'));
    assert.deepEqual(domain.log.names('warn'), []);
  }
});

test('rows that begin to contradict themselves keep what was about to be removed', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  const [blobId] = await listIds(domain.blobs);
  assert.ok(blobId !== undefined);
  await orphan(domain);
  const before = await listIds(domain.blobs);
  const broken = hidingRowsOf(domain, blobId);
  let isBroken = false;
  const store = new Proxy(domain.store, {
    get: (target, property) => {
      const from = isBroken ? broken : target;
      return Reflect.get(from, property).bind(from);
    },
  });
  const worker = new SweepOrphans({ ...domain, store });
  await runUntilIdle(worker);
  domain.clock.advance(weekMs);
  isBroken = true;
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), before);
});

test('the last sound copy of an archive takes the place of the damaged one', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const [damagedBlobId] = await listIds(domain.blobs);
  assert.ok(damagedBlobId !== undefined);
  const blobId = await domain.compaction.copy(damagedBlobId);
  domain.clock.advance(minuteMs);
  domain.blobs.damage(damagedBlobId, 1);
  const worker = new SweepOrphans(domain);
  for (let round = 0; round < 2; round += 1) {
    await runUntilIdle(worker);
    domain.clock.advance(weekMs);
  }
  const parts = await domain.store.read(({ archives }) => archives.blobs(archiveId));
  assert.deepEqual(parts, [{ blobId, sizeBytes: 5, treeHash: null }]);
  assert.equal((await listIds(domain.blobs)).length, 2);
  assert.deepEqual(domain.log.names('warn'), ['blobs.suspected', 'archive.healed']);
});

test('a blob that nobody can tell anything of is never removed, and told', async () => {
  await using domain = await openDomain();
  const blobId = await orphan(domain);
  const { id } = await writeBytes(domain.blobs, Buffer.from('later'), 'of a later version');
  domain.blobs.damageLabel(blobId, 1);
  domain.clock.advance(minuteMs);
  const worker = new SweepOrphans(domain);
  for (let round = 0; round < 3; round += 1) {
    await runUntilIdle(worker);
    domain.clock.advance(weekMs);
  }
  assert.deepEqual(await listIds(domain.blobs), [blobId, id].sort());
  assert.deepEqual(domain.log.names('warn'), [
    'blobs.suspected',
    ...Array.from({ length: 4 }, () => 'blob.left-unclear'),
  ]);
});

test('a clock that is set forward or back neither hastens nor delays the end of an orphan', async () => {
  for (const jumpMs of [-8760 * hourMs, 8760 * hourMs]) {
    await using domain = await openDomain();
    const blobId = await orphan(domain);
    const worker = new SweepOrphans(domain);
    domain.clock.jump(jumpMs);
    await runUntilIdle(worker);
    domain.clock.advance(weekMs - 1);
    domain.clock.jump(-jumpMs);
    await runUntilIdle(worker);
    assert.deepEqual(await listIds(domain.blobs), [blobId]);
    domain.clock.advance(1);
    await runUntilIdle(worker);
    assert.deepEqual(await listIds(domain.blobs), []);
  }
});

test('a blob that cannot be removed is tried again in a later round', async () => {
  await using domain = await openDomain();
  await orphan(domain);
  const blobs = faulty(domain.blobs);
  const worker = new SweepOrphans({ ...domain, blobs: blobs.it });
  await runUntilIdle(worker);
  domain.clock.advance(weekMs);
  const unavailable = new StoreError('StoreUnavailable', 'the disk does not answer');
  blobs.failNext('remove', unavailable);
  await assert.rejects(worker.step(goingOn), unavailable);
  for (let round = 0; round < 3; round += 1) {
    await runUntilIdle(worker);
    domain.clock.advance(weekMs);
  }
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('a stop ends a step between two blobs, and the worker wakes once a day', async () => {
  await using domain = await openDomain();
  await orphan(domain);
  const worker = new SweepOrphans(domain);
  const reason = new Error('stopped');
  await assert.rejects(worker.step(AbortSignal.abort(reason)), reason);
  await worker.step(goingOn);
  let isAwake = false;
  const wake = worker.wake(goingOn).then(() => {
    isAwake = true;
  });
  domain.clock.advance(24 * hourMs - 1);
  await new Promise(setImmediate);
  assert.equal(isAwake, false);
  domain.clock.advance(1);
  await wake;
});
