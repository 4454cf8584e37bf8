import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  inventory,
  openDomain,
  outputOf,
  photos,
  runUntilIdle,
  storeText,
  upload,
  videos,
} from '../../tests/support/domain.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { mebibyte } from '../../tests/support/tree-hash-reference.ts';
import { sampleBytes, writeBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import { StoreError } from '../storage/errors.ts';
import { MemoryJournal } from '../storage/memory/memory-journal.ts';
import { MemorySnapshots } from '../storage/memory/memory-snapshots.ts';
import { repairFact } from '../storage/repair-state.ts';
import { TakeInventories } from '../workers/take-inventories.ts';
import { type CheckOptions, check } from './check.ts';
import type { CheckEvent } from './check-report.ts';

const minuteMs = 60_000;
const unavailable = new StoreError('StoreUnavailable', 'the disk does not answer');

function run(domain: Domain, other: Partial<CheckOptions> = {}) {
  return check({
    rows: domain.store,
    blobs: domain.blobs,
    clock: domain.clock,
    snapshots: undefined,
    journal: undefined,
    signal: goingOn,
    ...other,
  });
}

async function blobOf({ store }: Domain, archiveId: string): Promise<BlobId> {
  const [part] = await store.read(({ archives }) => archives.blobs(archiveId));
  assert.ok(part !== undefined);
  return part.blobId;
}

/** An inventory job that succeeded, and the blob of its output. */
async function takeInventory(domain: Domain) {
  const jobId = await inventory(domain);
  await runUntilIdle(new TakeInventories({ ...domain, arrivals: domain.arrivals.inventories }));
  const job = await domain.store.read(({ jobs }) => jobs.get(jobId));
  assert.ok(job?.output);
  return { jobId, output: job.output };
}

test('a store in which all is well is sound, and all of it was read', async () => {
  await using domain = await openDomain();
  await domain.archives.store(upload(sampleBytes(2 * mebibyte + 1)));
  await storeText(domain, 'hello');
  await domain.archives.remove(photos, await storeText(domain, 'removed'));
  await domain.vaults.create(videos);
  const { output } = await takeInventory(domain);
  domain.clock.advance(minuteMs);
  assert.deepEqual(await run(domain), {
    archivesChecked: 3,
    outputsChecked: 1,
    partsChecked: 0,
    bytesRead: 2 * mebibyte + 1 + 5 + 7 + output.sizeBytes,
    damagedCount: 0,
    damaged: [],
    orphans: { count: 0, sizeBytes: 0, archiveCount: 0, partCount: 0, blobIds: [] },
    problems: [],
    notes: [],
    recovery: null,
    durationMs: 0,
    isSound: true,
  });
});

test('what the database finds wrong with itself is a problem', async () => {
  await using domain = await openDomain();
  const integrityProblems = async () => ['row 8 missing from index archives_by_id'];
  const replayDifferences = async () => [];
  const report = await run(domain, { integrityProblems, replayDifferences });
  assert.equal(report.isSound, false);
  assert.match(report.problems.join(), /row 8 missing.*firn repair --rebuild/);
});

test('a database that differs from its journal is a problem, and one that is not compared is none', async () => {
  await using domain = await openDomain();
  const integrityProblems = async () => [];
  const report = await run(domain, {
    integrityProblems,
    replayDifferences: async () => ['The database differs from its journal in vaults.'],
  });
  assert.match(report.problems.join(), /in vaults.*firn repair --rebuild/);
  assert.equal(report.isSound, false);
  const uncompared = await run(domain, { integrityProblems, replayDifferences: async () => null });
  assert.equal(uncompared.isSound, true);
});

test('a store of nothing is sound', async () => {
  await using domain = await openDomain();
  const report = await run(domain);
  assert.deepEqual([report.isSound, report.archivesChecked, report.bytesRead], [true, 0, 0]);
});

test('a damaged archive is told as it is found, with all that a person needs to know', async () => {
  await using domain = await openDomain();
  const createdAtMs = domain.clock.now();
  await storeText(domain, 'sound');
  const bytes = Buffer.from('hello');
  const { archiveId } = await domain.archives.store(upload(bytes, { description: 'holiday' }));
  const blobId = await blobOf(domain, archiveId);
  domain.blobs.damage(blobId, 4);
  const events: CheckEvent[] = [];
  const report = await run(domain, { onProgress: (event) => events.push(event) });
  const archive = {
    ...photos,
    archiveId,
    description: 'holiday',
    sizeBytes: 5,
    createdAtMs,
    damage:
      `Bytes 0-4 are damaged, in blob ${blobId}: ` +
      `Frame 0 of blob ${blobId} fails its verification.`,
  };
  assert.deepEqual(report.damaged, [archive]);
  assert.deepEqual([report.damagedCount, report.archivesChecked], [1, 2]);
  assert.equal(report.isSound, false);
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'damaged'),
    [{ kind: 'damaged', archive }],
  );
});

