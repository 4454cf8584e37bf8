import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import type { Journal } from '../journal.ts';
import { MemoryJournal } from '../memory/memory-journal.ts';
import { MemorySnapshots } from '../memory/memory-snapshots.ts';
import {
  accountId,
  blobId,
  region,
  sampleArchive,
  sampleBlobs,
  sampleCharge,
  sampleInventoryJob,
  sampleLock,
  sampleRetrieval,
  sampleUnit,
  sampleVault,
  succeeded,
} from '../metadata-specimen.ts';
import type { WritableRows } from '../metadata-store.ts';
import { abortedAt, completedAt, samplePart, sampleUpload } from '../metadata-upload-specimen.ts';
import { rebuildDatabase } from './rebuild.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';
import { dumpRows } from './table-dump.ts';

/** What a transaction does: names are few, so that its steps meet. */
type Step = (rows: WritableRows) => Promise<unknown>;

/** `step` where `find` finds something: most that fails is a transaction that leaves nothing. */
function where(find: (rows: WritableRows) => Promise<unknown>, step: Step): Step {
  return async (rows) => ((await find(rows)) === undefined ? undefined : step(rows));
}

const inVault = (id: string, step: Step) => where(({ vaults }) => vaults.getById(id), step);
const ofUpload = (id: string, step: Step) => where(({ uploads }) => uploads.get(id), step);

const name = fc.constantFrom('a', 'b', 'c');
const time = fc.integer({ min: 1, max: 9 });

const settingsStep: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(name, fc.array(fc.record({ key: name, value: fc.string() }))).map(([id, tags]): Step => {
    return inVault(id, ({ vaultSettings }) => vaultSettings.putTags(id, tags));
  }),
  fc.tuple(name, fc.array(name)).map(([id, keys]): Step => {
    return ({ vaultSettings }) => vaultSettings.removeTags(id, keys);
  }),
  fc.tuple(name, fc.option(fc.array(name))).map(([id, events]): Step => {
    const notifications = events && { snsTopic: 'topic', events };
    return inVault(id, ({ vaultSettings }) => vaultSettings.setNotifications(id, notifications));
  }),
  fc.tuple(name, fc.option(fc.string({ unit: 'binary' }))).map(([id, policy]): Step => {
    return inVault(id, ({ vaultSettings }) => vaultSettings.setAccessPolicy(id, policy));
  }),
  fc.tuple(name, fc.option(time), fc.boolean()).map(([id, atMs, isLocked]): Step => {
    const lock = sampleLock(isLocked ? { state: 'Locked', expiresAtMs: null } : {});
    const set = atMs === null ? null : { ...lock, createdAtMs: atMs };
    return inVault(id, ({ vaultSettings }) => vaultSettings.setLock(id, set));
  }),
);

const uploadStep: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(name, name).map(([id, vaultId]): Step => {
    return ({ uploads }) => uploads.insert(sampleUpload(id, { vaultId }));
  }),
  fc.tuple(name, name, time, fc.boolean()).map(([id, vaultId, endedAtMs, isDiscarded]): Step => {
    const aborted = abortedAt(sampleUpload(id, { vaultId }), endedAtMs);
    return ofUpload(id, ({ uploads }) => uploads.update({ ...aborted, isDiscarded }));
  }),
  fc.tuple(name, time).map(([id, atMs]): Step => {
    return ({ uploads }) => uploads.touch(id, atMs);
  }),
  fc.tuple(name, name, fc.nat(2), time).map(([id, blob, index, atMs]): Step => {
    const part = samplePart(id, index, { blobId: blobId(`${blob}.1`) });
    return ofUpload(id, ({ uploads }) => uploads.putPart(id, part, atMs));
  }),
  fc.tuple(name, fc.array(fc.nat(2))).map(([id, indexes]): Step => {
    return ({ uploads }) => uploads.removeParts(id, indexes);
  }),
  fc.tuple(name, time, fc.integer({ min: 1, max: 2 })).map(([vaultId, atMs, limit]): Step => {
    return ({ uploads }) => uploads.abandon(vaultId, atMs, limit);
  }),
  // One that has parts is not forgotten.
  name.map(
    (id): Step =>
      async ({ uploads }) => {
        const parts = await uploads.listParts({ uploadId: id, after: null, limit: 1 });
        if (parts.length === 0) await uploads.remove(id);
      },
  ),
  // As it comes to pass: parts, and the archive that they become.
  fc.tuple(name, name, name, fc.nat(3)).map(([id, archiveId, vaultId, count]): Step => {
    const upload = sampleUpload(id, { vaultId });
    return async ({ uploads, archives }) => {
      await uploads.insert(upload);
      for (let index = 0; index < count; index++) {
        await uploads.putPart(id, samplePart(id, index), 2);
      }
      const archive = sampleArchive(archiveId, { vaultId, sizeBytes: count * 10 });
      await archives.insertUploaded(archive, id, blobId(`label of ${id}`));
      await uploads.update(completedAt(upload, archiveId, 3));
    };
  }),
  fc.tuple(name, name).map(([id, archiveId]): Step => {
    return ofUpload(id, async ({ archives, uploads }) => {
      const parts = await uploads.listParts({ uploadId: id, after: null, limit: 9 });
      const archive = sampleArchive(archiveId, { sizeBytes: parts.length * 10 });
      await archives.insertUploaded(archive, id, blobId('label'));
    });
  }),
);

