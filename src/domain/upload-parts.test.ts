import assert from 'node:assert/strict';
import test from 'node:test';
import { bodyOf, type Domain, hourMs, openDomain, photos } from '../../tests/support/domain.ts';
import {
  completionOf,
  initiate,
  partOf,
  putAll,
  shownParts,
} from '../../tests/support/domain-uploads.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { mebibyte, treeHashOf } from '../../tests/support/tree-hash-reference.ts';
import { GlacierError } from '../protocol/errors.ts';
import { chunked, listIds, sampleBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import { StoreError } from '../storage/errors.ts';
import { parseBlobLabel } from './blob-labels.ts';
import { Uploads } from './uploads.ts';

const M = mebibyte;
const text = Buffer.from('hello');
const other = Buffer.from('good bye');
const invalid = (message: string) => new GlacierError('InvalidParameterValueException', message);
const notFound = (uploadId: string) =>
  new GlacierError('ResourceNotFoundException', `The upload ID was not found: ${uploadId}`);
const noRoom = { code: 'ServiceUnavailableException', message: /^There is no room for new data\./ };

const partsOf = ({ store }: Domain, uploadId: string) =>
  store.read(({ uploads }) => uploads.listParts({ uploadId, after: null, limit: 100 }));

/** A body that cannot be read. */
function unread(bytes: Uint8Array) {
  const body = faulty(chunked(bytes));
  body.failNext(Symbol.asyncIterator, new Error('the body was read'));
  return body.it;
}

test('a part is stored with its place, its length and its tree hash', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain, { partSize: String(4 * M) });
  const bytes = sampleBytes(2.5 * M);
  const stored = await domain.uploads.putPart(partOf(uploadId, 8 * M, bytes));
  assert.equal(stored.treeHash, treeHashOf(bytes));
  const [blobId, ...others] = await listIds(domain.blobs);
  assert.equal(others.length, 0);
  assert.deepEqual(await partsOf(domain, uploadId), [
    { index: 2, blobId, sizeBytes: bytes.length, treeHash: treeHashOf(bytes) },
  ]);
});

test('the label of a part’s bytes says of which upload they are, and where they lie', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await domain.uploads.putPart(partOf(uploadId, 7 * M, text));
  const [blobId] = await listIds(domain.blobs);
  assert.ok(blobId !== undefined);
  const vault = await domain.store.read(({ vaults }) => vaults.get(photos));
  assert.deepEqual(parseBlobLabel((await domain.blobs.describe(blobId)).label), {
    kind: 'part',
    version: 1,
    ...photos,
    vaultId: vault?.vaultId,
    uploadId,
    partSizeBytes: M,
    index: 7,
    sizeBytes: 5,
    treeHash: treeHashOf(text),
  });
});

test('a part may be short wherever it lies, and there are 10,000 places', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  for (const at of [0, M, 9999 * M]) await domain.uploads.putPart(partOf(uploadId, at, text));
  const indexes = (await partsOf(domain, uploadId)).map(({ index }) => index);
  assert.deepEqual(indexes, [0, 1, 9999]);
});

for (const [shown, range, message] of [
  ['is no range', 'bytes=0-4/*', 'Invalid Content-Range: bytes=0-4/*'],
  [
    'begins within a part',
    'bytes 5-9/*',
    'Content-Range: bytes 5-9/* is not aligned with part size: 1048576',
  ],
  [
    'lies behind the last part that there may be',
    'bytes 10485760000-10485760004/*',
    'This is part number 10001 for the current multipart upload. It exceeds the limit of 10000 ' +
      'parts.',
  ],
] as const) {
  test(`a part whose range ${shown} is refused before a byte is read`, async () => {
    await using domain = await openDomain();
    const uploadId = await initiate(domain);
    const part = partOf(uploadId, 0, text, { range, body: unread(text) });
    await assert.rejects(domain.uploads.putPart(part), invalid(message));
    assert.deepEqual(await partsOf(domain, uploadId), []);
  });
}

test('a part that is longer than parts are is refused before a byte is read', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  const bytes = sampleBytes(M + 1);
  const range = 'bytes 0-1048576/*';
  await assert.rejects(
    domain.uploads.putPart(partOf(uploadId, 0, bytes, { body: unread(bytes) })),
    invalid(`Content-Range: ${range} is incompatible with part size: 1048576`),
  );
});

