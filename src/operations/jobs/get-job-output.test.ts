import assert from 'node:assert/strict';
import test from 'node:test';
import {
  accountId,
  type Domain,
  goingOn,
  inventory,
  openDomain,
  region,
  retrieve,
  runUntilIdle,
  upload,
} from '../../../tests/support/domain.ts';
import { treeHashOf } from '../../../tests/support/tree-hash-reference.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { TakeInventories } from '../../workers/take-inventories.ts';
import { getJobOutput } from './get-job-output.ts';

const call = { region, signal: goingOn };
const input = (jobId: string, range?: string) => ({
  accountId,
  vaultName: 'photos',
  jobId,
  range,
});

async function retrieved(domain: Domain): Promise<string> {
  const archive = upload(Buffer.from('hello'), { description: 'greeting' });
  const { archiveId } = await domain.archives.store(archive);
  const jobId = await retrieve(domain, archiveId);
  await domain.jobs.succeed(jobId);
  return jobId;
}

const textOf = async (bytes: AsyncIterable<Uint8Array>) =>
  Buffer.concat(await Array.fromAsync(bytes, (chunk) => Uint8Array.from(chunk))).toString();

test('GetJobOutput answers the whole archive with 200, its tree hash and its description', async () => {
  await using domain = await openDomain();
  const { body, ...facts } = await getJobOutput(input(await retrieved(domain)), domain, call);
  assert.deepEqual(facts, {
    status: 200,
    contentType: 'application/octet-stream',
    acceptRanges: 'bytes',
    contentRange: null,
    checksum: treeHashOf(Buffer.from('hello')),
    archiveDescription: 'greeting',
  });
  assert.equal(body.sizeBytes, 5);
  assert.equal(await textOf(body.bytes), 'hello');
});

test('GetJobOutput answers a range with 206 and says where it lies', async () => {
  await using domain = await openDomain();
  const reply = await getJobOutput(input(await retrieved(domain), 'bytes=1-99'), domain, call);
  const { status, contentRange, checksum, body } = reply;
  assert.deepEqual([status, contentRange, checksum], [206, 'bytes 1-4/5', null]);
  assert.equal(body.sizeBytes, 4);
  assert.equal(await textOf(body.bytes), 'ello');
});

test('GetJobOutput answers an inventory in its format, without a tree hash', async () => {
  await using domain = await openDomain();
  const jobId = await inventory(domain, { format: 'CSV' });
  await runUntilIdle(new TakeInventories({ ...domain, arrivals: domain.arrivals.inventories }));
  const reply = await getJobOutput(input(jobId), domain, call);
  const { status, contentType, checksum, archiveDescription, body } = reply;
  assert.deepEqual(
    [status, contentType, checksum, archiveDescription],
    [200, 'text/csv', null, null],
  );
  const text = await textOf(body.bytes);
  assert.equal(text, 'ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash\r\n');
  assert.equal(body.sizeBytes, text.length);
});

test('GetJobOutput stops reading when its call ends', async () => {
  await using domain = await openDomain();
  const reason = new Error('the client is gone');
  const leaving = new AbortController();
  const jobId = await retrieved(domain);
  const { body } = await getJobOutput(input(jobId), domain, { region, signal: leaving.signal });
  leaving.abort(reason);
  await assert.rejects(textOf(body.bytes), reason);
});

test('GetJobOutput refuses a job that is not done yet', async () => {
  await using domain = await openDomain();
  const jobId = await inventory(domain);
  const message = `The job is not currently available for download: ${jobId}`;
  await assert.rejects(
    getJobOutput(input(jobId), domain, call),
    new GlacierError('InvalidParameterValueException', message),
  );
});
