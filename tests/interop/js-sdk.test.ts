import assert from 'node:assert/strict';
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  CreateVaultCommand,
  DeleteArchiveCommand,
  DeleteVaultCommand,
  DescribeJobCommand,
  DescribeVaultCommand,
  GetJobOutputCommand,
  GlacierClient,
  InitiateJobCommand,
  InvalidParameterValueException,
  ListJobsCommand,
  ListVaultsCommand,
  MissingParameterValueException,
  paginateListJobs,
  paginateListVaults,
  ResourceNotFoundException,
  UploadArchiveCommand,
  waitUntilVaultExists,
  waitUntilVaultNotExists,
} from '@aws-sdk/client-glacier';
import { bytesOf, freshName } from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { startServer } from '../support/start-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { mebibyte, treeHashOf } from '../support/tree-hash-reference.ts';

const server = await startServer();
after(() => server[Symbol.asyncDispose]());
const { accountId, credentials } = server.account;
const client = new GlacierClient({
  endpoint: server.url,
  region: 'eu-west-1',
  credentials,
  maxAttempts: 1,
});
after(() => client.destroy());

const own = { accountId: '-' };

async function createVault(): Promise<string> {
  const vaultName = freshName();
  await client.send(new CreateVaultCommand({ ...own, vaultName }));
  return vaultName;
}

async function upload(vaultName: string, body: Uint8Array, archiveDescription?: string) {
  const input = { ...own, vaultName, body, ...(archiveDescription && { archiveDescription }) };
  const { archiveId = '' } = await client.send(new UploadArchiveCommand(input));
  return archiveId;
}

async function finishedJob(
  vaultName: string,
  jobParameters: ConstructorParameters<typeof InitiateJobCommand>[0]['jobParameters'],
): Promise<string> {
  const started = await client.send(new InitiateJobCommand({ ...own, vaultName, jobParameters }));
  const { jobId = '' } = started;
  assert.equal(started.location, `/${accountId}/vaults/${vaultName}/jobs/${jobId}`);
  await eventually('the job completes', async () => {
    const job = await client.send(new DescribeJobCommand({ ...own, vaultName, jobId }));
    return job.Completed;
  });
  return jobId;
}

async function outputOf(vaultName: string, jobId: string, range?: string) {
  const input = { ...own, vaultName, jobId, ...(range && { range }) };
  const { body, ...rest } = await client.send(new GetJobOutputCommand(input));
  return { ...rest, bytes: Buffer.from((await body?.transformToByteArray()) ?? []) };
}

test('a vault is created, waited for, described, deleted, and waited for to be gone', async () => {
  const vaultName = freshName();
  const created = await client.send(new CreateVaultCommand({ accountId, vaultName }));
  assert.equal(created.location, `/${accountId}/vaults/${vaultName}`);
  const waiting = { client, maxWaitTime: 10 };
  const named = { ...own, vaultName };
  assert.equal((await waitUntilVaultExists(waiting, named)).state, 'SUCCESS');
  const described = await client.send(new DescribeVaultCommand(named));
  const arn = `arn:aws:glacier:eu-west-1:${accountId}:vaults/${vaultName}`;
  assert.equal(described.VaultARN, arn);
  assert.equal(described.NumberOfArchives, 0);
  await client.send(new DeleteVaultCommand(named));
  assert.equal((await waitUntilVaultNotExists(waiting, named)).state, 'SUCCESS');
});

test('an archive goes from a buffer to a job and back', async () => {
  const vaultName = await createVault();
  const bytes = bytesOf(3 * mebibyte + 5);
  const description = 'two  blanks and a "quote"';
  const input = { ...own, vaultName, body: bytes, archiveDescription: description };
  const uploaded = await client.send(new UploadArchiveCommand(input));
  assert.equal(uploaded.checksum, treeHashOf(bytes));
  const archiveId = uploaded.archiveId ?? '';
  const location = `/${accountId}/vaults/${vaultName}/archives/${archiveId}`;
  assert.equal(uploaded.location, location);

  const jobId = await finishedJob(vaultName, { Type: 'archive-retrieval', ArchiveId: archiveId });
  const output = await outputOf(vaultName, jobId);
  assert.ok(output.bytes.equals(bytes));
  assert.equal(output.status, 200);
  assert.equal(output.checksum, treeHashOf(bytes));
  assert.equal(output.archiveDescription, description);
  assert.equal(output.contentType, 'application/octet-stream');

  const part = await outputOf(vaultName, jobId, `bytes=${mebibyte}-${2 * mebibyte - 1}`);
  assert.equal(part.status, 206);
  assert.equal(part.contentRange, `bytes ${mebibyte}-${2 * mebibyte - 1}/${bytes.length}`);
  assert.equal(part.checksum, treeHashOf(part.bytes));
  assert.ok(part.bytes.equals(bytes.subarray(mebibyte, 2 * mebibyte)));
});

test('an archive is streamed from a file', async () => {
  using directory = new TemporaryDirectory();
  const path = join(directory.path, 'archive.bin');
  const bytes = bytesOf(2 * mebibyte + 1);
  writeFileSync(path, bytes);
  const vaultName = await createVault();
  const { archiveId = '', checksum } = await client.send(
    new UploadArchiveCommand({
      ...own,
      vaultName,
      body: createReadStream(path),
    }),
  );
  assert.equal(checksum, treeHashOf(bytes));
  const jobId = await finishedJob(vaultName, { Type: 'archive-retrieval', ArchiveId: archiveId });
  assert.ok((await outputOf(vaultName, jobId)).bytes.equals(bytes));
});