const retrievalStep: fc.Arbitrary<Step> = fc.oneof(
  fc.option(fc.maxSafeNat()).map((limit): Step => {
    const strategy = limit === null ? 'None' : 'BytesPerHour';
    const policy = { strategy, bytesPerHour: limit === null ? null : `${limit}123` } as const;
    return ({ retrievals }) => retrievals.setPolicy({ accountId, region }, policy);
  }),
  fc.tuple(name, time, time, fc.maxSafeNat()).map(([id, createdAtMs, ageMs, sizeBytes]): Step => {
    const times = { createdAtMs, countsUntilMs: createdAtMs + ageMs };
    return ({ retrievals }) => retrievals.insertCharge(sampleCharge(id, { ...times, sizeBytes }));
  }),
  fc
    .tuple(time, time, fc.integer({ min: 1, max: 2 }))
    .map(([begunBeforeMs, ageMs, limit]): Step => {
      const nowMs = begunBeforeMs + ageMs;
      const query = { begunBeforeMs, begunAfterMs: nowMs + ageMs, nowMs, limit };
      return ({ retrievals }) => retrievals.forgetCharges(query);
    }),
  fc.tuple(name, time).map(([id, expiresAtMs]): Step => {
    return ({ capacity }) => capacity.insert(sampleUnit(id, { expiresAtMs }));
  }),
  time.map(
    (nowMs): Step =>
      ({ capacity }) =>
        capacity.forgetExpired(nowMs),
  ),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  name.map(
    (id): Step =>
      ({ vaults }) =>
        vaults.insert(sampleVault(id)),
  ),
  fc.tuple(name, time).map(([id, atMs]): Step => {
    const change = { archives: 1, sizeBytes: 30, atMs } as const;
    return inVault(id, ({ vaults }) => vaults.recordChange(id, change));
  }),
  fc.tuple(name, time).map(([id, takenAtMs]): Step => {
    const inventory = { takenAtMs, asOfChange: 2, archiveCount: 1, sizeBytes: 30 };
    return inVault(id, ({ vaults }) => vaults.setLastInventory(id, inventory));
  }),
  name.map(
    (id): Step =>
      ({ vaults }) =>
        vaults.remove(id),
  ),
  fc.constant<Step>(({ vaults }) => vaults.clearLastInventories()),
  fc.tuple(name, name, time).map(([id, vaultId, createdAtMs]): Step => {
    const archive = sampleArchive(id, { vaultId, createdAtMs });
    return ({ archives }) => archives.insert(archive, sampleBlobs(id));
  }),
  name.map(
    (id): Step =>
      async ({ archives }) => {
        if ((await archives.get(id))?.removedChange === null) await archives.markRemoved(id, 5);
      },
  ),
  name.map(
    (id): Step =>
      ({ archives }) =>
        archives.forget(id),
  ),
  fc.tuple(name, name, time).map(([id, vaultId, dueAtMs]): Step => {
    const job = sampleRetrieval(id, { vaultId, dueAtMs });
    return inVault(vaultId, ({ jobs }) => jobs.insert(job));
  }),
  fc.tuple(name, name, time).map(([id, vaultId, expiresAtMs]): Step => {
    const output = { blobId: blobId(`output of ${id}`), sizeBytes: 5 };
    const job = succeeded(sampleInventoryJob(id, { vaultId, output }), expiresAtMs);
    return where(
      ({ jobs }) => jobs.get(id),
      inVault(vaultId, ({ jobs }) => jobs.update(job)),
    );
  }),
  name.map(
    (id): Step =>
      ({ jobs }) =>
        jobs.remove(id),
  ),
  fc.tuple(time, fc.integer({ min: 1, max: 2 })).map(([nowMs, limit]): Step => {
    const claim = { action: 'ArchiveRetrieval', nowMs, untilMs: nowMs + 2, limit } as const;
    return ({ jobs }) => jobs.lease(claim);
  }),
  name.map(
    (id): Step =>
      ({ jobs }) =>
        jobs.extendLease(id, 20),
  ),
  fc.constant<Step>(({ jobs }) => jobs.releaseLeases()),
  fc.constant<Step>(({ accounts }) => accounts.insert({ accountId, name: 'one', createdAtMs: 1 })),
  fc.tuple(name, fc.boolean()).map(([accessKeyId, isActive]): Step => {
    const key = { accessKeyId, secretAccessKey: 'secret', accountId, isActive, createdAtMs: 2 };
    return ({ accounts }) => accounts.insertAccessKey(key);
  }),
  name.map(
    (id): Step =>
      ({ accounts }) =>
        accounts.removeAccessKey(id),
  ),
  fc.tuple(name, fc.string()).map(([id, value]): Step => {
    return ({ facts }) => facts.set(id, value);
  }),
  fc.tuple(name, name).map(([from, to]): Step => {
    return ({ blobs }) => blobs.repoint(blobId(`${from}.1`), blobId(`${to}.1`));
  }),
  fc.tuple(fc.array(fc.integer({ min: 1, max: 9 })), time).map(([ordinals, verifiedAtMs]): Step => {
    return ({ verifications }) => verifications.note(ordinals, { verifiedAtMs, damage: null });
  }),
  { arbitrary: uploadStep, weight: 8 },
  { arbitrary: settingsStep, weight: 4 },
  { arbitrary: retrievalStep, weight: 4 },
);

