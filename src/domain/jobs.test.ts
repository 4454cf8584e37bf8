import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  type Domain,
  hourMs,
  inventory,
  openDomain,
  photos,
  retrieve,
  storeText,
  videos,
} from '../../tests/support/domain.ts';
import { treeHashOf } from '../../tests/support/tree-hash-reference.ts';
import { GlacierError } from '../protocol/errors.ts';
import type { BlobId } from '../storage/blob-store.ts';

fc.configureGlobal({ seed: 20_260_131 });

const vaultARN = 'arn:aws:glacier:us-east-1:012345678901:vaults/photos';
const invalid = (message: string) => new GlacierError('InvalidParameterValueException', message);
const jobNotFound = (jobId: string) =>
  new GlacierError('ResourceNotFoundException', `The job ID was not found: ${jobId}`);
const vaultNotFound = new GlacierError(
  'ResourceNotFoundException',
  `Vault not found for ARN: ${vaultARN}`,
);

const output = { blobId: 'output' as BlobId, sizeBytes: 1234 };

test('a retrieval is described with all that is known of it from the start', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const topic = 'arn:aws:sns:us-east-1:012345678901:done';
  const jobId = await retrieve(domain, archiveId, { description: 'why', sNSTopic: topic });
  const inProgress = {
    action: 'ArchiveRetrieval',
    archiveId,
    archiveSHA256TreeHash: treeHashOf(Buffer.from('hello')),
    archiveSizeInBytes: 5,
    completed: false,
    completionDate: null,
    creationDate: '2026-01-31T14:26:33.031Z',
    inventoryRetrievalParameters: null,
    inventorySizeInBytes: null,
    jobDescription: 'why',
    jobId,
    retrievalByteRange: '0-4',
    sHA256TreeHash: treeHashOf(Buffer.from('hello')),
    sNSTopic: topic,
    statusCode: 'InProgress',
    statusMessage: null,
    tier: 'Standard',
    vaultARN,
  };
  assert.deepEqual(await domain.jobs.describe(photos, jobId), inProgress);

  domain.clock.advance(2000);
  assert.equal(await domain.jobs.succeed(jobId), true);
  assert.deepEqual(await domain.jobs.describe(photos, jobId), {
    ...inProgress,
    completed: true,
    completionDate: '2026-01-31T14:26:35.031Z',
    statusCode: 'Succeeded',
    statusMessage: 'Succeeded',
  });
});

test('an inventory is described with what was asked for, and its marker once it succeeded', async () => {
  await using domain = await openDomain();
  const asked = { startDate: '2013-03-20T17:03:43Z', endDate: undefined, limit: '10' };
  const jobId = await inventory(domain, { format: 'CSV', inventoryRetrievalParameters: asked });
  const shown = { startDate: asked.startDate, endDate: null, limit: '10', format: 'CSV' };
  const inProgress = {
    action: 'InventoryRetrieval',
    archiveId: null,
    archiveSHA256TreeHash: null,
    archiveSizeInBytes: null,
    completed: false,
    completionDate: null,
    creationDate: '2026-01-31T14:26:33.031Z',
    inventoryRetrievalParameters: { ...shown, marker: null },
    inventorySizeInBytes: null,
    jobDescription: null,
    jobId,
    retrievalByteRange: null,
    sHA256TreeHash: null,
    sNSTopic: null,
    statusCode: 'InProgress',
    statusMessage: null,
    tier: null,
    vaultARN,
  };
  assert.deepEqual(await domain.jobs.describe(photos, jobId), inProgress);

  assert.equal(await domain.jobs.succeed(jobId, { output, nextMarker: 'marker' }), true);
  assert.deepEqual(await domain.jobs.describe(photos, jobId), {
    ...inProgress,
    completed: true,
    completionDate: '2026-01-31T14:26:33.031Z',
    inventoryRetrievalParameters: { ...shown, marker: 'marker' },
    inventorySizeInBytes: 1234,
    statusCode: 'Succeeded',
    statusMessage: 'Succeeded',
  });
});

test('the message of a failed job is its code, which is all that an old client knows', async () => {
  await using domain = await openDomain();
  const jobId = await retrieve(domain, await storeText(domain, 'hello'));
  assert.equal(await domain.jobs.fail(jobId), true);
  const { completed, statusCode, statusMessage } = await domain.jobs.describe(photos, jobId);
  assert.deepEqual([completed, statusCode, statusMessage], [true, 'Failed', 'Failed']);
});

test('a job that ended, or is gone, takes no other end', async () => {
  await using domain = await openDomain();
  const jobId = await retrieve(domain, await storeText(domain, 'hello'));
  assert.equal(await domain.jobs.fail(jobId), true);
  assert.equal(await domain.jobs.succeed(jobId), false);
  assert.equal((await domain.jobs.describe(photos, jobId)).statusCode, 'Failed');
  assert.equal(await domain.jobs.fail('j'.repeat(92)), false);
});

