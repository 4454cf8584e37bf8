import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  hourMs,
  openDomain,
  photos,
  storeText,
  upload,
} from '../../tests/support/domain.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { mebibyte } from '../../tests/support/tree-hash-reference.ts';
import type { Clock } from '../lib/clock.ts';
import { sampleBytes } from '../storage/blob-specimen.ts';
import { StoreError } from '../storage/errors.ts';
import { ScrubArchives, type ScrubArchivesOptions } from './scrub-archives.ts';

const dayMs = 24 * hourMs;
const unavailable = new StoreError('StoreUnavailable', 'the disk does not answer');

/** A worker whose rests turn the domain's clock, and take no time. */
function workerOf(domain: Domain, other: Partial<ScrubArchivesOptions> = {}): ScrubArchives {
  const clock: Clock = {
    now: () => domain.clock.now(),
    elapsedMs: () => domain.clock.elapsedMs(),
    sleep: async (ms) => domain.clock.advance(Math.ceil(ms)),
  };
  return new ScrubArchives({ ...domain, clock, ...other });
}

/** Steps and rests until the round has come to the last archive; answers how long that took. */
async function completeRound(worker: ScrubArchives, { clock }: Domain): Promise<number> {
  const beganAtMs = clock.now();
  do await stepAndRest(worker);
  while (worker.progress.bytesPerSecond > 0);
  return clock.now() - beganAtMs;
}

/** Rests, but not until there are other archives or another round. */
async function stepAndRest(worker: ScrubArchives): Promise<void> {
  await worker.step(goingOn);
  if (worker.progress.bytesPerSecond > 0) await worker.wake(goingOn);
}

const verificationOf = ({ store }: Domain, archiveId: string) =>
  store.read(({ verifications }) => verifications.get(archiveId));

async function blobOf({ store }: Domain, archiveId: string) {
  const [part] = await store.read(({ archives }) => archives.blobs(archiveId));
  assert.ok(part !== undefined);
  return part.blobId;
}

const events = ({ log }: Domain) => log.events.map(({ level, event }) => `${level} ${event}`);

test('a round reads every archive, removed ones too, and notes when', async () => {
  await using domain = await openDomain();
  const ids = [await storeText(domain, 'one'), await storeText(domain, 'two')];
  const removed = await storeText(domain, 'three');
  await domain.archives.remove(photos, removed);
  const worker = workerOf(domain);
  assert.equal(worker.progress.round, 0);
  const atMs = domain.clock.now();
  await completeRound(worker, domain);
  for (const id of [...ids, removed]) {
    assert.deepEqual(await verificationOf(domain, id), { verifiedAtMs: atMs, damage: null });
  }
  const { startedAtMs, lastCompletedAtMs, ...progress } = worker.progress;
  assert.deepEqual([startedAtMs, lastCompletedAtMs], [atMs, domain.clock.now()]);
  assert.deepEqual(progress, {
    round: 1,
    archivesDone: 3,
    archivesTotal: 3,
    bytesDone: 11,
    bytesTotal: 11,
    damagedCount: 0,
    bytesPerSecond: 0,
  });
  assert.deepEqual(events(domain), ['info scrub.completed']);
});

test('damage is noted, told once a round, and told when it is gone', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'sound');
  const archiveId = await storeText(domain, 'hello');
  const blobId = await blobOf(domain, archiveId);
  domain.blobs.damage(blobId, 0);
  const worker = workerOf(domain, { periodMs: dayMs });
  await completeRound(worker, domain);
  const found = await verificationOf(domain, archiveId);
  assert.match(found?.damage ?? '', /^Bytes 0-4 are damaged, in blob/);
  const [told] = domain.log.events;
  assert.equal(told?.event, 'archive.damaged');
  assert.equal(told.level, 'error');
  const { vaultId: _vaultId, ...facts } = told.facts;
  assert.deepEqual(facts, { archiveId, ...photos, sizeBytes: 5, damage: found?.damage });
  await worker.step(goingOn);
  assert.equal(worker.progress.damagedCount, 1);

  domain.clock.advance(dayMs);
  await worker.step(goingOn);
  assert.equal(worker.progress.round, 2);
  await completeRound(worker, domain);
  domain.blobs.damage(blobId, 0);
  domain.clock.advance(dayMs);
  await worker.step(goingOn);
  await completeRound(worker, domain);
  assert.equal((await verificationOf(domain, archiveId))?.damage, null);
  const round = 'info scrub.completed';
  assert.deepEqual(events(domain), [
    ...['error archive.damaged', round],
    ...['error archive.damaged', round],
    ...['info archive.healed', round],
  ]);
  await worker.step(goingOn);
  assert.equal(worker.progress.damagedCount, 0);
});

