import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandomBytes } from '../../tests/support/seeded-random.ts';
import { mebibyte, treeHashOf } from '../../tests/support/tree-hash-reference.ts';
import { AssertionFailed } from '../lib/assert.ts';
import { SimulatedClock } from '../lib/clock.ts';
import { sha256 } from '../lib/node/sha256.ts';
import { leavesOf } from '../protocol/tree-hash.ts';
import { sampleBytes, writeBytes } from '../storage/blob-specimen.ts';
import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import { MemoryBlobStore } from '../storage/memory/memory-blob-store.ts';
import type { ArchiveBlob } from '../storage/rows.ts';
import { treeHashOfRange } from './archive-hashes.ts';
import { blobsIn, leavesOfBlobs, readBlobs, wholeBlobs } from './blob-lists.ts';

fc.configureGlobal({ seed: 20_260_131 });

function memoryBlobs(): MemoryBlobStore {
  return new MemoryBlobStore({
    clock: new SimulatedClock(),
    randomBytes: seededRandomBytes('blobs'),
  });
}

/** Stores `bytes` as a list of blobs of the given sizes; the last takes what is left. */
async function storeList(blobs: BlobStore, bytes: Uint8Array, sizes: readonly number[]) {
  const parts: ArchiveBlob[] = [];
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    const { id, sizeBytes } = await writeBytes(blobs, bytes.subarray(at, at + size));
    parts.push({ blobId: id, sizeBytes, treeHash: null });
    at += sizeBytes;
    if (at === bytes.length) break;
  }
  return parts;
}

async function read(...args: Parameters<typeof readBlobs>): Promise<Buffer> {
  return Buffer.concat(
    await Array.fromAsync(readBlobs(...args), (chunk) => Uint8Array.from(chunk)),
  );
}

test('any range of a list of blobs reads as the same range of the whole', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 5 });
  const numbers = fc.tuple(fc.nat({ max: 1000 }), fc.nat({ max: 1000 }));
  await fc.assert(
    fc.asyncProperty(sizes, numbers, async (cuts, [a, b]) => {
      const blobs = memoryBlobs();
      const bytes = sampleBytes(1000);
      const parts = await storeList(blobs, bytes, cuts);
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const range = { offsetBytes: from, lengthBytes: to - from };
      assert.deepEqual(await read(blobs, parts, range), Buffer.from(bytes.subarray(from, to)));
    }),
  );
});

const size = 7 * mebibyte + 17;
const bytes = sampleBytes(size);
const cuts = [2 * mebibyte, mebibyte, 4 * mebibyte];

test('the leaves of a list of blobs are the leaves of the whole, and so is their tree hash', async () => {
  const blobs = memoryBlobs();
  const parts = await storeList(blobs, bytes, cuts);
  assert.equal(parts.length, 4);
  const whole = { offsetBytes: 0, lengthBytes: size };
  const expected = Buffer.from(leavesOf(bytes, sha256));
  assert.deepEqual(Buffer.from(await leavesOfBlobs(blobs, parts, whole)), expected);
  const range = { firstByte: 0, lastByte: size - 1 };
  assert.equal(await treeHashOfRange(blobs, parts, range), treeHashOf(bytes));
});

test('a range of whole leaves has the tree hash of its bytes, across blobs too', async () => {
  const blobs = memoryBlobs();
  const parts = await storeList(blobs, bytes, cuts);
  for (let first = 0; first < 8; first += 1) {
    for (let end = first + 1; end <= 8; end += 1) {
      const range = { firstByte: first * mebibyte, lastByte: Math.min(end * mebibyte, size) - 1 };
      const expected = treeHashOf(bytes.subarray(range.firstByte, range.lastByte + 1));
      assert.equal(await treeHashOfRange(blobs, parts, range), expected, `${first}-${end}`);
    }
  }
});

test('a range that leaves the list is a defect of whoever asks for it', async () => {
  const blobs = memoryBlobs();
  const parts = await storeList(blobs, sampleBytes(10), [4]);
  const range = { offsetBytes: 5, lengthBytes: 6 };
  await assert.rejects(read(blobs, parts, range), AssertionFailed);
  await assert.rejects(leavesOfBlobs(blobs, parts, range), AssertionFailed);
});

test('leaves are not asked for from the middle of one', async () => {
  const blobs = memoryBlobs();
  const parts = await storeList(blobs, sampleBytes(10), []);
  const range = { offsetBytes: 1, lengthBytes: 9 };
  await assert.rejects(leavesOfBlobs(blobs, parts, range), AssertionFailed);
});

test('what is read of a damaged blob stops before the damage', async () => {
  const blobs = memoryBlobs();
  const parts = await storeList(blobs, sampleBytes(30), [10, 10]);
  const [, damaged] = parts;
  assert.ok(damaged !== undefined);
  blobs.damage(damaged.blobId, 5);
  const chunks: Uint8Array[] = [];
  await assert.rejects(
    async () => {
      for await (const chunk of readBlobs(blobs, parts, { offsetBytes: 0, lengthBytes: 30 })) {
        chunks.push(Uint8Array.from(chunk));
      }
    },
    (error) => isStoreError(error, 'BlobCorrupt'),
  );
  assert.deepEqual(Buffer.concat(chunks), Buffer.from(sampleBytes(30).subarray(0, 10)));
});

test('reading a list stops when its signal is aborted', async () => {
  const blobs = memoryBlobs();
  const parts = await storeList(blobs, sampleBytes(30), [10, 10]);
  const reason = new Error('the client is gone');
  const stopping = new AbortController();
  const reading = readBlobs(blobs, parts, { offsetBytes: 0, lengthBytes: 30 }, stopping.signal);
  await reading.next();
  stopping.abort(reason);
  await assert.rejects(reading.next(), reason);
});

test('an empty blob at the end of a list changes nothing, and is never read', async () => {
  const blobs = memoryBlobs();
  const parts = await storeList(blobs, bytes, cuts);
  const gone = { blobId: 'gone' as BlobId, sizeBytes: 0, treeHash: null };
  const whole = { offsetBytes: 0, lengthBytes: size };
  assert.ok((await read(blobs, [...parts, gone], whole)).equals(bytes));
  const leaves = await leavesOfBlobs(blobs, [...parts, gone], whole);
  assert.deepEqual(leaves, await leavesOfBlobs(blobs, parts, whole));
  assert.deepEqual(blobsIn([...parts, gone], whole), parts);
  assert.deepEqual(wholeBlobs([...parts, gone], whole), parts);
});

test('the blobs that have bytes in a range are known, and those that lie in it whole', async () => {
  const list = [4, 6, 10].map((sizeBytes) => ({ blobId: `${sizeBytes}` as BlobId, sizeBytes }));
  const [four, six, ten] = list;
  const ranges = [
    [0, 4, [four], [four]],
    [0, 5, [four, six], undefined],
    [4, 16, [six, ten], [six, ten]],
    [3, 7, [four, six], undefined],
    [11, 9, [ten], undefined],
    [4, 0, [], []],
  ] as const;
  for (const [offsetBytes, lengthBytes, some, whole] of ranges) {
    assert.deepEqual(blobsIn(list, { offsetBytes, lengthBytes }), some);
    assert.deepEqual(wholeBlobs(list, { offsetBytes, lengthBytes }), whole);
  }
});
