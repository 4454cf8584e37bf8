import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, bodyOf, goingOn, openDomain, region } from '../../../tests/support/domain.ts';
import { treeHashOf } from '../../../tests/support/tree-hash-reference.ts';
import { sha256Hex } from '../../lib/node/sha256.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { uploadArchive } from './upload-archive.ts';

const call = { region, signal: goingOn };
const bytes = Buffer.from('hello');
const input = (checksum: string) => ({
  accountId,
  vaultName: 'photos',
  contentLength: bytes.length,
  contentSha256: sha256Hex(bytes),
  checksum,
  archiveDescription: 'greeting',
  body: bodyOf(bytes),
});

test('UploadArchive stores the body with its description and answers where', async () => {
  await using domain = await openDomain();
  const reply = await uploadArchive(input(treeHashOf(bytes).toUpperCase()), domain, call);
  const { archiveId } = reply;
  assert.deepEqual(reply, {
    location: `/012345678901/vaults/photos/archives/${archiveId}`,
    archiveId,
    checksum: treeHashOf(bytes),
  });
  const row = await domain.store.read(({ archives }) => archives.get(archiveId));
  assert.equal(row?.description, 'greeting');
  assert.equal(row?.sizeBytes, 5);
});

test('UploadArchive refuses a body that is not what its tree hash says', async () => {
  await using domain = await openDomain();
  const wrong = '0'.repeat(64);
  const message = `Checksum mismatch: expected ${wrong}, computed ${treeHashOf(bytes)}`;
  await assert.rejects(
    uploadArchive(input(wrong), domain, call),
    new GlacierError('InvalidParameterValueException', message),
  );
});

test('UploadArchive ends with its call', async () => {
  await using domain = await openDomain();
  const reason = new Error('the client is gone');
  const signal = AbortSignal.abort(reason);
  await assert.rejects(uploadArchive(input(treeHashOf(bytes)), domain, { region, signal }), reason);
});
