import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  hourMs,
  openDomain,
  outputOf,
  photos,
  retrieve,
  runUntilIdle,
  settle,
  storeText,
  upload,
} from '../../tests/support/domain.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { mebibyte } from '../../tests/support/tree-hash-reference.ts';
import { Jobs } from '../domain/jobs.ts';
import { sha256 } from '../lib/node/sha256.ts';
import { toHex, treeHash } from '../protocol/tree-hash.ts';
import { sampleBytes } from '../storage/blob-specimen.ts';
import { StoreError } from '../storage/errors.ts';
import { RetrieveArchives, type RetrieveArchivesOptions } from './retrieve-archives.ts';

const unreadable = new StoreError('StoreUnavailable', 'the disk does not answer');

function workerOf(domain: Domain, other: Partial<RetrieveArchivesOptions> = {}): RetrieveArchives {
  return new RetrieveArchives({ ...domain, arrivals: domain.arrivals.retrievals, ...other });
}

const statusOf = async (domain: Domain, jobId: string) =>
  (await domain.jobs.describe(photos, jobId)).statusCode;

/** What the log says of jobs that failed. */
const failures = ({ log }: Domain) => log.events.filter(({ event }) => event === 'job.failed');

async function blobOf({ store }: Domain, archiveId: string) {
  const [part] = await store.read(({ archives }) => archives.blobs(archiveId));
  assert.ok(part !== undefined);
  return part.blobId;
}

/** Puts an archive into the vault that is the same mebibyte over and over: some slices and a bit. */
async function storeLarge(
  domain: Domain,
  { slices = 1, wrongTreeHash }: { slices?: number; wrongTreeHash?: string } = {},
): Promise<string> {
  const frame = sampleBytes(mebibyte);
  const count = slices * 64 + 1;
  const { archiveId: small } = await domain.archives.store(upload(frame));
  const part = { blobId: await blobOf(domain, small), sizeBytes: mebibyte };
  const leaves = Buffer.concat(Array.from({ length: count }, () => sha256(frame)));
  const archiveId = 'large'.padEnd(138, '0');
  await domain.store.write(async ({ vaults, archives }) => {
    const vaultId = (await vaults.get(photos))?.vaultId ?? '';
    const sizeBytes = count * mebibyte;
    const atMs = domain.clock.now();
    const addedChange = await vaults.recordChange(vaultId, { archives: 1, sizeBytes, atMs });
    await archives.insert(
      {
        archiveId,
        vaultId,
        description: '',
        createdAtMs: atMs,
        sizeBytes,
        treeHash: wrongTreeHash ?? toHex(treeHash(leaves, sha256)),
        addedChange,
        removedChange: null,
      },
      Array.from({ length: count }, () => part),
    );
  });
  return archiveId;
}

test('a retrieval succeeds once its time has come and all its bytes were verified', async () => {
  const delaysMs = { Expedited: 0, Standard: 4 * hourMs, Bulk: 0, inventory: 0 };
  await using domain = await openDomain({ delaysMs });
  const jobId = await retrieve(domain, await storeText(domain, 'hello'));
  const worker = workerOf(domain);
  domain.clock.advance(4 * hourMs - 1);
  assert.equal(await worker.step(goingOn), 'idle');
  assert.equal(await statusOf(domain, jobId), 'InProgress');
  domain.clock.advance(1);
  await runUntilIdle(worker);
  assert.equal(await statusOf(domain, jobId), 'Succeeded');
  assert.equal((await outputOf(domain, jobId)).toString(), 'hello');
  assert.deepEqual(domain.log.events, [
    { level: 'info', event: 'job.succeeded', facts: { jobId } },
  ]);
});

test('a large archive is read a slice at a time, and does not hold up small ones', async () => {
  await using domain = await openDomain();
  const large = await retrieve(domain, await storeLarge(domain, { slices: 2 }));
  domain.clock.advance(1);
  const small = await retrieve(domain, await storeText(domain, 'hello'));
  const worker = workerOf(domain);
  const states = async () => [await statusOf(domain, large), await statusOf(domain, small)];
  await worker.step(goingOn);
  assert.deepEqual(await states(), ['InProgress', 'InProgress']);
  await worker.step(goingOn);
  assert.deepEqual(await states(), ['InProgress', 'Succeeded']);
  const latecomer = await retrieve(domain, await storeText(domain, 'late'));
  await worker.step(goingOn);
  await worker.step(goingOn);
  assert.equal(await statusOf(domain, latecomer), 'Succeeded');
  assert.equal(await statusOf(domain, large), 'InProgress');
  await runUntilIdle(worker);
  assert.deepEqual(await states(), ['Succeeded', 'Succeeded']);
});

