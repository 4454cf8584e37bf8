import assert from 'node:assert/strict';
import test from 'node:test';
import { type Domain, hourMs, openDomain, photos } from '../../tests/support/domain.ts';
import {
  completionOf,
  initiate,
  partOf,
  putAll,
  shownParts,
  storeInParts,
} from '../../tests/support/domain-uploads.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { mebibyte, treeHashOf } from '../../tests/support/tree-hash-reference.ts';
import { sha256Hex } from '../lib/node/sha256.ts';
import { GlacierError } from '../protocol/errors.ts';
import { isArchiveId } from '../protocol/names.ts';
import { listIds, sampleBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import { StoreError } from '../storage/errors.ts';
import { ForgetArchives } from '../workers/forget-archives.ts';
import { parseBlobLabel } from './blob-labels.ts';
import { Uploads } from './uploads.ts';

const M = mebibyte;
const whole = sampleBytes(2.5 * M);
const wholeTreeHash = treeHashOf(whole);
const part = (index: number) => whole.subarray(index * M, (index + 1) * M);
const invalid = (message: string) => new GlacierError('InvalidParameterValueException', message);
const notFound = (uploadId: string) =>
  new GlacierError('ResourceNotFoundException', `The upload ID was not found: ${uploadId}`);
const noRoom = { code: 'ServiceUnavailableException', message: /^There is no room for new data\./ };

async function totals({ store }: Domain) {
  const vault = await store.read(({ vaults }) => vaults.get(photos));
  return [vault?.archiveCount, vault?.sizeBytes, vault?.changes];
}

const blobsOf = ({ store }: Domain, archiveId: string) =>
  store.read(({ archives }) => archives.blobs(archiveId));

async function openUpload(domain: Domain): Promise<string> {
  const uploadId = await initiate(domain);
  await putAll(domain, uploadId, whole);
  return uploadId;
}

/** Uploads to which `happen` happens when a completion has seen its parts, and has no row yet. */
function interrupted(domain: Domain, happen: () => Promise<unknown>): Uploads {
  const write: typeof domain.blobs.write = async (...args) => {
    await happen();
    return await domain.blobs.write(...args);
  };
  const blobs = new Proxy(domain.blobs, {
    get: (target, property) => {
      const value: unknown = property === 'write' ? write : Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return new Uploads({ ...domain, blobs });
}

test('an upload becomes an archive whose bytes are its parts, in the totals of its vault', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain, { description: 'greeting' });
  await putAll(domain, uploadId, whole);
  domain.clock.advance(hourMs);
  const completed = await domain.uploads.complete(completionOf(uploadId, whole));
  const { archiveId } = completed;
  assert.equal(isArchiveId(archiveId), true);
  assert.deepEqual(completed, { archiveId, treeHash: treeHashOf(whole) });
  const row = await domain.store.read(({ archives }) => archives.get(archiveId));
  const vault = await domain.store.read(({ vaults }) => vaults.get(photos));
  assert.deepEqual(row, {
    archiveId,
    vaultId: vault?.vaultId,
    description: 'greeting',
    createdAtMs: domain.clock.now(),
    sizeBytes: whole.length,
    treeHash: treeHashOf(whole),
    addedChange: 1,
    removedChange: null,
  });
  assert.deepEqual(await totals(domain), [1, whole.length, 1]);
  const blobs = await blobsOf(domain, archiveId);
  assert.deepEqual(
    blobs.map(({ sizeBytes, treeHash }) => [sizeBytes, treeHash]),
    [...[0, 1, 2].map((index) => [part(index).length, treeHashOf(part(index))]), [0, null]],
  );
  assert.deepEqual(blobs.map(({ blobId }) => blobId).sort(), (await listIds(domain.blobs)).sort());
});

test('the label of an empty blob says what the archive is, and of how many parts', async () => {
  await using domain = await openDomain();
  const { archiveId, uploadId } = await storeInParts(domain, whole, { description: 'grüße' });
  const labelled = (await blobsOf(domain, archiveId)).at(-1);
  assert.ok(labelled !== undefined);
  const row = await domain.store.read(({ archives }) => archives.get(archiveId));
  const { addedChange: _, removedChange: __, ...facts } = row ?? {};
  assert.deepEqual(parseBlobLabel((await domain.blobs.describe(labelled.blobId)).label), {
    kind: 'uploaded-archive',
    version: 1,
    ...photos,
    ...facts,
    uploadId,
    partSizeBytes: M,
    partCount: 3,
  });
});

test('an archive of parts has no description unless its upload has', async () => {
  await using domain = await openDomain();
  const { archiveId } = await storeInParts(domain, whole);
  const row = await domain.store.read(({ archives }) => archives.get(archiveId));
  assert.equal(row?.description, '');
});

for (const archiveSize of ['0', '-1', '2.5', '1e3', '0x10', '+5', ' 5', 'abc', '']) {
  test(`the size ${JSON.stringify(archiveSize)} is none, whatever the vault`, async () => {
    await using domain = await openDomain();
    const completion = completionOf('nobody', whole, { archiveSize });
    const vault = { ...photos, vaultName: 'nowhere' };
    await assert.rejects(
      domain.uploads.complete({ ...completion, vault }),
      invalid(`Invalid x-amz-archive-size: ${archiveSize}`),
    );
  });
}

for (const [shown, parts, message] of [
  ['has no parts', [], 'Missing content range: 0-1048575'],
  ['lacks its first part', [1, 2], 'Missing content range: 0-1048575'],
  ['has a gap', [0, 2], 'Missing content range: 1048576-2097151'],
] as const) {
  test(`an upload that ${shown} is not completed, and goes on`, async () => {
    await using domain = await openDomain();
    const uploadId = await initiate(domain);
    for (const index of parts) {
      await domain.uploads.putPart(partOf(uploadId, index * M, part(index)));
    }
    const before = await listIds(domain.blobs);
    const archiveSize = '77';
    for (const change of [{}, { archiveSize }, { archiveSize, treeHash: '00' }]) {
      const completion = completionOf(uploadId, whole, change);
      await assert.rejects(domain.uploads.complete(completion), invalid(message));
    }
    assert.deepEqual(await listIds(domain.blobs), before);
    assert.deepEqual(await totals(domain), [0, 0, 0]);
    await putAll(domain, uploadId, whole);
    await domain.uploads.complete(completionOf(uploadId, whole));
  });
}

test('an upload with a short part before others is not completed', async () => {
  await using domain = await openDomain();
  const uploadId = await openUpload(domain);
  await domain.uploads.putPart(partOf(uploadId, M, part(1).subarray(0, 1000)));
  await assert.rejects(
    domain.uploads.complete(completionOf(uploadId, whole)),
    invalid('Missing content range: 1049576-2097151'),
  );
});

test('an upload whose parts are not what is claimed is not completed, and goes on', async () => {
  await using domain = await openDomain();
  const uploadId = await openUpload(domain);
  const zeros = '0'.repeat(64);
  for (const [change, message] of [
    [{ archiveSize: '2621441' }, 'Invalid x-amz-archive-size: 2621441'],
    [{ archiveSize: '9'.repeat(400) }, `Invalid x-amz-archive-size: ${'9'.repeat(400)}`],
    [{ archiveSize: '5', treeHash: zeros }, 'Invalid x-amz-archive-size: 5'],
    [{ treeHash: zeros }, `Invalid x-amz-sha256-tree-hash: ${zeros}`],
    [{ treeHash: 'ABCD' }, 'Invalid x-amz-sha256-tree-hash: ABCD'],
  ] as const) {
    const completion = completionOf(uploadId, whole, change);
    await assert.rejects(domain.uploads.complete(completion), invalid(message));
  }
  assert.deepEqual(await totals(domain), [0, 0, 0]);
  const treeHash = treeHashOf(whole).toUpperCase();
  const completed = await domain.uploads.complete(completionOf(uploadId, whole, { treeHash }));
  assert.equal(completed.treeHash, treeHashOf(whole));
});

test('completing again answers the same archive for a day, when the claims are right', async () => {
  await using domain = await openDomain();
  const { archiveId, uploadId } = await storeInParts(domain, whole);
  const again = (change = {}) => domain.uploads.complete(completionOf(uploadId, whole, change));
  domain.clock.advance(24 * hourMs - 1);
  assert.deepEqual(await again(), { archiveId, treeHash: treeHashOf(whole) });
  const zeros = '0'.repeat(64);
  await assert.rejects(
    again({ archiveSize: '5', treeHash: zeros }),
    invalid('Invalid x-amz-archive-size: 5'),
  );
  await assert.rejects(
    again({ treeHash: zeros }),
    invalid(`Invalid x-amz-sha256-tree-hash: ${zeros}`),
  );
  domain.clock.advance(1);
  await assert.rejects(again(), notFound(uploadId));
  assert.deepEqual(await totals(domain), [1, whole.length, 1]);
});

test('completing again does not make an archive anew that was deleted, and forgotten', async () => {
  await using domain = await openDomain();
  const { archiveId, uploadId } = await storeInParts(domain, whole);
  const again = () => domain.uploads.complete(completionOf(uploadId, whole));
  await domain.archives.remove(photos, archiveId);
  assert.equal((await again()).archiveId, archiveId);
  await new ForgetArchives(domain).step(new AbortController().signal);
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.deepEqual(await again(), { archiveId, treeHash: treeHashOf(whole) });
  const zeros = '0'.repeat(64);
  for (const [claim, message] of [
    [{ archiveSize: '999' }, 'Invalid x-amz-archive-size: 999'],
    [{ treeHash: zeros }, `Invalid x-amz-sha256-tree-hash: ${zeros}`],
  ] as const) {
    const other = { ...completionOf(uploadId, whole), ...claim };
    await assert.rejects(domain.uploads.complete(other), invalid(message));
  }
  assert.deepEqual(await totals(domain), [0, 0, 2]);
});

test('completing at the same time makes one archive, and every caller gets its id', async () => {
  await using domain = await openDomain();
  const uploadId = await openUpload(domain);
  const all = await Promise.all(
    Array.from({ length: 10 }, () => domain.uploads.complete(completionOf(uploadId, whole))),
  );
  assert.equal(new Set(all.map(({ archiveId }) => archiveId)).size, 1);
  assert.deepEqual(await totals(domain), [1, whole.length, 1]);
  assert.equal((await listIds(domain.blobs)).length, 4);
});

test('an upload that another caller completes meanwhile has that one’s archive', async () => {
  await using domain = await openDomain();
  const uploadId = await openUpload(domain);
  const completion = completionOf(uploadId, whole);
  let first: string | undefined;
  const uploads = interrupted(domain, async () => {
    first = (await domain.uploads.complete(completion)).archiveId;
  });
  assert.equal((await uploads.complete(completion)).archiveId, first);
  assert.equal((await listIds(domain.blobs)).length, 4);
});

test('a part that is put meanwhile with other bytes is never in an archive that has not its hash', async () => {
  await using domain = await openDomain();
  const uploadId = await openUpload(domain);
  const other = sampleBytes(M).fill(1);
  const uploads = interrupted(domain, () => domain.uploads.putPart(partOf(uploadId, M, other)));
  await assert.rejects(
    uploads.complete(completionOf(uploadId, whole)),
    invalid(`Invalid x-amz-sha256-tree-hash: ${treeHashOf(whole)}`),
  );
  assert.equal((await shownParts(domain, uploadId)).length, 3);
  assert.equal((await listIds(domain.blobs)).length, 3);
  assert.deepEqual(await totals(domain), [0, 0, 0]);
});

test('a part that is put meanwhile where there was none is not left out', async () => {
  await using domain = await openDomain();
  const uploadId = await openUpload(domain);
  const extra = () => domain.uploads.putPart(partOf(uploadId, 3 * M, part(0)));
  await assert.rejects(
    interrupted(domain, extra).complete(completionOf(uploadId, whole)),
    invalid('Missing content range: 2621440-3145727'),
  );
});

test('a part that is put meanwhile with the same bytes is the one in the archive', async () => {
  await using domain = await openDomain();
  const uploadId = await openUpload(domain);
  const uploads = interrupted(domain, () => domain.uploads.putPart(partOf(uploadId, M, part(1))));
  const { archiveId } = await uploads.complete(completionOf(uploadId, whole));
  const ids = (await blobsOf(domain, archiveId)).map(({ blobId }) => blobId);
  assert.deepEqual(ids.sort(), (await listIds(domain.blobs)).sort());
});

test('an upload that ends meanwhile is not completed, and nothing more is left of it', async () => {
  const ends = {
    aborted: ({ uploads }: Domain, uploadId: string) => uploads.abort({ vault: photos, uploadId }),
    expired: async ({ clock }: Domain) => clock.advance(24 * hourMs),
    'without its vault': async ({ vaults }: Domain) => {
      await vaults.remove(photos);
      await vaults.create(photos);
    },
  };
  for (const end of Object.values(ends)) {
    await using domain = await openDomain();
    const uploadId = await openUpload(domain);
    await assert.rejects(
      interrupted(domain, () => end(domain, uploadId)).complete(completionOf(uploadId, whole)),
      notFound(uploadId),
    );
    assert.equal((await listIds(domain.blobs)).length, 3);
    assert.deepEqual(await totals(domain), [0, 0, 0]);
  }
});

test('a completion whose caller is gone leaves the upload as it was', async () => {
  await using domain = await openDomain();
  const uploadId = await openUpload(domain);
  const reason = new Error('the client is gone');
  const signal = AbortSignal.abort(reason);
  await assert.rejects(domain.uploads.complete(completionOf(uploadId, whole, { signal })), reason);
  assert.equal((await shownParts(domain, uploadId)).length, 3);
  assert.equal((await listIds(domain.blobs)).length, 3);
});

test('a label whose row may be there, although its commit failed, is not removed', async () => {
  await using domain = await openDomain();
  const uploadId = await openUpload(domain);
  const before = new Set(await listIds(domain.blobs));
  const store = faulty(domain.store);
  const lost = new StoreError('StoreUnavailable', 'the log could not be synced');
  store.failNext('write', lost);
  const uploads = new Uploads({ ...domain, store: store.it });
  await assert.rejects(uploads.complete(completionOf(uploadId, whole)), lost);
  const [id, ...others] = (await listIds(domain.blobs)).filter((one) => !before.has(one));
  assert.ok(id !== undefined && others.length === 0);
  assert.equal(domain.pins.isHeld(id), true);
});

test('a full store completes, and answers what is asked again', async () => {
  await using domain = await openDomain();
  const { archiveId, uploadId } = await storeInParts(domain, whole);
  const open = await openUpload(domain);
  domain.blobs.capacityBytes = domain.blobs.usedBytes;
  const completed = await domain.uploads.complete(completionOf(open, whole));
  assert.equal((await blobsOf(domain, completed.archiveId)).length, 4);
  assert.equal((await domain.uploads.complete(completionOf(open, whole))).treeHash, wholeTreeHash);
  const again = await domain.uploads.complete(completionOf(uploadId, whole));
  assert.equal(again.archiveId, archiveId);
});

test('a store without room even for a label, or for a row, completes nothing and says so', async () => {
  await using domain = await openDomain();
  const uploadId = await openUpload(domain);
  const full = new StoreError('StoreFull', 'not a byte is free');
  const blobs = faulty(domain.blobs);
  blobs.failNext('write', full);
  const store = faulty(domain.store);
  for (const uploads of [
    new Uploads({ ...domain, blobs: blobs.it }),
    new Uploads({ ...domain, store: store.it }),
  ]) {
    store.failNext('write', full);
    await assert.rejects(uploads.complete(completionOf(uploadId, whole)), noRoom);
  }
  assert.equal((await listIds(domain.blobs)).length, 3);
  await domain.uploads.complete(completionOf(uploadId, whole));
});

test('a store that writes no rows any more is given no label', async () => {
  await using domain = await openDomain();
  const uploadId = await openUpload(domain);
  const store = faulty(domain.store);
  const failed = new StoreError('StoreUnavailable', 'a sync failed');
  store.failNext('checkWritable', failed);
  const uploads = new Uploads({ ...domain, store: store.it });
  await assert.rejects(uploads.complete(completionOf(uploadId, whole)), failed);
  assert.equal((await listIds(domain.blobs)).length, 3);
});

/** Pairs of neighbours are hashed until one is left; one without a neighbour goes up as it is. */
function pairedUp(nodes: readonly string[]): string {
  if (nodes.length <= 1) return nodes[0] ?? '';
  const above: string[] = [];
  for (let at = 0; at < nodes.length; at += 2) {
    const [left = '', right] = nodes.slice(at, at + 2);
    above.push(right === undefined ? left : sha256Hex(Buffer.from(left + right, 'hex')));
  }
  return pairedUp(above);
}

test('an upload of 10,000 parts of 4 GiB is completed, and no byte of it is read', async () => {
  await using domain = await openDomain();
  const partSizeBytes = 4096 * M;
  const uploadId = await initiate(domain, { partSize: String(partSizeBytes) });
  const treeHashes = Array.from({ length: 10_000 }, (_, index) => sha256Hex(`part ${index}`));
  await domain.store.write(async ({ uploads }) => {
    for (const [index, treeHash] of treeHashes.entries()) {
      const blobId = `part-${index}` as BlobId;
      await uploads.putPart(uploadId, { index, blobId, sizeBytes: partSizeBytes, treeHash }, 1e15);
    }
  });
  const treeHash = pairedUp(treeHashes);
  const archiveSize = '42949672960000';
  const completion = completionOf(uploadId, whole, { archiveSize, treeHash });
  const { archiveId } = await domain.uploads.complete(completion);
  const row = await domain.store.read(({ archives }) => archives.get(archiveId));
  assert.equal(row?.sizeBytes, 42_949_672_960_000);
  assert.equal(row.treeHash, treeHash);
  assert.equal((await blobsOf(domain, archiveId)).length, 10_001);
});
