import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import {
  bytesOf,
  completedJob,
  createVault,
  deleteArchive,
  describeJob,
  getOutput,
  initiateJob,
  jsonOf,
  upload,
} from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { assertError } from '../support/expectations.ts';
import { SimulatedClock, startServer } from '../support/start-server.ts';
import { storedFiles } from '../support/stored-files.ts';
import { onlyOwnServer } from '../support/target.ts';

describe('jobs in the course of time', { skip: onlyOwnServer }, async () => {
  if (onlyOwnServer !== false) return;
  const hour = 3_600_000;
  const minute = 60_000;

  // A clock that is turned by hand: five hours pass in a moment.
  const clock = new SimulatedClock();
  const env = {
    FIRN_EXPEDITED_DELAY: '4m',
    FIRN_STANDARD_DELAY: '5h',
    FIRN_BULK_DELAY: '12h',
  };
  const server = await startServer({ clock, env });
  after(() => server[Symbol.asyncDispose]());
  const { url, account } = server;
  const api = new Api({ url, credentials: account.credentials, now: () => clock.now() });
  after(() => api[Symbol.dispose]());

  const vault = await createVault(api);
  const bytes = bytesOf(300_000);
  const ArchiveId = await upload(api, vault, bytes);

  const retrieval = (Tier: string) =>
    initiateJob(api, vault, { Type: 'archive-retrieval', ArchiveId, Tier });

  const notFound = (jobId: string) => `The job ID was not found: ${jobId}`;

  async function assertInProgress(jobId: string): Promise<void> {
    const job = await describeJob(api, vault, jobId);
    const { Completed, CompletionDate, StatusCode, StatusMessage, InventorySizeInBytes } = job;
    assert.deepEqual(
      { Completed, CompletionDate, StatusCode, StatusMessage, InventorySizeInBytes },
      {
        Completed: false,
        CompletionDate: null,
        StatusCode: 'InProgress',
        StatusMessage: null,
        InventorySizeInBytes: null,
      },
    );
    const message = `The job is not currently available for download: ${jobId}`;
    const answer = await getOutput(api, vault, jobId);
    assertError(answer, 400, 'InvalidParameterValueException', message);
  }

  const tiers: readonly (readonly [tier: string, delayMs: number])[] = [
    ['Expedited', 4 * minute],
    ['Standard', 5 * hour],
    ['Bulk', 12 * hour],
  ];

  for (const [tier, delayMs] of tiers) {
    test(`a retrieval of the tier ${tier} takes ${delayMs / minute} minutes, not less`, async () => {
      const startedAt = clock.now();
      const jobId = await retrieval(tier);
      await assertInProgress(jobId);
      clock.advance(delayMs - 1);
      await assertInProgress(jobId);
      clock.advance(1);
      const job = await completedJob(api, vault, jobId, clock);
      assert.equal(job.StatusCode, 'Succeeded');
      assert.equal(Date.parse(job.CreationDate), startedAt);
      assert.equal(Date.parse(job.CompletionDate ?? ''), startedAt + delayMs);
      assert.ok((await getOutput(api, vault, jobId)).body.equals(bytes));
    });
  }

  test('a retrieval in progress shows already what it will bring', async () => {
    const jobId = await retrieval('Standard');
    const job = await describeJob(api, vault, jobId);
    assert.equal(job.RetrievalByteRange, `0-${bytes.length - 1}`);
    assert.equal(job.SHA256TreeHash, job.ArchiveSHA256TreeHash);
    assert.equal(job.ArchiveSizeInBytes, bytes.length);
  });

  test('an inventory job takes as long as the tier Standard', async () => {
    const jobId = await initiateJob(api, vault, { Type: 'inventory-retrieval' });
    await assertInProgress(jobId);
    clock.advance(5 * hour - 1);
    await assertInProgress(jobId);
    clock.advance(1);
    assert.equal((await completedJob(api, vault, jobId, clock)).StatusCode, 'Succeeded');
  });

  test('a later job of a faster tier overtakes an earlier one', async () => {
    const slow = await retrieval('Bulk');
    const fast = await retrieval('Expedited');
    clock.advance(4 * minute);
    await completedJob(api, vault, fast, clock);
    await assertInProgress(slow);
  });

  for (const kind of ['archive-retrieval', 'inventory-retrieval']) {
    test(`an ${kind} job is there for 24 hours after it completed, and then gone`, async () => {
      const parameters = kind === 'archive-retrieval' ? { Type: kind, ArchiveId } : { Type: kind };
      const jobId = await initiateJob(api, vault, parameters);
      clock.advance(5 * hour);
      await completedJob(api, vault, jobId, clock);
      clock.advance(24 * hour - 1);
      assert.equal((await describeJob(api, vault, jobId)).StatusCode, 'Succeeded');
      assert.equal((await getOutput(api, vault, jobId)).status, 200);

      clock.advance(1);
      const described = await api.call('GET', `/-/vaults/${vault}/jobs/${jobId}`);
      assertError(described, 404, 'ResourceNotFoundException', notFound(jobId));
      const output = await getOutput(api, vault, jobId);
      assertError(output, 404, 'ResourceNotFoundException', notFound(jobId));
      const { JobList } = jsonOf<{ JobList: { JobId: string }[] }>(
        await api.call('GET', `/-/vaults/${vault}/jobs`),
      );
      assert.ok(!JobList.some(({ JobId }) => JobId === jobId));
    });
  }

  test('a job in progress does not expire', async () => {
    const jobId = await retrieval('Bulk');
    clock.advance(11 * hour);
    await assertInProgress(jobId);
  });

  test('a retrieval whose archive is deleted while it is in progress fails', async () => {
    const doomed = await upload(api, vault, bytesOf(10));
    const parameters = { Type: 'archive-retrieval', ArchiveId: doomed };
    const jobId = await initiateJob(api, vault, parameters);
    await deleteArchive(api, vault, doomed);
    clock.advance(5 * hour);
    const job = await completedJob(api, vault, jobId, clock);
    assert.equal(job.StatusCode, 'Failed');
    assert.equal(job.StatusMessage, 'Failed');
    const message = `The job is not currently available for download: ${jobId}`;
    const answer = await getOutput(api, vault, jobId);
    assertError(answer, 400, 'InvalidParameterValueException', message);
  });

  test('the bytes of a deleted archive stay until the last job over them has expired', async () => {
    const own = await createVault(api);
    const before = storedFiles(server.dataDirectory).size;
    const large = bytesOf(600_000);
    const id = await upload(api, own, large);
    const parameters = { Type: 'archive-retrieval', ArchiveId: id };
    const jobId = await initiateJob(api, own, parameters);
    clock.advance(5 * hour);
    await completedJob(api, own, jobId, clock);
    await deleteArchive(api, own, id);
    clock.advance(23 * hour);
    assert.ok((await getOutput(api, own, jobId)).body.equals(large));
    await eventually('the file is gone after a day', () => {
      clock.advance(10 * minute);
      return storedFiles(server.dataDirectory).size === before;
    });
    assert.equal((await getOutput(api, own, jobId)).status, 404);
  });

  describe('FIRN_JOB_EXPIRY', () => {
    test('says how long completed jobs are kept', async () => {
      const short = await startServer({ clock, env: { FIRN_JOB_EXPIRY: '10m' } });
      await using _ = short;
      using there = api.as({ url: short.url });
      const name = await createVault(there);
      const jobId = await initiateJob(there, name, { Type: 'inventory-retrieval' });
      await completedJob(there, name, jobId, clock);
      clock.advance(10 * minute - 1);
      assert.equal((await getOutput(there, name, jobId)).status, 200);
      clock.advance(1);
      assert.equal((await getOutput(there, name, jobId)).status, 404);
    });
  });
});
