import assert from 'node:assert/strict';
import test from 'node:test';
import { type Domain, hourMs, openDomain, photos, videos } from '../../tests/support/domain.ts';
import { completionOf, initiate, partOf, putAll } from '../../tests/support/domain-uploads.ts';
import { mebibyte, treeHashOf } from '../../tests/support/tree-hash-reference.ts';
import { GlacierError } from '../protocol/errors.ts';

const M = mebibyte;
const text = Buffer.from('hello');
const vaultARN = 'arn:aws:glacier:us-east-1:012345678901:vaults/photos';
const invalidMarker = (marker: string) =>
  new GlacierError('InvalidParameterValueException', `Invalid marker: ${marker}`);

/** Initiates so many uploads, a millisecond apart. */
async function initiateMany(domain: Domain, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    ids.push(await initiate(domain));
    domain.clock.advance(1);
  }
  return ids;
}

/** All pages of the list of uploads, as ids. */
async function uploadPages({ uploads }: Domain, limit: number): Promise<string[][]> {
  const pages: string[][] = [];
  for (let marker: string | undefined; ; ) {
    const page = await uploads.list(photos, { limit, marker });
    pages.push(page.uploadsList.map(({ multipartUploadId }) => multipartUploadId));
    if (page.marker === null) return pages;
    marker = page.marker;
  }
}

test('an upload is listed as it was initiated', async () => {
  await using domain = await openDomain();
  const partSize = String(4 * M);
  const uploadId = await initiate(domain, { partSize, description: 'greeting' });
  domain.clock.advance(hourMs);
  const other = await initiate(domain);
  assert.deepEqual(await domain.uploads.list(photos, {}), {
    marker: null,
    uploadsList: [
      {
        archiveDescription: 'greeting',
        creationDate: '2026-01-31T14:26:33.031Z',
        multipartUploadId: uploadId,
        partSizeInBytes: 4 * M,
        vaultARN,
      },
      {
        archiveDescription: null,
        creationDate: '2026-01-31T15:26:33.031Z',
        multipartUploadId: other,
        partSizeInBytes: M,
        vaultARN,
      },
    ],
  });
});

test('a vault without uploads has an empty list, whatever other vaults have', async () => {
  await using domain = await openDomain();
  await domain.vaults.create(videos);
  await initiate(domain, { vault: videos });
  assert.deepEqual(await domain.uploads.list(photos, {}), { marker: null, uploadsList: [] });
});

test('uploads come in pages, oldest first, each once', async () => {
  await using domain = await openDomain();
  const ids = await initiateMany(domain, 5);
  assert.deepEqual(await uploadPages(domain, 2), [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
  assert.deepEqual(await uploadPages(domain, 5), [ids]);
});

test('a marker stays good when its upload has ended, and of the others only open ones follow', async () => {
  await using domain = await openDomain();
  const ids = await initiateMany(domain, 4);
  const [, marked = '', next = '', last = ''] = ids;
  const { marker } = await domain.uploads.list(photos, { limit: 2 });
  assert.ok(marker !== null);
  await domain.uploads.abort({ vault: photos, uploadId: marked });
  await putAll(domain, next, text);
  await domain.uploads.complete(completionOf(next, text));
  const { uploadsList } = await domain.uploads.list(photos, { marker });
  assert.deepEqual(
    uploadsList.map(({ multipartUploadId }) => multipartUploadId),
    [last],
  );
});

test('no page has more than fifty, of uploads or of parts', async () => {
  await using domain = await openDomain();
  const [uploadId = ''] = await initiateMany(domain, 51);
  for (let index = 0; index < 51; index += 1) {
    await domain.uploads.putPart(partOf(uploadId, index * M, text));
  }
  for (const limit of [undefined, 50, 51, 1000]) {
    assert.equal((await domain.uploads.list(photos, { limit })).uploadsList.length, 50);
    const { parts } = await domain.uploads.listParts({ vault: photos, uploadId }, { limit });
    assert.equal(parts.length, 50);
  }
});

test('parts are listed by their place, with the upload that they are of', async () => {
  await using domain = await openDomain();
  const partSize = String(4 * M);
  const uploadId = await initiate(domain, { partSize, description: 'greeting' });
  const other = Buffer.from('good bye');
  await domain.uploads.putPart(partOf(uploadId, 20 * M, text));
  await domain.uploads.putPart(partOf(uploadId, 0, other));
  domain.clock.advance(hourMs);
  assert.deepEqual(await domain.uploads.listParts({ vault: photos, uploadId }, {}), {
    archiveDescription: 'greeting',
    creationDate: '2026-01-31T14:26:33.031Z',
    marker: null,
    multipartUploadId: uploadId,
    partSizeInBytes: 4 * M,
    parts: [
      { rangeInBytes: '0-7', sHA256TreeHash: treeHashOf(other) },
      { rangeInBytes: '20971520-20971524', sHA256TreeHash: treeHashOf(text) },
    ],
    vaultARN,
  });
});

test('parts come in pages, and a marker stays good when its part is put again', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  for (const index of [3, 0, 7]) await domain.uploads.putPart(partOf(uploadId, index * M, text));
  const page = async (marker?: string) => {
    const page = await domain.uploads.listParts({ vault: photos, uploadId }, { limit: 1, marker });
    return { first: page.parts[0]?.rangeInBytes.split('-')[0], marker: page.marker ?? undefined };
  };
  const first = await page();
  assert.equal(first.first, '0');
  await domain.uploads.putPart(partOf(uploadId, 0, Buffer.from('anew')));
  const second = await page(first.marker);
  assert.equal(second.first, String(3 * M));
  assert.deepEqual(await page(second.marker), { first: String(7 * M), marker: undefined });
});

test('a marker of another list is refused', async () => {
  await using domain = await openDomain();
  await domain.vaults.create(videos);
  const [one = '', two = ''] = await initiateMany(domain, 2);
  for (const index of [0, 1]) await domain.uploads.putPart(partOf(one, index * M, text));
  const ofUploads = (await domain.uploads.list(photos, { limit: 1 })).marker ?? '';
  const ofOne = await domain.uploads.listParts({ vault: photos, uploadId: one }, { limit: 1 });
  const ofParts = ofOne.marker ?? '';
  assert.ok(ofUploads !== '' && ofParts !== '');
  const refused = [
    [() => domain.uploads.list(videos, { marker: ofUploads }), ofUploads],
    [() => domain.uploads.list(photos, { marker: ofParts }), ofParts],
    [
      () => domain.uploads.listParts({ vault: photos, uploadId: two }, { marker: ofParts }),
      ofParts,
    ],
    [
      () => domain.uploads.listParts({ vault: photos, uploadId: one }, { marker: ofUploads }),
      ofUploads,
    ],
    [() => domain.uploads.list(photos, { marker: 'made up' }), 'made up'],
  ] as const;
  for (const [list, marker] of refused) await assert.rejects(list(), invalidMarker(marker));
});