test('a small store is read at a mebibyte a second, and small archives cost a little more', async () => {
  await using domain = await openDomain();
  await domain.archives.store(upload(sampleBytes(20 * mebibyte)));
  const worker = workerOf(domain);
  const largeMs = await completeRound(worker, domain);
  assert.ok(largeMs >= 20_000 && largeMs < 24_000, `${largeMs}`);
  for (let count = 0; count < 640; count += 1) await storeText(domain, `${count}`);
  const smallMs = await completeRound(worker, domain);
  assert.ok(smallMs >= 9_000 && smallMs < 12_000, `${smallMs}`);
});

test('a round that must hurry reads faster, and never above the highest speed', async () => {
  await using domain = await openDomain();
  await domain.archives.store(upload(sampleBytes(40 * mebibyte)));
  const hurried = workerOf(domain, { periodMs: 10_000 });
  const hurriedMs = await completeRound(hurried, domain);
  assert.ok(hurriedMs > 8_000 && hurriedMs <= 10_500, `${hurriedMs}`);
  assert.ok(!domain.log.names('warn').includes('scrub.late'));

  await using other = await openDomain();
  await other.archives.store(upload(sampleBytes(40 * mebibyte)));
  const bytesPerSecondMax = 2 * mebibyte;
  const held = workerOf(other, { periodMs: 10_000, bytesPerSecondMax });
  const heldMs = await completeRound(held, other);
  assert.ok(heldMs >= 19_000 && heldMs < 22_000, `${heldMs}`);
  assert.deepEqual(other.log.names('warn'), ['scrub.late']);
});

test('archives that are added after the end of a round are read in it within the hour', async () => {
  await using domain = await openDomain();
  const worker = workerOf(domain);
  await completeRound(worker, domain);
  assert.deepEqual(events(domain), []);
  const archiveId = await storeText(domain, 'late');
  const beforeMs = domain.clock.now();
  await worker.wake(goingOn);
  assert.equal(domain.clock.now() - beforeMs, hourMs);
  await completeRound(worker, domain);
  assert.equal((await verificationOf(domain, archiveId))?.damage, null);
  assert.equal(worker.progress.round, 1);
  assert.equal(worker.progress.archivesDone, 1);
});

test('the next round begins when the period of the last is over', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const worker = workerOf(domain, { periodMs: dayMs });
  await completeRound(worker, domain);
  const first = await verificationOf(domain, archiveId);
  domain.clock.advance(dayMs);
  await worker.step(goingOn);
  await completeRound(worker, domain);
  assert.equal(worker.progress.round, 2);
  const second = await verificationOf(domain, archiveId);
  assert.ok((second?.verifiedAtMs ?? 0) > (first?.verifiedAtMs ?? 0));
});

test('a restart goes on behind what was noted', async () => {
  await using domain = await openDomain();
  const ids: string[] = [];
  for (let count = 0; count < 8; count += 1) {
    ids.push((await domain.archives.store(upload(sampleBytes(mebibyte, count + 1)))).archiveId);
  }
  const before = workerOf(domain);
  for (let count = 0; count < 6; count += 1) await stepAndRest(before);
  const after = workerOf(domain);
  await after.step(goingOn);
  const { round, archivesDone, startedAtMs } = after.progress;
  assert.equal(round, 1);
  assert.equal(startedAtMs, before.progress.startedAtMs);
  assert.ok(archivesDone >= 5 && archivesDone <= before.progress.archivesDone + 1);
  await completeRound(after, domain);
  assert.equal(after.progress.archivesDone, 8);
  for (const id of ids) assert.equal((await verificationOf(domain, id))?.damage, null);
});

test('notes of many archives share a write, and none waits for longer than some seconds', async () => {
  await using domain = await openDomain();
  for (let count = 0; count < 1280; count += 1) await storeText(domain, `${count}`);
  let writes = 0;
  const store = Object.assign(Object.create(domain.store), {
    read: domain.store.read.bind(domain.store),
    write: (work: Parameters<Domain['store']['write']>[0]) => {
      writes += 1;
      return domain.store.write(work);
    },
  });
  const tookMs = await completeRound(workerOf(domain, { store }), domain);
  assert.ok(tookMs >= 19_000 && tookMs < 23_000, `${tookMs}`);
  assert.ok(writes >= 3 && writes <= 6, `${writes}`);
});

