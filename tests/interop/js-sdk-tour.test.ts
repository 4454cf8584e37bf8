import assert from 'node:assert/strict';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as sdk from '@aws-sdk/client-glacier';
import { bytesOf, freshName } from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { policyText } from '../support/policies.ts';
import { startServer } from '../support/start-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { mebibyte, treeHashOf } from '../support/tree-hash-reference.ts';

const region = 'eu-west-2';
const server = await startServer({ env: { FIRN_EXPEDITED_ON_DEMAND: '0' } });
after(() => server[Symbol.asyncDispose]());
const directory = new TemporaryDirectory();
after(() => directory[Symbol.dispose]());
const { accountId, credentials } = server.account;
const glacier = new sdk.Glacier({ endpoint: server.url, region, credentials, maxAttempts: 1 });
after(() => glacier.destroy());

/** The commands that were answered with success. */
const answered = new Set<string | undefined>();
glacier.middlewareStack.add(
  (next, { commandName }) =>
    async (args) => {
      const result = await next(args);
      answered.add(commandName);
      return result;
    },
  { step: 'initialize' },
);

const own = { accountId: '-' };
const arnOf = (vaultName: string) => `arn:aws:glacier:${region}:${accountId}:vaults/${vaultName}`;

async function createVault(): Promise<{ accountId: string; vaultName: string }> {
  const vaultName = freshName();
  await glacier.createVault({ ...own, vaultName });
  return { ...own, vaultName };
}

/** Where a new file is, of `sizeBytes` bytes that repeat nowhere. */
function pathOfFile(sizeBytes: number): string {
  const path = join(directory.path, freshName('file'));
  writeFileSync(path, bytesOf(sizeBytes));
  return path;
}

async function finishedJob(
  vault: { accountId: string; vaultName: string },
  jobParameters: sdk.JobParameters,
): Promise<sdk.DescribeJobCommandOutput & { JobId: string }> {
  const { jobId = '', location } = await glacier.initiateJob({ ...vault, jobParameters });
  assert.equal(location, `/${accountId}/vaults/${vault.vaultName}/jobs/${jobId}`);
  const job = await eventually('the job completes', async () => {
    const described = await glacier.describeJob({ ...vault, jobId });
    return described.Completed === true && described;
  });
  assert.equal(job.StatusCode, 'Succeeded');
  return { ...job, JobId: jobId };
}

async function outputOf(input: sdk.GetJobOutputCommandInput) {
  const { body, ...rest } = await glacier.getJobOutput(input);
  return { ...rest, bytes: Buffer.from((await body?.transformToByteArray()) ?? []) };
}

/** What each page holds. A paginator writes its markers into the input: it is given a copy. */
async function pagesOf<P, I>(pages: AsyncIterable<P>, itemsOf: (page: P) => I[] | undefined) {
  const found: I[][] = [];
  for await (const page of pages) found.push(itemsOf(page) ?? []);
  return found;
}

const refusal = { name: 'InvalidParameterValueException' };

test('vaults are made, described, listed in pages, and waited for', async () => {
  const vaultName = freshName();
  const vault = { ...own, vaultName };
  const appears = glacier.waitUntilVaultExists(vault, { maxWaitTime: 20, minDelay: 1 });
  await glacier.createVault(vault);
  assert.equal((await appears).state, 'SUCCESS');
  assert.equal((await glacier.describeVault(vault)).VaultARN, arnOf(vaultName));

  for (let count = 0; count < 3; count += 1) await createVault();
  const pages = await pagesOf(
    glacier.paginateListVaults({ ...own }, { pageSize: 3 }),
    ({ VaultList }) => VaultList,
  );
  assert.deepEqual(
    pages.map(({ length }) => length),
    [3, 1],
  );
  assert.ok(pages.flat().some((each) => each.VaultName === vaultName));

  await glacier.deleteVault(vault);
  const gone = await glacier.waitUntilVaultNotExists(vault, 20);
  assert.equal(gone.state, 'SUCCESS');
});