interface Transaction {
  readonly steps: readonly Step[];
  readonly isTakenBack: boolean;
  /** Whether it takes a `Conflict` for an answer. */
  readonly isPatient: boolean;
}

const transaction: fc.Arbitrary<Transaction> = fc.record({
  steps: fc.array(step, { maxLength: 6 }),
  isTakenBack: fc.integer({ min: 0, max: 4 }).map((value) => value === 0),
  isPatient: fc.boolean(),
});

/** Transactions that come at once, and those that come when they are over, and so on. */
const storm = fc.array(fc.array(transaction, { maxLength: 8 }), { minLength: 1, maxLength: 20 });

test('a replay of the journal makes the same tables, also after a snapshot', async () => {
  await inDirectory(async (directory) => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(storm, fc.nat(), async (waves, moment) => {
        round += 1;
        await assertReplays(join(directory, `${round}.db`), waves, moment % waves.length);
      }),
      { numRuns: 15, seed: 20_260_131 },
    );
  });
});

async function assertReplays(
  path: string,
  waves: readonly (readonly Transaction[])[],
  snapshotAt: number,
): Promise<void> {
  const clock = new SimulatedClock();
  const journal = new MemoryJournal();
  const snapshots = new MemorySnapshots({ clock });
  const common = { path, clock, log: silentLog, snapshots };
  {
    await using store = await SqliteMetadataStore.open({ ...common, journal });
    await store.write(async ({ vaults }) => {
      for (const id of ['a', 'b', 'c']) await vaults.insert(sampleVault(id));
    });
    for (const [index, wave] of waves.entries()) {
      const running = Promise.allSettled(wave.map((each) => run(store, each)));
      if (index === snapshotAt) await store.takeSnapshot(new AbortController().signal);
      await running;
    }
  }
  const original = dumpRows(path);
  // In an empty database, as after the first power cut of all.
  const replayed = `${path}.replayed`;
  await (await SqliteMetadataStore.open({ ...common, path: replayed, journal }))[
    Symbol.asyncDispose
  ]();
  assert.deepEqual(dumpRows(replayed), original);
  // From the snapshot, without the part of the journal that is in it.
  const [snapshot] = await snapshots.list();
  // There was nothing to copy yet.
  if (snapshot === undefined) return;
  const rest = new MemoryJournal(journal.batches);
  await rest.forget(snapshot.sequence);
  await rebuildFrom(path, rest, common);
  assert.deepEqual(dumpRows(path), original);
}

async function rebuildFrom(
  path: string,
  journal: Journal,
  common: Pick<Parameters<typeof rebuildDatabase>[0], 'clock' | 'log' | 'snapshots'>,
): Promise<void> {
  const { lost } = await rebuildDatabase({ ...common, path, journal, loss: 'refuse' });
  assert.deepEqual(lost, []);
}

async function run(store: SqliteMetadataStore, each: Transaction): Promise<void> {
  await store.write(async (rows) => {
    for (const take of each.steps) {
      try {
        await take(rows);
      } catch (error) {
        const isConflict = error instanceof Error && 'code' in error && error.code === 'Conflict';
        if (!each.isPatient || !isConflict) throw error;
      }
    }
    if (each.isTakenBack) throw new Error('second thoughts');
  });
}

test('ids of archives come out the same, whatever was forgotten or taken back meanwhile', async () => {
  await inDirectory(async (directory) => {
    const clock = new SimulatedClock();
    const journal = new MemoryJournal();
    const open = (path: string) =>
      SqliteMetadataStore.open({ path, clock, log: silentLog, journal });
    const path = join(directory, 'firn.db');
    {
      await using store = await open(path);
      const insert = (id: string, isTakenBack = false) =>
        store.write(async ({ archives }) => {
          await archives.insert(sampleArchive(id), sampleBlobs(id));
          if (isTakenBack) throw new Error('second thoughts');
        });
      await insert('a');
      await assert.rejects(insert('b', true), /second thoughts/);
      await insert('c');
      await store.write(async ({ archives }) => {
        await archives.markRemoved('c', 5);
        await archives.forget('c');
      });
      await insert('d');
      const listed = await store.read(({ verifications }) =>
        verifications.list({ afterOrdinal: 0, limit: 9 }),
      );
      assert.deepEqual(
        listed.map(({ ordinal, archive }) => [ordinal, archive.archiveId]),
        [
          [1, 'a'],
          [3, 'd'],
        ],
      );
    }
    const replayed = join(directory, 'replayed.db');
    await (await open(replayed))[Symbol.asyncDispose]();
    assert.deepEqual(dumpRows(replayed), dumpRows(path));
  });
});

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'firn-replay-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}