test('of a part that is wrong in every way the alignment is told, then the size', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  const bytes = sampleBytes(M + 1);
  const put = (at: number) => domain.uploads.putPart(partOf(uploadId, at, bytes));
  await assert.rejects(put(10_000 * M + 1), { message: / is not aligned with part size: / });
  await assert.rejects(put(10_000 * M), { message: / is incompatible with part size: / });
});

test('a part is as long as its range, or is refused', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  const put = (range: string) => domain.uploads.putPart(partOf(uploadId, 0, text, { range }));
  for (const range of ['bytes 0-3/*', 'bytes 0-5/*']) {
    const message = `Content-Range: ${range} is incompatible with Content-Length: 5`;
    await assert.rejects(put(range), invalid(message));
  }
  assert.deepEqual(await listIds(domain.blobs), []);
  await put('bytes 0-4/*');
  assert.deepEqual(await shownParts(domain, uploadId), [['0-4', treeHashOf(text)]]);
});

test('a part is not read further than its range goes', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  async function* body() {
    yield text;
    yield text;
    throw new Error('too much was read');
  }
  await assert.rejects(
    domain.uploads.putPart(partOf(uploadId, 0, text, { body: body() })),
    invalid('Content-Range: bytes 0-4/* is incompatible with Content-Length: 10'),
  );
});

test('a part sent again takes the place of the first, and its bytes go', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await domain.uploads.putPart(partOf(uploadId, 0, text));
  const [first] = await listIds(domain.blobs);
  await domain.uploads.putPart(partOf(uploadId, 0, other));
  assert.deepEqual(await shownParts(domain, uploadId), [['0-7', treeHashOf(other)]]);
  const ids = await listIds(domain.blobs);
  assert.equal(ids.length, 1);
  assert.notEqual(ids[0], first);
});

test('bytes that were replaced and can not be removed do not fail the part', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  const blobs = faulty(domain.blobs);
  const uploads = new Uploads({ ...domain, blobs: blobs.it });
  await uploads.putPart(partOf(uploadId, 0, text));
  blobs.failNext('remove', new StoreError('StoreUnavailable', 'the disk does not answer'));
  await uploads.putPart(partOf(uploadId, 0, other));
  assert.deepEqual(await shownParts(domain, uploadId), [['0-7', treeHashOf(other)]]);
  assert.equal((await listIds(domain.blobs)).length, 2);
});

test('a part that fails leaves the one that was there, and nothing beside it', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await domain.uploads.putPart(partOf(uploadId, 0, text));
  const before = await listIds(domain.blobs);
  const unsigned = new GlacierError('InvalidSignatureException', 'not what was signed');
  async function* unsignedBody() {
    yield other;
    throw unsigned;
  }
  const leaving = new AbortController();
  const gone = new Error('the client is gone');
  async function* leavingBody() {
    yield other.subarray(0, 3);
    leaving.abort(gone);
    yield other.subarray(3);
  }
  const zeros = '0'.repeat(64);
  const mismatch = `Checksum mismatch: expected ${zeros}, computed ${treeHashOf(other)}`;
  for (const [change, failure] of [
    [{ treeHash: zeros }, invalid(mismatch)],
    [{ body: unsignedBody() }, unsigned],
    [{ body: leavingBody(), signal: leaving.signal }, gone],
  ] as const) {
    await assert.rejects(domain.uploads.putPart(partOf(uploadId, 0, other, change)), failure);
  }
  assert.deepEqual(await shownParts(domain, uploadId), [['0-4', treeHashOf(text)]]);
  assert.deepEqual(await listIds(domain.blobs), before);
});

test('of parts in one place that whose bytes are complete last stays, whole', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  async function* slowly() {
    yield text.subarray(0, 2);
    await domain.uploads.putPart(partOf(uploadId, 0, other));
    yield text.subarray(2);
  }
  await domain.uploads.putPart(partOf(uploadId, 0, text, { body: slowly() }));
  assert.deepEqual(await shownParts(domain, uploadId), [['0-4', treeHashOf(text)]]);
  assert.equal((await listIds(domain.blobs)).length, 1);
});

test('many parts in one place at the same time leave one, and the bytes of one', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  const contents = Array.from({ length: 20 }, (_, index) => Buffer.from(`content ${index}`));
  await Promise.all(contents.map((bytes) => domain.uploads.putPart(partOf(uploadId, 0, bytes))));
  const [part, ...others] = await partsOf(domain, uploadId);
  assert.ok(part !== undefined && others.length === 0);
  assert.ok(contents.some((bytes) => treeHashOf(bytes) === part.treeHash));
  assert.deepEqual(await listIds(domain.blobs), [part.blobId]);
  assert.equal(domain.pins.isHeld(part.blobId), false);
});