test('a file goes up whole and comes down whole and in ranges', async () => {
  const vault = await createVault();
  const path = pathOfFile(3.5 * mebibyte);
  const bytes = readFileSync(path);
  const { archiveId = '', checksum } = await glacier.uploadArchive({
    ...vault,
    archiveDescription: 'a file',
    body: createReadStream(path),
  });
  assert.equal(checksum, treeHashOf(bytes));

  const job = await finishedJob(vault, { Type: 'archive-retrieval', ArchiveId: archiveId });
  const { JobId: jobId } = job;
  assert.equal(job.ArchiveSizeInBytes, bytes.length);
  assert.equal(job.ArchiveSHA256TreeHash, checksum);
  const whole = await outputOf({ ...vault, jobId });
  assert.ok(whole.bytes.equals(bytes));
  assert.equal(whole.checksum, checksum);
  assert.equal(whole.acceptRanges, 'bytes');

  const chunks: Buffer[] = [];
  for (let first = 0; first < bytes.length; first += mebibyte) {
    const range = `bytes=${first}-${first + mebibyte - 1}`;
    const chunk = await outputOf({ ...vault, jobId, range });
    assert.equal(chunk.status, 206);
    assert.equal(chunk.checksum, treeHashOf(chunk.bytes));
    chunks.push(chunk.bytes);
  }
  assert.ok(Buffer.concat(chunks).equals(bytes));

  const inventory = await finishedJob(vault, { Type: 'inventory-retrieval' });
  const { bytes: document } = await outputOf({ ...vault, jobId: inventory.JobId });
  const { ArchiveList } = JSON.parse(document.toString());
  assert.equal(ArchiveList[0].SHA256TreeHash, checksum);
  const pages = await pagesOf(
    glacier.paginateListJobs({ ...vault }, { pageSize: 1 }),
    ({ JobList }) => JobList?.map(({ JobId }) => JobId),
  );
  assert.deepEqual(pages, [[inventory.JobId], [jobId]]);

  await glacier.deleteArchive({ ...vault, archiveId });
  await glacier.deleteVault(vault);
});

const partSize = String(mebibyte);

async function initiate(vault: { accountId: string; vaultName: string }, description?: string) {
  const { uploadId = '', location } = await glacier.initiateMultipartUpload({
    ...vault,
    partSize,
    ...(description && { archiveDescription: description }),
  });
  assert.equal(location, `/${accountId}/vaults/${vault.vaultName}/multipart-uploads/${uploadId}`);
  return { ...vault, uploadId };
}

function putPart(upload: Awaited<ReturnType<typeof initiate>>, whole: Buffer, first: number) {
  const body = whole.subarray(first, first + mebibyte);
  const range = `bytes ${first}-${first + body.length - 1}/*`;
  return glacier.uploadMultipartPart({ ...upload, range, body });
}

test('a file goes up in parts, in any order, and comes down as one archive', async () => {
  const vault = await createVault();
  const whole = readFileSync(pathOfFile(2.5 * mebibyte));
  const upload = await initiate(vault, 'in parts');
  for (const index of [2, 0, 1]) {
    const first = index * mebibyte;
    const { checksum } = await putPart(upload, whole, first);
    assert.equal(checksum, treeHashOf(whole.subarray(first, first + mebibyte)));
  }
  const parts = await pagesOf(
    glacier.paginateListParts({ ...upload }, { pageSize: 1 }),
    ({ Parts }) => Parts?.map(({ RangeInBytes }) => RangeInBytes),
  );
  assert.deepEqual(parts, [['0-1048575'], ['1048576-2097151'], ['2097152-2621439']]);
  const { ArchiveDescription, PartSizeInBytes } = await glacier.listParts(upload);
  assert.deepEqual([ArchiveDescription, PartSizeInBytes], ['in parts', mebibyte]);

  const checksum = treeHashOf(whole);
  const complete = (archiveSize: number, treeHash: string) =>
    glacier.completeMultipartUpload({
      ...upload,
      archiveSize: String(archiveSize),
      checksum: treeHash,
    });
  await assert.rejects(complete(whole.length - 1, checksum), refusal);
  await assert.rejects(complete(whole.length, '0'.repeat(64)), refusal);
  const { UploadsList: open } = await glacier.listMultipartUploads(vault);
  assert.deepEqual(
    open?.map(({ MultipartUploadId }) => MultipartUploadId),
    [upload.uploadId],
  );
  const completed = await complete(whole.length, checksum);
  assert.equal(completed.checksum, checksum);
  const { archiveId = '' } = completed;
  assert.equal(completed.location, `/${accountId}/vaults/${vault.vaultName}/archives/${archiveId}`);
  assert.equal((await complete(whole.length, checksum)).archiveId, archiveId);
  assert.deepEqual((await glacier.listMultipartUploads(vault)).UploadsList, []);
  await assert.rejects(glacier.listParts(upload), sdk.ResourceNotFoundException);
  await assert.rejects(glacier.abortMultipartUpload(upload), sdk.ResourceNotFoundException);

  const job = await finishedJob(vault, { Type: 'archive-retrieval', ArchiveId: archiveId });
  const output = await outputOf({ ...vault, jobId: job.JobId });
  assert.ok(output.bytes.equals(whole));
  assert.equal(output.checksum, checksum);
  assert.equal(output.archiveDescription, 'in parts');
});

