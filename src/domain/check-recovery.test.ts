import assert from 'node:assert/strict';
import test from 'node:test';
import { goingOn } from '../../tests/support/domain.ts';
import { SimulatedClock } from '../lib/clock.ts';
import { MemoryJournal } from '../storage/memory/memory-journal.ts';
import { MemorySnapshots } from '../storage/memory/memory-snapshots.ts';
import { checkRecovery } from './check-recovery.ts';

const batch = (sequence: number) => ({ sequence, payload: Buffer.from(`${sequence}`) });

async function* bytes(text = 'a copy of all rows') {
  yield Buffer.from(text);
}

/** Batches `from` to `to` in the journal, and snapshots after the batches `after`, a minute old. */
async function kept({
  from = 1,
  to,
  after = [],
}: {
  readonly from?: number;
  readonly to: number;
  readonly after?: readonly number[];
}) {
  const clock = new SimulatedClock();
  const snapshots = new MemorySnapshots({ clock });
  for (const sequence of after) await snapshots.write(bytes(), sequence);
  clock.advance(60_000);
  const length = to - from + 1;
  const journal = new MemoryJournal(Array.from({ length }, (_, index) => batch(from + index)));
  return { clock, snapshots, journal, signal: goingOn };
}

test('a journal from the first batch on is enough', async () => {
  assert.deepEqual(await checkRecovery(await kept({ to: 3 })), {
    snapshotCount: 0,
    snapshotBytes: 0,
    batchCount: 3,
    problems: [],
  });
});

test('nothing at all is enough for nothing at all', async () => {
  assert.deepEqual((await checkRecovery(await kept({ to: 0 }))).problems, []);
});

test('snapshots and the journal since the older of them are enough', async () => {
  assert.deepEqual(await checkRecovery(await kept({ from: 11, to: 25, after: [10, 20] })), {
    snapshotCount: 2,
    snapshotBytes: 36,
    batchCount: 15,
    problems: [],
  });
  // The journal may reach back further, and may hold nothing since.
  assert.deepEqual((await checkRecovery(await kept({ to: 25, after: [10] }))).problems, []);
  assert.deepEqual((await checkRecovery(await kept({ to: 10, after: [10] }))).problems, []);
});

test('a snapshot whose header is damaged is named', async () => {
  const options = await kept({ to: 12, after: [10, 12] });
  const [newest] = await options.snapshots.list();
  options.snapshots.damageHeader(`${newest?.name}`);
  const { problems } = await checkRecovery(options);
  assert.equal(problems.length, 1);
  assert.match(problems.join(), new RegExp(`${newest?.name}.*its header`));
});

test('a snapshot that is damaged is named', async () => {
  const options = await kept({ from: 11, to: 12, after: [10, 12] });
  options.snapshots.damage('snapshot-2');
  assert.deepEqual((await checkRecovery(options)).problems, [
    'The snapshot snapshot-2 of the database is damaged: snapshot-2 is damaged.',
  ]);
});

test('a journal that begins too late is told, once', async () => {
  for (const after of [[], [10]]) {
    const options = await kept({ from: 15, to: 17, after });
    assert.equal((await checkRecovery(options)).problems.length, 1);
  }
  const silent = await kept({ from: 15, to: 17, after: [10] });
  const journal = Object.assign(Object.create(silent.journal), {
    async *read() {
      yield* silent.journal.batches;
    },
  });
  Object.defineProperty(journal, 'lastSequence', { value: 17 });
  assert.deepEqual((await checkRecovery({ ...silent, journal })).problems, [
    'The journal lacks the batches 11 to 14, since the oldest snapshot.',
  ]);
});

test('damage of the journal is told, all of it', async () => {
  const options = await kept({ to: 3 });
  const journal = new MemoryJournal([batch(1), batch(3), batch(6)]);
  assert.deepEqual((await checkRecovery({ ...options, journal })).problems, [
    'The journal is damaged: no batch from 2 to 2.',
    'The journal is damaged: no batch from 4 to 5.',
  ]);
});

test('a journal that ends before a snapshot has lost its end, unless that is quite new', async () => {
  const options = await kept({ to: 20, after: [10, 25] });
  assert.deepEqual((await checkRecovery(options)).problems, [
    'The journal ends with batch 20, before the snapshot snapshot-2 of batch 25: its end is lost.',
  ]);
  const running = await kept({ to: 20, after: [10] });
  await running.snapshots.write(bytes(), 25);
  assert.deepEqual((await checkRecovery(running)).problems, []);
});

test('snapshots that come and go while they are read make it read again', async () => {
  const options = await kept({ to: 20, after: [5, 10] });
  let reads = 0;
  const journal = Object.assign(Object.create(options.journal), {
    async *read(afterSequence: number) {
      reads += 1;
      if (reads === 1) {
        await options.snapshots.write(bytes(), 20);
        await options.snapshots.remove('snapshot-1');
        await options.journal.forget(10);
      }
      yield* options.journal.read(afterSequence);
    },
  });
  Object.defineProperty(journal, 'lastSequence', { value: 20 });
  const report = await checkRecovery({ ...options, journal });
  assert.deepEqual(report.problems, []);
  assert.equal(reads, 2);
  assert.equal(report.batchCount, 10);
});

test('a journal that is gone is told by what the database has', async () => {
  const nothing = await kept({ to: 0 });
  assert.deepEqual((await checkRecovery({ ...nothing, databaseSequence: 9 })).problems, [
    'There is neither a snapshot nor a journal, and the database has batch 9: it could not be made ' +
      'again without a loss.',
  ]);
  const snapshot = await kept({ to: 0, after: [9] });
  assert.deepEqual((await checkRecovery({ ...snapshot, databaseSequence: 9 })).problems, [
    'There is no journal, and the database has batch 9: it could not be made again without a loss.',
  ]);
});

test('a journal that ends before the database has lost its end', async () => {
  const options = await kept({ to: 12, after: [10] });
  assert.deepEqual((await checkRecovery({ ...options, databaseSequence: 12 })).problems, []);
  assert.deepEqual((await checkRecovery({ ...options, databaseSequence: 15 })).problems, [
    'The journal ends with batch 12, and the database has batch 15: its end is lost.',
  ]);
});