test('a job that is unknown, expired or of another vault is not found', async () => {
  await using domain = await openDomain();
  const jobId = await inventory(domain);
  await domain.vaults.create(videos);
  await assert.rejects(domain.jobs.describe(videos, jobId), jobNotFound(jobId));
  await assert.rejects(domain.jobs.describe(photos, 'no such job'), jobNotFound('no such job'));
  await domain.jobs.succeed(jobId, { output, nextMarker: null });
  domain.clock.advance(24 * hourMs - 1);
  await domain.jobs.describe(photos, jobId);
  domain.clock.advance(1);
  await assert.rejects(domain.jobs.describe(photos, jobId), jobNotFound(jobId));
  await assert.rejects(domain.jobs.output(photos, jobId, undefined), jobNotFound(jobId));
  assert.deepEqual((await domain.jobs.list(photos, {})).jobs, []);
});

test('a job that nobody has done yet does not expire', async () => {
  await using domain = await openDomain();
  const jobId = await inventory(domain);
  domain.clock.advance(1000 * hourMs);
  assert.equal((await domain.jobs.describe(photos, jobId)).statusCode, 'InProgress');
});

test('nothing can be asked about jobs of a vault that is not there', async () => {
  await using domain = await openDomain();
  const jobId = await inventory(domain);
  await domain.vaults.remove(photos);
  await assert.rejects(domain.jobs.describe(photos, jobId), vaultNotFound);
  await assert.rejects(domain.jobs.list(photos, {}), vaultNotFound);
  await assert.rejects(domain.jobs.output(photos, jobId, undefined), vaultNotFound);
});

/** Starts `count` jobs; of each four one fails, one succeeds, and two are left in progress. */
async function startJobs(domain: Domain, count: number): Promise<string[]> {
  const jobIds: string[] = [];
  for (let index = 0; index < count; index += 1) {
    // Some are of the same millisecond.
    if (index % 3 === 0) domain.clock.advance(1);
    const jobId = await inventory(domain);
    if (index % 4 === 0) await domain.jobs.fail(jobId);
    if (index % 4 === 1) await domain.jobs.succeed(jobId, { output, nextMarker: null });
    jobIds.push(jobId);
  }
  return jobIds;
}

test('jobs are listed newest first, fifty at a time at most', async () => {
  await using domain = await openDomain();
  await startJobs(domain, 60);
  const first = await domain.jobs.list(photos, { limit: 1000 });
  assert.equal(first.jobs.length, 50);
  const second = await domain.jobs.list(photos, { marker: first.marker ?? '' });
  assert.equal(second.jobs.length, 10);
  assert.equal(second.marker, null);
  const dates = [...first.jobs, ...second.jobs].map(({ creationDate }) => creationDate);
  assert.deepEqual(dates, [...dates].sort().reverse());
});

test('jobs are listed as they are described', async () => {
  await using domain = await openDomain();
  const jobIds = await startJobs(domain, 4);
  const { jobs } = await domain.jobs.list(photos, {});
  const described = await Promise.all(jobIds.map((id) => domain.jobs.describe(photos, id)));
  const byId = (a: { jobId: string }, b: { jobId: string }) => (a.jobId < b.jobId ? -1 : 1);
  assert.deepEqual([...jobs].sort(byId), described.sort(byId));
});

test('pages of any size, with any filters, are the whole list, filtered', async () => {
  await using domain = await openDomain();
  await startJobs(domain, 14);
  const { jobs: all } = await domain.jobs.list(photos, {});
  const query = fc.record({
    limit: fc.integer({ min: 1, max: 15 }),
    completed: fc.constantFrom(undefined, 'true', 'false'),
    statuscode: fc.constantFrom(undefined, 'InProgress', 'Succeeded', 'Failed'),
  });
  await fc.assert(
    fc.asyncProperty(query, async (asked) => {
      const seen: unknown[] = [];
      let marker: string | undefined;
      do {
        const page = await domain.jobs.list(photos, { ...asked, marker });
        seen.push(...page.jobs);
        marker = page.marker ?? undefined;
      } while (marker !== undefined);
      const expected = all.filter(
        (job) =>
          (asked.completed === undefined || String(job.completed) === asked.completed) &&
          (asked.statuscode === undefined || job.statusCode === asked.statuscode),
      );
      assert.deepEqual(seen, expected);
    }),
    { numRuns: 60 },
  );
});

test('a list goes on where it was, though the job at its marker has expired', async () => {
  await using domain = await openDomain();
  const older = await inventory(domain);
  domain.clock.advance(1);
  const newer = await inventory(domain);
  await domain.jobs.succeed(newer, { output, nextMarker: null });
  const first = await domain.jobs.list(photos, { limit: 1 });
  domain.clock.advance(25 * hourMs);
  const rest = await domain.jobs.list(photos, { marker: first.marker ?? '' });
  assert.deepEqual(
    rest.jobs.map(({ jobId }) => jobId),
    [older],
  );
});

test('a marker of another vault’s jobs, or none at all, is refused', async () => {
  await using domain = await openDomain();
  await startJobs(domain, 2);
  await domain.vaults.create(videos);
  const { marker } = await domain.jobs.list(photos, { limit: 1 });
  for (const wrong of [marker ?? '', 'made up', '']) {
    const refused = invalid(`Invalid marker: ${wrong}`);
    await assert.rejects(domain.jobs.list(videos, { marker: wrong }), refused);
  }
});