test('progress is told, up to the whole', async () => {
  await using domain = await openDomain();
  for (const text of ['one', 'two', 'three']) await storeText(domain, text);
  const events: CheckEvent[] = [];
  await run(domain, { onProgress: (event) => events.push(event) });
  const phases = events.flatMap((event) => (event.kind === 'phase' ? [event.phase] : []));
  assert.deepEqual(phases, ['archives', 'outputs', 'uploads', 'vaults', 'orphans']);
  assert.deepEqual(
    events.findLast(({ kind }) => kind === 'progress'),
    {
      kind: 'progress',
      archivesChecked: 3,
      archivesTotal: 3,
      bytesRead: 11,
      bytesTotal: 11,
    },
  );
});

test('every archive is read once, however many are read at a time', async () => {
  await using domain = await openDomain();
  for (let count = 0; count < 230; count += 1) await storeText(domain, `${count}`);
  for (const concurrency of [1, 3, 300]) {
    const report = await run(domain, { concurrency });
    assert.deepEqual([report.archivesChecked, report.isSound], [230, true]);
  }
});

test('an archive that cannot be read is told, and the others are read', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  await storeText(domain, 'world');
  const blobs = faulty(domain.blobs);
  blobs.failNext('describe', unavailable);
  const report = await run(domain, { blobs: blobs.it });
  assert.deepEqual(
    report.damaged.map(({ damage }) => damage),
    ['It could not be read: the disk does not answer'],
  );
  assert.equal(report.archivesChecked, 2);
});

test('an archive whose vault has no row is told, one that was removed before its vault is not', async () => {
  await using domain = await openDomain();
  await domain.archives.remove(photos, await storeText(domain, 'hello'));
  await domain.vaults.remove(photos);
  assert.ok((await run(domain)).isSound);
  await domain.vaults.create(photos);
  const archiveId = await storeText(domain, 'world');
  await domain.store.write(async ({ vaults }) => {
    await vaults.remove((await vaults.get(photos))?.vaultId ?? '');
  });
  const report = await run(domain);
  assert.equal(report.problems.length, 1);
  assert.match(report.problems[0] ?? '', new RegExp(`^The archive ${archiveId} is in a vault`));
  assert.equal(report.isSound, false);
});

test('totals that are not those of the archives are told', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  await domain.store.write(async ({ vaults }) => {
    const vaultId = (await vaults.get(photos))?.vaultId ?? '';
    await vaults.recordChange(vaultId, { archives: 1, sizeBytes: 7, atMs: 0 });
  });
  assert.deepEqual((await run(domain)).problems, [
    'Vault photos of account 012345678901 in us-east-1 counts 2 archives of 12 bytes, and holds ' +
      '1 of 5 bytes.',
  ]);
});

test('archives that come and go make no problem, whenever they do', async () => {
  for (let nth = 1; nth <= 14; nth += 1) {
    await using domain = await openDomain();
    const going = await storeText(domain, 'going');
    await storeText(domain, 'stays');
    let reads = 0;
    const rows: CheckOptions['rows'] = {
      async read(work) {
        const result = await domain.store.read(work);
        reads += 1;
        if (reads === nth) {
          await storeText(domain, 'coming');
          await domain.archives.remove(photos, going);
          await domain.blobs.remove(await blobOf(domain, going));
          await domain.store.write(({ archives }) => archives.forget(going));
        }
        return result;
      },
    };
    const report = await run(domain, { rows });
    assert.ok(report.isSound, `after ${nth} reads: ${report.problems}`);
  }
});

test('an output that is damaged or lost is told, one that is gone with its job is not', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  const { jobId, output } = await takeInventory(domain);
  domain.blobs.damage(output.blobId, 0);
  const problem = (reason: string) =>
    `The output of job ${jobId} of vault photos of account 012345678901 in us-east-1 is damaged: ` +
    `${reason}.`;
  assert.deepEqual((await run(domain)).problems, [
    problem(`Frame 0 of blob ${output.blobId} fails its verification`),
  ]);
  await domain.blobs.remove(output.blobId);
  assert.deepEqual((await run(domain)).problems, [problem(`There is no blob ${output.blobId}`)]);
  await domain.store.write(({ jobs }) => jobs.remove(jobId));
  assert.ok((await run(domain)).isSound);
});

