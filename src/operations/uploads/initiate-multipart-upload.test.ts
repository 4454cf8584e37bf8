import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, region } from '../../../tests/support/domain.ts';
import { initiateMultipartUpload } from './initiate-multipart-upload.ts';

const call = { region, signal: goingOn };
const vault = { accountId, vaultName: 'photos' };

test('InitiateMultipartUpload answers the id of the upload and where it is', async () => {
  await using domain = await openDomain();
  const input = { ...vault, partSize: '4194304', archiveDescription: 'greeting' };
  const { location, uploadId } = await initiateMultipartUpload(input, domain, call);
  assert.equal(location, `/012345678901/vaults/photos/multipart-uploads/${uploadId}`);
  const row = await domain.store.read(({ uploads }) => uploads.get(uploadId));
  assert.equal(row?.partSizeBytes, 4_194_304);
  assert.equal(row?.description, 'greeting');
});

test('InitiateMultipartUpload refuses to go without a part size, naming null', async () => {
  await using domain = await openDomain();
  await assert.rejects(initiateMultipartUpload(vault, domain, call), {
    code: 'InvalidParameterValueException',
    message: /^Invalid part size: null\. /,
  });
});