test('an upload with a gap is not completed, is listed, and is aborted', async () => {
  const vault = await createVault();
  const whole = bytesOf(2.5 * mebibyte);
  const upload = await initiate(vault);
  const uploads = [upload.uploadId, (await initiate(vault)).uploadId];
  await putPart(upload, whole, 0);
  await putPart(upload, whole, 2 * mebibyte);
  const checksum = treeHashOf(whole);
  const archiveSize = String(whole.length);
  const completing = glacier.completeMultipartUpload({ ...upload, archiveSize, checksum });
  await assert.rejects(completing, /Missing content range/);

  const listed = await pagesOf(
    glacier.paginateListMultipartUploads({ ...vault }, { pageSize: 1 }),
    ({ UploadsList }) => UploadsList?.map(({ MultipartUploadId }) => MultipartUploadId),
  );
  assert.deepEqual(
    listed.map(({ length }) => length),
    [1, 1],
  );
  assert.deepEqual(new Set(listed.flat()), new Set(uploads));

  await glacier.abortMultipartUpload(upload);
  await glacier.abortMultipartUpload(upload);
  await assert.rejects(putPart(upload, whole, 0), sdk.ResourceNotFoundException);
});

test('a part that does not fit is refused', async () => {
  const upload = await initiate(await createVault());
  const tooLong = bytesOf(mebibyte + 1);
  const body = tooLong.subarray(1);
  for (const [range, bytes] of [
    ['bytes 524288-1572863/*', body],
    ['bytes 0-1048576/*', tooLong],
    ['bytes=0-1048575/*', body],
    ['bytes 0-1048574/*', body],
  ] as const) {
    const putting = glacier.uploadMultipartPart({ ...upload, range, body: bytes });
    await assert.rejects(putting, sdk.InvalidParameterValueException, range);
  }
  const last = `bytes ${10_000 * mebibyte}-${10_001 * mebibyte - 1}/*`;
  const putting = glacier.uploadMultipartPart({ ...upload, range: last, body });
  await assert.rejects(putting, /part number 10001 .* exceeds the limit of 10000 parts/);
});

test('a vault takes tags, a notification configuration and a policy', async () => {
  const vault = await createVault();
  const Tags = { project: 'tour', empty: '', ключ: 'значение' };
  assert.deepEqual((await glacier.listTagsForVault(vault)).Tags, {});
  await glacier.addTagsToVault({ ...vault, Tags });
  assert.deepEqual((await glacier.listTagsForVault(vault)).Tags, Tags);
  await glacier.removeTagsFromVault({ ...vault, TagKeys: ['empty', 'ключ', 'absent'] });
  assert.deepEqual((await glacier.listTagsForVault(vault)).Tags, { project: 'tour' });

  const vaultNotificationConfig = {
    SNSTopic: `arn:aws:sns:${region}:${accountId}:topic`,
    Events: ['ArchiveRetrievalCompleted', 'InventoryRetrievalCompleted'],
  };
  await glacier.setVaultNotifications({ ...vault, vaultNotificationConfig });
  const configured = await glacier.getVaultNotifications(vault);
  assert.deepEqual(configured.vaultNotificationConfig, vaultNotificationConfig);
  await glacier.deleteVaultNotifications(vault);
  await assert.rejects(glacier.getVaultNotifications(vault), sdk.ResourceNotFoundException);

  const policy = { Policy: policyText(arnOf(vault.vaultName)) };
  await glacier.setVaultAccessPolicy({ ...vault, policy });
  assert.deepEqual((await glacier.getVaultAccessPolicy(vault)).policy, policy);
  await glacier.deleteVaultAccessPolicy(vault);
  await assert.rejects(glacier.getVaultAccessPolicy(vault), sdk.ResourceNotFoundException);
});