const ends = {
  'was aborted': ({ uploads }: Domain, uploadId: string) =>
    uploads.abort({ vault: photos, uploadId }),
  'was completed': async ({ uploads }: Domain, uploadId: string) => {
    await uploads.putPart(partOf(uploadId, 0, other));
    await uploads.complete(completionOf(uploadId, other));
  },
  'has expired': async ({ clock }: Domain) => clock.advance(24 * hourMs),
  'lost its vault to another one of its name': async ({ vaults }: Domain) => {
    await vaults.remove(photos);
    await vaults.create(photos);
  },
} as const;

for (const [shown, end] of Object.entries(ends)) {
  test(`a part of an upload that ${shown} meanwhile leaves nothing behind`, async () => {
    await using domain = await openDomain();
    const uploadId = await initiate(domain);
    let before: BlobId[] = [];
    async function* body() {
      yield text.subarray(0, 2);
      await end(domain, uploadId);
      before = await listIds(domain.blobs);
      yield text.subarray(2);
    }
    const part = partOf(uploadId, 0, text, { body: body() });
    await assert.rejects(domain.uploads.putPart(part), notFound(uploadId));
    assert.deepEqual(await listIds(domain.blobs), before);
  });
}

test('a part for a vault that is gone meanwhile leaves nothing behind', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  async function* body() {
    yield text;
    await domain.vaults.remove(photos);
  }
  await assert.rejects(domain.uploads.putPart(partOf(uploadId, 0, text, { body: body() })), {
    code: 'ResourceNotFoundException',
    message: /^Vault not found for ARN: /,
  });
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('a part of an unknown upload is refused before a byte is read', async () => {
  await using domain = await openDomain();
  const uploadId = 'A'.repeat(92);
  const part = partOf(uploadId, 0, text, { body: unread(text) });
  await assert.rejects(domain.uploads.putPart(part), notFound(uploadId));
});

test('bytes whose row may be there, although its commit failed, are not removed', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  const store = faulty(domain.store);
  const lost = new StoreError('StoreUnavailable', 'the log could not be synced');
  store.failNext('write', lost);
  const uploads = new Uploads({ ...domain, store: store.it });
  await assert.rejects(uploads.putPart(partOf(uploadId, 0, text)), lost);
  const [id, ...others] = await listIds(domain.blobs);
  assert.ok(id !== undefined && others.length === 0);
  assert.equal(domain.pins.isHeld(id), true);
});

test('a full store refuses a part before a byte is read, and one that it has no room for', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await domain.uploads.putPart(partOf(uploadId, 0, text));
  domain.blobs.capacityBytes = domain.blobs.usedBytes + 10;
  await assert.rejects(domain.uploads.putPart(partOf(uploadId, M, sampleBytes(11))), noRoom);
  domain.blobs.capacityBytes = domain.blobs.usedBytes;
  const part = partOf(uploadId, M, text, { body: unread(text) });
  await assert.rejects(domain.uploads.putPart(part), noRoom);
  assert.deepEqual(await shownParts(domain, uploadId), [['0-4', treeHashOf(text)]]);
  await domain.uploads.abort({ vault: photos, uploadId });
});

test('a store that writes no rows any more takes in no byte of a part', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  const store = faulty(domain.store);
  const failed = new StoreError('StoreUnavailable', 'a sync failed');
  store.failNext('checkWritable', failed);
  const uploads = new Uploads({ ...domain, store: store.it });
  const part = partOf(uploadId, 0, text, { body: unread(text) });
  await assert.rejects(uploads.putPart(part), failed);
});

test('a part moved by a compaction goes from where it is now, when it is replaced', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await putAll(domain, uploadId, text);
  const [from] = await listIds(domain.blobs);
  assert.ok(from !== undefined);
  const to = await domain.compaction.copy(from);
  await domain.store.write((rows) => rows.blobs.repoint(from, to));
  await domain.blobs.remove(from);
  await domain.uploads.putPart(partOf(uploadId, 0, text, { body: bodyOf(text) }));
  assert.equal((await listIds(domain.blobs)).length, 1);
});