test('an output that moves while it is read is read where it is', async () => {
  await using domain = await openDomain();
  const { jobId, output } = await takeInventory(domain);
  const before = await outputOf(domain, jobId);
  const blobs = {
    list: domain.blobs.list.bind(domain.blobs),
    read: domain.blobs.read.bind(domain.blobs),
    async describe(id: BlobId) {
      if (id === output.blobId) {
        const to = await domain.blobs.duplicate(id);
        await domain.store.write((rows) => rows.blobs.repoint(id, to));
        await domain.blobs.remove(id);
      }
      return domain.blobs.describe(id);
    },
  };
  const report = await run(domain, { blobs });
  assert.deepEqual([report.isSound, report.outputsChecked], [true, 1]);
  assert.deepEqual(await outputOf(domain, jobId), before);
});

test('blobs without a row are told, but for those that were just written', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'has a row');
  const { id } = await writeBytes(domain.blobs, Buffer.from('has none'));
  domain.clock.advance(minuteMs);
  await writeBytes(domain.blobs, Buffer.from('just now'));
  const report = await run(domain);
  const orphans = { count: 1, sizeBytes: 8, archiveCount: 0, partCount: 0, blobIds: [id] };
  assert.deepEqual([report.orphans, report.notes], [orphans, []]);
  assert.ok(report.isSound);
});

test('blobs without a row that tell of archives are noted, and are nothing wrong', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'has a row');
  await domain.blobs.duplicate(await blobOf(domain, archiveId));
  domain.clock.advance(minuteMs);
  const before = await run(domain);
  assert.deepEqual([before.isSound, before.orphans.archiveCount], [true, 1]);
  assert.deepEqual(before.notes, [
    'One blob without a row is labelled as of an archive. Uploads and deletions that a crash has ' +
      'cut short leave such blobs.',
  ]);
  await domain.store.write(({ facts }) => facts.set(repairFact.name, repairFact.advised));
  assert.match((await run(domain)).notes.join(), /`firn repair --rebuild` makes rows for them/);
});

test('a blob that gets its row, or goes, before the end of the check is no orphan', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'moves');
  const from = await blobOf(domain, archiveId);
  const to = await domain.blobs.duplicate(from);
  const gone = await writeBytes(domain.blobs, Buffer.from('goes'));
  domain.clock.advance(minuteMs);
  const blobs = {
    describe: domain.blobs.describe.bind(domain.blobs),
    read: domain.blobs.read.bind(domain.blobs),
    async *list() {
      yield* domain.blobs.list();
      await domain.store.write((rows) => rows.blobs.repoint(from, to));
      await domain.blobs.remove(from);
      await domain.blobs.remove(gone.id);
    },
  };
  assert.deepEqual((await run(domain, { blobs })).orphans, {
    ...{ count: 0, sizeBytes: 0, archiveCount: 0, partCount: 0, blobIds: [] },
  });
});

test('more than a hundred blobs without a row mean lost rows', async () => {
  await using domain = await openDomain();
  for (let count = 0; count < 101; count += 1) {
    await writeBytes(domain.blobs, Buffer.from(`${count}`));
  }
  domain.clock.advance(minuteMs);
  const report = await run(domain);
  assert.deepEqual(report.problems, ['101 blobs have no row: rows have been lost.']);
  assert.equal(report.isSound, false);
});

test('what the database could be made again from is checked too', async () => {
  await using domain = await openDomain();
  const snapshots = new MemorySnapshots({ clock: domain.clock });
  const journal = new MemoryJournal([{ sequence: 2, payload: Buffer.from('second') }]);
  const problems: string[] = [];
  const report = await run(domain, {
    snapshots,
    journal,
    onProgress: (event) => {
      if (event.kind === 'problem') problems.push(event.problem);
    },
  });
  assert.equal(report.recovery?.problems.length, 1);
  assert.deepEqual(problems, report.recovery.problems);
  assert.equal(report.isSound, false);
});

test('a stop, and rows that cannot be read, end a check', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  const reason = new Error('stopped');
  await assert.rejects(run(domain, { signal: AbortSignal.abort(reason) }), reason);
  const store = faulty(domain.store);
  store.failNext('read', unavailable);
  await assert.rejects(run(domain, { rows: store.it }), unavailable);
});
