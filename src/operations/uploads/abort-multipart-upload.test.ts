import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, photos, region } from '../../../tests/support/domain.ts';
import { initiate } from '../../../tests/support/domain-uploads.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { abortMultipartUpload } from './abort-multipart-upload.ts';

const call = { region, signal: goingOn };
const input = (uploadId: string) => ({ accountId, vaultName: 'photos', uploadId });

test('AbortMultipartUpload ends the upload, and answers the same the next time', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  assert.deepEqual(await abortMultipartUpload(input(uploadId), domain, call), {});
  assert.deepEqual((await domain.uploads.list(photos, {})).uploadsList, []);
  assert.deepEqual(await abortMultipartUpload(input(uploadId), domain, call), {});
});

test('AbortMultipartUpload does not find an upload that never was', async () => {
  await using domain = await openDomain();
  await assert.rejects(
    abortMultipartUpload(input('nobody'), domain, call),
    new GlacierError('ResourceNotFoundException', 'The upload ID was not found: nobody'),
  );
});
