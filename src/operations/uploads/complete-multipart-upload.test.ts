import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, region } from '../../../tests/support/domain.ts';
import { initiate, putAll } from '../../../tests/support/domain-uploads.ts';
import { mebibyte, treeHashOf } from '../../../tests/support/tree-hash-reference.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { sampleBytes } from '../../storage/blob-specimen.ts';
import { completeMultipartUpload } from './complete-multipart-upload.ts';

const call = { region, signal: goingOn };
const whole = sampleBytes(1.5 * mebibyte);
const input = (uploadId: string, archiveSize = String(whole.length)) => ({
  accountId,
  vaultName: 'photos',
  uploadId,
  archiveSize,
  checksum: treeHashOf(whole),
});

test('CompleteMultipartUpload answers the archive, its place and its tree hash', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await putAll(domain, uploadId, whole);
  const reply = await completeMultipartUpload(input(uploadId), domain, call);
  const { archiveId } = reply;
  assert.deepEqual(reply, {
    location: `/012345678901/vaults/photos/archives/${archiveId}`,
    archiveId,
    checksum: treeHashOf(whole),
  });
  const row = await domain.store.read(({ archives }) => archives.get(archiveId));
  assert.equal(row?.sizeBytes, whole.length);
});

test('CompleteMultipartUpload refuses a size that is not that of the parts', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await putAll(domain, uploadId, whole);
  await assert.rejects(
    completeMultipartUpload(input(uploadId, '77'), domain, call),
    new GlacierError('InvalidParameterValueException', 'Invalid x-amz-archive-size: 77'),
  );
});

test('CompleteMultipartUpload ends with its call', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await putAll(domain, uploadId, whole);
  const reason = new Error('the client is gone');
  const signal = AbortSignal.abort(reason);
  const ending = completeMultipartUpload(input(uploadId), domain, { region, signal });
  await assert.rejects(ending, reason);
});