test('at most eight retrievals are under way; the others stay for whoever comes', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  for (let count = 0; count < 20; count += 1) await retrieve(domain, archiveId);
  await workerOf(domain).step(goingOn);
  const free = await domain.store.write(({ jobs }) =>
    jobs.lease({
      action: 'ArchiveRetrieval',
      nowMs: domain.clock.now(),
      untilMs: domain.clock.now() + 1,
      limit: 100,
    }),
  );
  assert.equal(free.length, 12);
});

test('a retrieval of damaged bytes fails, and the log says why', async () => {
  await using domain = await openDomain();
  const { archiveId } = await domain.archives.store(upload(sampleBytes(2 * mebibyte)));
  domain.blobs.damage(await blobOf(domain, archiveId), mebibyte + 1);
  const damaged = await retrieve(domain, archiveId);
  const retrievalByteRange = `0-${mebibyte - 1}`;
  const sound = await retrieve(domain, archiveId, { retrievalByteRange });
  await runUntilIdle(workerOf(domain));
  assert.equal(await statusOf(domain, damaged), 'Failed');
  assert.equal(await statusOf(domain, sound), 'Succeeded');
  const [failure, ...others] = failures(domain);
  assert.deepEqual(others, []);
  assert.equal(failure?.level, 'error');
  assert.equal(failure.facts['jobId'], damaged);
  assert.equal(typeof failure.facts['archiveId'], 'string');
  assert.equal(typeof failure.facts['vaultId'], 'string');
  assert.match(String(failure.facts['reason']), /fails its verification/);
});

test('a retrieval of bytes that are lost fails', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const jobId = await retrieve(domain, archiveId);
  await domain.blobs.remove(await blobOf(domain, archiveId));
  await runUntilIdle(workerOf(domain));
  assert.equal(await statusOf(domain, jobId), 'Failed');
  assert.match(String(failures(domain)[0]?.facts['reason']), /^There is no blob/);
});

test('a retrieval of sound bytes that are not the archive’s fails', async () => {
  await using domain = await openDomain();
  const jobId = await retrieve(domain, await storeLarge(domain, { wrongTreeHash: '0'.repeat(64) }));
  await runUntilIdle(workerOf(domain));
  assert.equal(await statusOf(domain, jobId), 'Failed');
  assert.match(String(failures(domain)[0]?.facts['reason']), /do not make up its tree hash/);
});

test('a retrieval whose archive is deleted meanwhile fails, in the midst of it too', async () => {
  await using domain = await openDomain();
  const soon = await storeText(domain, 'hello');
  const large = await storeLarge(domain);
  const [early, late] = [await retrieve(domain, soon), await retrieve(domain, large)];
  const worker = workerOf(domain);
  await domain.archives.remove(photos, soon);
  await worker.step(goingOn);
  await worker.step(goingOn);
  assert.equal(await statusOf(domain, early), 'Failed');
  assert.equal(await statusOf(domain, late), 'InProgress');
  await domain.archives.remove(photos, large);
  await runUntilIdle(worker);
  assert.equal(await statusOf(domain, late), 'Failed');
  assert.match(String(failures(domain)[0]?.facts['reason']), /deleted meanwhile/);
});

test('a retrieval that goes away with its vault is dropped without a word', async () => {
  await using domain = await openDomain();
  const archiveId = await storeLarge(domain);
  const jobId = await retrieve(domain, archiveId);
  const worker = workerOf(domain);
  await worker.step(goingOn);
  for (const id of [archiveId, ...(await smallArchives(domain))]) {
    await domain.archives.remove(photos, id);
  }
  await domain.vaults.remove(photos);
  await runUntilIdle(worker);
  assert.deepEqual(domain.log.events, []);
  assert.equal(await domain.store.read(({ jobs }) => jobs.get(jobId)), undefined);
});

/** The archives that lent `storeLarge` their bytes. */
async function smallArchives({ store }: Domain): Promise<string[]> {
  const all = await store.read(async ({ vaults, archives }) => {
    const vault = await vaults.get(photos);
    return archives.listForInventory({
      vaultId: vault?.vaultId ?? '',
      asOfChange: vault?.changes ?? 0,
      createdFromMs: null,
      createdBeforeMs: null,
      after: null,
      limit: 10,
    });
  });
  return all.archives.map(({ archiveId }) => archiveId).filter((id) => !id.startsWith('large'));
}