test('part of an archive is retrieved by a ranged job', async () => {
  const vaultName = await createVault();
  const bytes = bytesOf(2.5 * mebibyte);
  const archiveId = await upload(vaultName, bytes);
  const RetrievalByteRange = `${mebibyte}-${bytes.length - 1}`;
  const jobId = await finishedJob(vaultName, {
    Type: 'archive-retrieval',
    ArchiveId: archiveId,
    Description: 'the tail',
    RetrievalByteRange,
    Tier: 'Expedited',
  });
  const job = await client.send(new DescribeJobCommand({ ...own, vaultName, jobId }));
  assert.equal(job.RetrievalByteRange, RetrievalByteRange);
  assert.equal(job.JobDescription, 'the tail');
  assert.equal(job.Tier, 'Expedited');
  const output = await outputOf(vaultName, jobId);
  assert.ok(output.bytes.equals(bytes.subarray(mebibyte)));
  assert.equal(output.checksum, undefined);
});

test('an inventory comes as JSON and as CSV, whole and in pages', async () => {
  const vaultName = await createVault();
  const ids = [await upload(vaultName, bytesOf(1), 'one'), await upload(vaultName, bytesOf(2))];
  const jobId = await finishedJob(vaultName, { Type: 'inventory-retrieval', Format: 'JSON' });
  const output = await outputOf(vaultName, jobId);
  assert.equal(output.contentType, 'application/json');
  const { ArchiveList } = JSON.parse(output.bytes.toString());
  const listed = ArchiveList.map(({ ArchiveId }: { ArchiveId: string }) => ArchiveId);
  assert.deepEqual(new Set(listed), new Set(ids));

  const paged = await finishedJob(vaultName, {
    Type: 'inventory-retrieval',
    Format: 'CSV',
    InventoryRetrievalParameters: { Limit: '1', StartDate: '2020-01-01T00:00:00Z' },
  });
  const job = await client.send(new DescribeJobCommand({ ...own, vaultName, jobId: paged }));
  assert.equal(job.InventoryRetrievalParameters?.Format, 'CSV');
  assert.equal(job.InventoryRetrievalParameters?.Limit, '1');
  const csv = await outputOf(vaultName, paged);
  assert.equal(csv.contentType, 'text/csv');
  assert.equal(csv.bytes.length, job.InventorySizeInBytes);
  assert.equal(csv.bytes.toString().split('\r\n').length, 3);
});

test('paginators go through all vaults and all jobs', async () => {
  const there = new GlacierClient({
    endpoint: server.url,
    region: 'ap-south-1',
    credentials,
    maxAttempts: 1,
  });
  const names = Array.from({ length: 13 }, (_, index) => `paged-${String(index).padStart(2, '0')}`);
  for (const vaultName of names) await there.send(new CreateVaultCommand({ ...own, vaultName }));
  const found: (string | undefined)[] = [];
  for await (const page of paginateListVaults({ client: there, pageSize: 5 }, { ...own })) {
    found.push(...(page.VaultList ?? []).map(({ VaultName }) => VaultName));
  }
  assert.deepEqual(found, names);

  const vaultName = names[0] ?? '';
  const jobParameters = { Type: 'inventory-retrieval' };
  for (let count = 0; count < 5; count += 1) {
    await there.send(new InitiateJobCommand({ ...own, vaultName, jobParameters }));
  }
  const jobs = new Set<string | undefined>();
  for await (const page of paginateListJobs(
    { client: there, pageSize: 2 },
    { ...own, vaultName },
  )) {
    for (const { JobId } of page.JobList ?? []) jobs.add(JobId);
  }
  assert.equal(jobs.size, 5);
  const newest = await there.send(new ListJobsCommand({ ...own, vaultName, limit: 1 }));
  assert.equal(newest.JobList?.length, 1);
  there.destroy();
});

test('a deleted archive is gone, and the emptied vault can be deleted', async () => {
  const vaultName = await createVault();
  const archiveId = await upload(vaultName, bytesOf(10));
  const named = { ...own, vaultName };
  await assert.rejects(client.send(new DeleteVaultCommand(named)), InvalidParameterValueException);
  await client.send(new DeleteArchiveCommand({ ...named, archiveId }));
  await client.send(new DeleteVaultCommand(named));
  const { VaultList = [] } = await client.send(new ListVaultsCommand({ ...own, limit: 10 }));
  assert.ok(!VaultList.some(({ VaultName }) => VaultName === vaultName));
});

test('errors come as the exceptions of the SDK, with code, type and request id', async () => {
  const vaultName = freshName();
  const lost = client.send(new DescribeVaultCommand({ ...own, vaultName }));
  await assert.rejects(lost, (error: unknown) => {
    assert.ok(error instanceof ResourceNotFoundException);
    assert.match(error.message, /^Vault not found for ARN: /);
    assert.equal(error.code, 'ResourceNotFoundException');
    assert.equal(error.type, 'Client');
    assert.equal(error.$metadata.httpStatusCode, 404);
    assert.match(error.$metadata.requestId ?? '', /^[\w-]{47}$/);
    return true;
  });
  const known = await createVault();
  const bare = client.send(new InitiateJobCommand({ ...own, vaultName: known, jobParameters: {} }));
  await assert.rejects(bare, MissingParameterValueException);
  const mismatch = client.send(
    new UploadArchiveCommand({
      ...own,
      vaultName: known,
      body: bytesOf(3),
      checksum: '0'.repeat(64),
    }),
  );
  await assert.rejects(mismatch, /Checksum mismatch: expected 0{64}, computed /);
});
