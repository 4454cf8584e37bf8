import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, region } from '../../../tests/support/domain.ts';
import { initiate, putAll } from '../../../tests/support/domain-uploads.ts';
import { mebibyte, treeHashOf } from '../../../tests/support/tree-hash-reference.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { sampleBytes } from '../../storage/blob-specimen.ts';
import { listParts } from './list-parts.ts';

const call = { region, signal: goingOn };
const input = (uploadId: string, more: object = {}) => ({
  accountId,
  vaultName: 'photos',
  uploadId,
  ...more,
});

test('ListParts answers the upload and its parts, and goes on after its marker', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain, { description: 'greeting' });
  const whole = sampleBytes(mebibyte + 5);
  await putAll(domain, uploadId, whole);
  const first = await listParts(input(uploadId, { limit: 1 }), domain, call);
  const { marker, parts, ...upload } = first;
  assert.deepEqual(upload, {
    archiveDescription: 'greeting',
    creationDate: '2026-01-31T14:26:33.031Z',
    multipartUploadId: uploadId,
    partSizeInBytes: mebibyte,
    vaultARN: 'arn:aws:glacier:us-east-1:012345678901:vaults/photos',
  });
  assert.deepEqual(parts, [
    { rangeInBytes: '0-1048575', sHA256TreeHash: treeHashOf(whole.subarray(0, mebibyte)) },
  ]);
  assert.deepEqual(await listParts(input(uploadId, { marker }), domain, call), {
    ...upload,
    marker: null,
    parts: [
      { rangeInBytes: '1048576-1048580', sHA256TreeHash: treeHashOf(whole.subarray(mebibyte)) },
    ],
  });
});

test('ListParts does not find an upload that never was', async () => {
  await using domain = await openDomain();
  await assert.rejects(
    listParts(input('nobody'), domain, call),
    new GlacierError('ResourceNotFoundException', 'The upload ID was not found: nobody'),
  );
});