test('a slice that cannot be read just now is read again later', async () => {
  await using domain = await openDomain();
  const jobId = await retrieve(domain, await storeLarge(domain));
  const blobs = faulty(domain.blobs);
  const worker = workerOf(domain, { blobs: blobs.it });
  for (const method of ['describe', 'read'] as const) {
    blobs.failNext(method, unreadable);
    await runUntilIdle(worker);
    assert.equal(await statusOf(domain, jobId), 'InProgress');
    assert.deepEqual(domain.log.names('warn').splice(-1), ['job.postponed']);
    domain.clock.advance(30_000);
  }
  await runUntilIdle(worker);
  assert.equal(await statusOf(domain, jobId), 'Succeeded');
  assert.deepEqual(domain.log.names('info'), ['job.succeeded']);
});

test('retrievals that cannot be done just now leave their places to others', async () => {
  await using domain = await openDomain();
  const stuck: string[] = [];
  for (let count = 0; count < 12; count += 1) {
    stuck.push(await retrieve(domain, await storeText(domain, `stuck ${count}`)));
  }
  const blobs = faulty(domain.blobs);
  blobs.failNext('describe', unreadable, stuck.length);
  const worker = workerOf(domain, { blobs: blobs.it });
  domain.clock.advance(1);
  const sound = await retrieve(domain, await storeText(domain, 'sound'));
  await runUntilIdle(worker);
  assert.equal(await statusOf(domain, sound), 'Succeeded');
  for (const jobId of stuck) assert.equal(await statusOf(domain, jobId), 'InProgress');
  domain.clock.advance(30_000);
  await runUntilIdle(worker);
  for (const jobId of stuck) assert.equal(await statusOf(domain, jobId), 'Succeeded');
});

test('a retrieval whose end could not be written down is ended later', async () => {
  await using domain = await openDomain();
  const jobId = await retrieve(domain, await storeText(domain, 'hello'));
  const store = faulty(domain.store);
  const jobs = new Jobs({ ...domain, store: store.it });
  const worker = workerOf(domain, { jobs });
  const full = new StoreError('StoreFull', 'no room for rows');
  store.failNext('write', full);
  await runUntilIdle(worker);
  assert.equal(await statusOf(domain, jobId), 'InProgress');
  domain.clock.advance(30_000);
  await runUntilIdle(worker);
  assert.equal(await statusOf(domain, jobId), 'Succeeded');
});

test('a retrieval that a stop interrupts is in progress, and done by the next server', async () => {
  await using domain = await openDomain();
  const jobId = await retrieve(domain, await storeLarge(domain));
  const reason = new Error('stopped');
  const stopping = new AbortController();
  const worker = workerOf(domain);
  await worker.step(stopping.signal);
  stopping.abort(reason);
  await assert.rejects(worker.step(stopping.signal), reason);
  assert.equal(await statusOf(domain, jobId), 'InProgress');

  const next = workerOf(domain);
  assert.equal(await next.step(goingOn), 'idle');
  await domain.store.write(({ jobs }) => jobs.releaseLeases());
  await runUntilIdle(next);
  assert.equal(await statusOf(domain, jobId), 'Succeeded');
});

test('the worker wakes when a job comes, when one is due, and when it is stopped', async () => {
  const delaysMs = { Expedited: 0, Standard: 4 * hourMs, Bulk: 0, inventory: 0 };
  await using domain = await openDomain({ delaysMs });
  const worker = workerOf(domain);
  const archiveId = await storeText(domain, 'hello');
  const untilJob = worker.wake(goingOn);
  await settle(domain);
  await retrieve(domain, archiveId);
  await untilJob;

  const untilDue = worker.wake(goingOn);
  await settle(domain);
  domain.clock.advance(4 * hourMs);
  await untilDue;

  const reason = new Error('stopped');
  const stopping = new AbortController();
  const untilStop = worker.wake(stopping.signal);
  stopping.abort(reason);
  await assert.rejects(untilStop, reason);
});

test('a job that came between a step and a wait is not slept over', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const worker = workerOf(domain);
  await runUntilIdle(worker);
  const jobId = await retrieve(domain, archiveId);
  await worker.wake(goingOn);
  await runUntilIdle(worker);
  assert.equal(await statusOf(domain, jobId), 'Succeeded');
});
