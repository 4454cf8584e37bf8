import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  askForJob,
  bytesOf,
  completedJob,
  createVault,
  deleteArchive,
  describeVault,
  freshName,
  getOutput,
  initiateJob,
  inventoryOf,
  upload,
} from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { assertEmpty, assertError } from '../support/expectations.ts';
import { storedFiles } from '../support/stored-files.ts';
import { onlyOwnServer, openTarget } from '../support/target.ts';

const { api, account, dataDirectory } = await openTarget();

const arnOf = (vault: string) =>
  `arn:aws:glacier:${api.region}:${account.accountId}:vaults/${vault}`;

test('deleting an archive answers 204, and it is in no total and no inventory', async () => {
  const vault = await createVault(api);
  const archiveId = await upload(api, vault, bytesOf(10));
  const answer = await api.call('DELETE', `/-/vaults/${vault}/archives/${archiveId}`);
  assertEmpty(answer, 204);
  assert.equal((await describeVault(api, vault)).NumberOfArchives, 0);
  assert.deepEqual((await inventoryOf(api, vault)).ArchiveList, []);
});

test('deleting an archive again, or one that never was, answers 204', async () => {
  const vault = await createVault(api);
  const archiveId = await upload(api, vault, bytesOf(10));
  await deleteArchive(api, vault, archiveId);
  await deleteArchive(api, vault, archiveId);
  await deleteArchive(api, vault, 'A'.repeat(138));
  assert.equal((await describeVault(api, vault)).NumberOfArchives, 0);
});

test('deleting from an unknown vault answers 404', async () => {
  const vault = freshName();
  const answer = await api.call('DELETE', `/-/vaults/${vault}/archives/${'A'.repeat(138)}`);
  const message = `Vault not found for ARN: ${arnOf(vault)}`;
  assertError(answer, 404, 'ResourceNotFoundException', message);
});

for (const id of ['A'.repeat(137), 'A'.repeat(139), 'no-such-archive', `${'A'.repeat(137)}.`]) {
  test(`deleting by an id that cannot be one, of ${id.length} characters, answers 404`, async () => {
    const vault = await createVault(api);
    const answer = await api.call('DELETE', `/-/vaults/${vault}/archives/${id}`);
    const message = `The archive ID was not found: ${id}`;
    assertError(answer, 404, 'ResourceNotFoundException', message);
  });
}

test('deleting through another vault answers 400 with the ARN of that one', async () => {
  const [vault, another] = [await createVault(api), await createVault(api)];
  const archiveId = await upload(api, vault, bytesOf(10));
  const answer = await api.call('DELETE', `/-/vaults/${another}/archives/${archiveId}`);
  const message = `Invalid vault name: ${arnOf(another)}`;
  assertError(answer, 400, 'InvalidParameterValueException', message);
  assert.equal((await describeVault(api, vault)).NumberOfArchives, 1);
});

test('a deleted archive can not be retrieved any more', async () => {
  const vault = await createVault(api);
  const archiveId = await upload(api, vault, bytesOf(10));
  await deleteArchive(api, vault, archiveId);
  const answer = await askForJob(api, vault, { Type: 'archive-retrieval', ArchiveId: archiveId });
  const message = `The archive ID was not found: ${archiveId}`;
  assertError(answer, 404, 'ResourceNotFoundException', message);
});

for (const sizeBytes of [1000, 700_000]) {
  test(`a job that succeeded serves ${sizeBytes} bytes although they were deleted`, async () => {
    const vault = await createVault(api);
    const bytes = bytesOf(sizeBytes);
    const archiveId = await upload(api, vault, bytes, 'still there');
    const parameters = { Type: 'archive-retrieval', ArchiveId: archiveId };
    const jobId = await initiateJob(api, vault, parameters);
    await completedJob(api, vault, jobId);
    await deleteArchive(api, vault, archiveId);
    for (let time = 0; time < 3; time += 1) {
      const answer = await getOutput(api, vault, jobId);
      assert.equal(answer.status, 200);
      assert.ok(answer.body.equals(bytes));
      assert.equal(answer.headers.get('x-amz-archive-description'), 'still there');
    }
    const { ArchiveId, StatusCode } = await completedJob(api, vault, jobId);
    assert.deepEqual({ ArchiveId, StatusCode }, { ArchiveId: archiveId, StatusCode: 'Succeeded' });
  });
}

test('the bytes of a deleted archive are removed from the disk', {
  skip: onlyOwnServer,
}, async () => {
  const vault = await createVault(api);
  const before = storedFiles(dataDirectory ?? '');
  const archiveId = await upload(api, vault, bytesOf(700_000));
  assert.notDeepEqual(storedFiles(dataDirectory ?? ''), before);
  await deleteArchive(api, vault, archiveId);
  await eventually('the file is gone', () => {
    const left = storedFiles(dataDirectory ?? '');
    return left.size === before.size;
  });
});
