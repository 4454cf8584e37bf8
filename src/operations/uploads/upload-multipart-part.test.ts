import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, bodyOf, goingOn, openDomain, region } from '../../../tests/support/domain.ts';
import { initiate, shownParts } from '../../../tests/support/domain-uploads.ts';
import { treeHashOf } from '../../../tests/support/tree-hash-reference.ts';
import { sha256Hex } from '../../lib/node/sha256.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { uploadMultipartPart } from './upload-multipart-part.ts';

const call = { region, signal: goingOn };
const bytes = Buffer.from('hello');
const input = (uploadId: string, change: object = {}) => ({
  accountId,
  vaultName: 'photos',
  uploadId,
  range: 'bytes 1048576-1048580/*',
  contentLength: bytes.length,
  contentSha256: sha256Hex(bytes),
  checksum: treeHashOf(bytes).toUpperCase(),
  body: bodyOf(bytes),
  ...change,
});

test('UploadMultipartPart stores the body in its place and answers its tree hash', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  const checksum = treeHashOf(bytes);
  assert.deepEqual(await uploadMultipartPart(input(uploadId), domain, call), { checksum });
  assert.deepEqual(await shownParts(domain, uploadId), [['1048576-1048580', checksum]]);
});

test('UploadMultipartPart takes a part whose length was not announced', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await uploadMultipartPart(input(uploadId, { contentLength: undefined }), domain, call);
  assert.equal((await shownParts(domain, uploadId)).length, 1);
});

test('UploadMultipartPart refuses a body that is not as long as its range', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  const message = 'Content-Range: bytes 0-8/* is incompatible with Content-Length: 5';
  await assert.rejects(
    uploadMultipartPart(input(uploadId, { range: 'bytes 0-8/*' }), domain, call),
    new GlacierError('InvalidParameterValueException', message),
  );
});

test('UploadMultipartPart ends with its call', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  const reason = new Error('the client is gone');
  const signal = AbortSignal.abort(reason);
  await assert.rejects(uploadMultipartPart(input(uploadId), domain, { region, signal }), reason);
  assert.deepEqual(await shownParts(domain, uploadId), []);
});