test('notes that cannot be written are written later, before anything more is read', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const store = faulty(domain.store);
  const worker = workerOf(domain, { store: store.it });
  store.failNext('write', unavailable, 2);
  await assert.rejects(worker.step(goingOn), unavailable);
  assert.equal(worker.progress.lastCompletedAtMs, null);
  domain.clock.advance(5000);
  await assert.rejects(worker.step(goingOn), unavailable);
  await completeRound(worker, domain);
  assert.equal((await verificationOf(domain, archiveId))?.damage, null);
  assert.equal(worker.progress.archivesDone, 1);
});

test('a store that has no room for notes makes it rest for a minute, and is no failure', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const store = faulty(domain.store);
  const worker = workerOf(domain, { store: store.it });
  store.failNext('write', new StoreError('StoreFull', 'no room for rows'));
  await worker.step(goingOn);
  assert.equal(await verificationOf(domain, archiveId), undefined);
  const beforeMs = domain.clock.now();
  await worker.wake(goingOn);
  assert.equal(domain.clock.now() - beforeMs, 60_000);
  await worker.step(goingOn);
  assert.equal((await verificationOf(domain, archiveId))?.damage, null);
});

test('an archive that cannot be read over and over counts as damaged, and holds up no other', async () => {
  await using domain = await openDomain();
  const stuck = await storeText(domain, 'stuck');
  const sound = await storeText(domain, 'sound');
  const blobs = faulty(domain.blobs);
  blobs.failNext('describe', unavailable, 5);
  const worker = workerOf(domain, { blobs: blobs.it });
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await assert.rejects(worker.step(goingOn), unavailable);
  }
  await completeRound(worker, domain);
  const damage = 'It could not be read: the disk does not answer';
  assert.equal((await verificationOf(domain, stuck))?.damage, damage);
  assert.equal((await verificationOf(domain, sound))?.damage, null);
});

test('archives that are forgotten or move while their page is at hand are no damage', async () => {
  await using domain = await openDomain();
  const ids: string[] = [];
  for (let count = 0; count < 4; count += 1) {
    ids.push((await domain.archives.store(upload(sampleBytes(mebibyte, count + 1)))).archiveId);
  }
  const worker = workerOf(domain);
  await worker.step(goingOn);
  const [, , moved, forgotten] = ids;
  assert.ok(moved !== undefined && forgotten !== undefined);
  const from = await blobOf(domain, moved);
  const to = await domain.blobs.duplicate(from);
  await domain.store.write((rows) => rows.blobs.repoint(from, to));
  await domain.blobs.remove(from);
  await domain.archives.remove(photos, forgotten);
  await domain.blobs.remove(await blobOf(domain, forgotten));
  await domain.store.write(({ archives }) => archives.forget(forgotten));
  await completeRound(worker, domain);
  assert.deepEqual(events(domain), ['info scrub.completed']);
  assert.equal(worker.progress.archivesDone, 3);
});

test('a clock that is set back does not keep archives from being read again', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  const worker = workerOf(domain, { periodMs: dayMs });
  await completeRound(worker, domain);
  const nowMs = domain.clock.now();
  let offsetMs = -1000 * dayMs;
  const clock = {
    now: () => domain.clock.now() + offsetMs,
    elapsedMs: () => domain.clock.elapsedMs(),
    sleep: domain.clock.sleep.bind(domain.clock),
  };
  const later = workerOf(domain, { clock, periodMs: dayMs });
  await later.step(goingOn);
  assert.equal(later.progress.startedAtMs, nowMs + offsetMs);
  offsetMs += dayMs;
  await later.step(goingOn);
  assert.equal(later.progress.round, 2);
});

test('a stop ends a step and a rest with its reason', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  const worker = new ScrubArchives(domain);
  const reason = new Error('stopped');
  await assert.rejects(worker.step(AbortSignal.abort(reason)), reason);
  await worker.step(goingOn);
  const stopping = new AbortController();
  const rest = worker.wake(stopping.signal);
  stopping.abort(reason);
  await assert.rejects(rest, reason);
});