test('a vault is locked, on trial and for good, and still deleted while it is empty', async () => {
  const vault = await createVault();
  const policy = { Policy: policyText(arnOf(vault.vaultName)) };
  const { lockId: first } = await glacier.initiateVaultLock({ ...vault, policy });
  const trial = await glacier.getVaultLock(vault);
  assert.equal(trial.State, 'InProgress');
  assert.equal(trial.Policy, policy.Policy);
  const lasting = Date.parse(trial.ExpirationDate ?? '') - Date.parse(trial.CreationDate ?? '');
  assert.equal(lasting, 24 * 60 * 60 * 1000);
  const again = glacier.initiateVaultLock({ ...vault, policy });
  await assert.rejects(again, { name: 'AccessDeniedException' });
  await glacier.abortVaultLock(vault);
  await assert.rejects(glacier.getVaultLock(vault), sdk.ResourceNotFoundException);

  const { lockId } = await glacier.initiateVaultLock({ ...vault, policy });
  await assert.rejects(glacier.completeVaultLock({ ...vault, lockId: first }), refusal);
  await glacier.completeVaultLock({ ...vault, lockId });
  await glacier.completeVaultLock({ ...vault, lockId });
  const locked = await glacier.getVaultLock(vault);
  assert.equal(locked.State, 'Locked');
  assert.equal(locked.ExpirationDate ?? null, null);
  await assert.rejects(glacier.abortVaultLock(vault), { name: 'AccessDeniedException' });

  await glacier.deleteVault(vault);
  await assert.rejects(glacier.getVaultLock(vault), sdk.ResourceNotFoundException);
});

test('an account has a retrieval policy, and buys capacity', async () => {
  const Policy = { Rules: [{ Strategy: 'BytesPerHour', BytesPerHour: 10_737_418_240 }] };
  await glacier.setDataRetrievalPolicy({ ...own, Policy });
  assert.deepEqual((await glacier.getDataRetrievalPolicy(own)).Policy, Policy);
  const none = { Rules: [{ Strategy: 'None' }] };
  await glacier.setDataRetrievalPolicy({ ...own, Policy: none });
  assert.deepEqual((await glacier.getDataRetrievalPolicy(own)).Policy, none);

  const vault = await createVault();
  const { archiveId = '' } = await glacier.uploadArchive({ ...vault, body: bytesOf(10) });
  const expedited = { Type: 'archive-retrieval', ArchiveId: archiveId, Tier: 'Expedited' };
  const refused = glacier.initiateJob({ ...vault, jobParameters: expedited });
  await assert.rejects(refused, sdk.InsufficientCapacityException);
  const { capacityId } = await glacier.purchaseProvisionedCapacity(own);
  const { ProvisionedCapacityList = [] } = await glacier.listProvisionedCapacity(own);
  assert.deepEqual(
    ProvisionedCapacityList.map(({ CapacityId }) => CapacityId),
    [capacityId],
  );
  assert.equal((await finishedJob(vault, expedited)).Tier, 'Expedited');
  await glacier.purchaseProvisionedCapacity(own);
  await assert.rejects(glacier.purchaseProvisionedCapacity(own), sdk.LimitExceededException);
});

test('errors come as the classes of the SDK', async () => {
  const vault = await createVault();
  const { archiveId = '' } = await glacier.uploadArchive({ ...vault, body: bytesOf(1000) });
  const Policy = { Rules: [{ Strategy: 'BytesPerHour', BytesPerHour: 1 }] };
  await glacier.setDataRetrievalPolicy({ ...own, Policy });
  const jobParameters = { Type: 'archive-retrieval', ArchiveId: archiveId };
  const enforced = glacier.initiateJob({ ...vault, jobParameters });
  await assert.rejects(enforced, sdk.PolicyEnforcedException);

  const lost = glacier.listJobs({ ...own, vaultName: freshName() });
  await assert.rejects(lost, sdk.ResourceNotFoundException);
  const sizeless = glacier.initiateMultipartUpload({ ...vault, partSize: '10' });
  await assert.rejects(sizeless, sdk.InvalidParameterValueException);
  const untyped = glacier.initiateJob({ ...vault, jobParameters: {} });
  await assert.rejects(untyped, sdk.MissingParameterValueException);
});

test('an upload that stalls comes back as the time-out of the SDK', async () => {
  await using hasty = await startServer({ env: { FIRN_BODY_IDLE_TIMEOUT: '200ms' } });
  const client = new sdk.Glacier({ endpoint: hasty.url, region, credentials, maxAttempts: 1 });
  const vault = { ...own, vaultName: freshName() };
  await client.createVault(vault);
  client.middlewareStack.add(
    (next) => (args) => {
      // The length was announced and signed: what is left out makes the server wait.
      Object.assign(args.request as object, { body: Buffer.from('no') });
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  const stalling = client.uploadArchive({ ...vault, body: Buffer.from('not all of this') });
  await assert.rejects(stalling, sdk.RequestTimeoutException);
  client.destroy();
});

test('the tour left no operation of the SDK out', () => {
  const commands = Object.keys(sdk).filter((name) => /^[A-Z]\w+Command$/.test(name));
  assert.equal(commands.length, 33);
  assert.deepEqual([...answered].sort(), commands.sort());
});
