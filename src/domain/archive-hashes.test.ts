import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { mebibyte, wholeTreeOf } from '../../tests/support/tree-hash-reference.ts';
import { sha256 } from '../lib/node/sha256.ts';
import { GlacierError } from '../protocol/errors.ts';
import { leavesOf } from '../protocol/tree-hash.ts';
import { sampleBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import type { ArchiveBlob } from '../storage/rows.ts';
import {
  claimedTreeHash,
  treeHashOfLeaves,
  treeHashOfParts,
  treeHashOfRange,
} from './archive-hashes.ts';

fc.configureGlobal({ seed: 20_260_131 });

const M = mebibyte;

/** The parts of `bytes`, and a store that has their leaf hashes and notes who is asked for them. */
function partsOf(bytes: Uint8Array, partSizeBytes: number) {
  const parts: ArchiveBlob[] = [];
  const described: BlobId[] = [];
  const leavesById = new Map<BlobId, Uint8Array>();
  for (let at = 0; at < bytes.length; at += partSizeBytes) {
    const part = bytes.subarray(at, at + partSizeBytes);
    const leaves = leavesOf(part, sha256);
    const blobId = `part ${at}` as BlobId;
    parts.push({ blobId, sizeBytes: part.length, treeHash: treeHashOfLeaves(leaves) });
    leavesById.set(blobId, leaves);
  }
  const describe = async (id: BlobId) => {
    described.push(id);
    const leaves = leavesById.get(id);
    assert.ok(leaves !== undefined);
    return { leaves, sizeBytes: 0, label: '', writtenAtMs: 0 };
  };
  const labelled = { blobId: 'label' as BlobId, sizeBytes: 0, treeHash: null };
  return { parts: [...parts, labelled], described, blobs: { describe } };
}

const bytes = sampleBytes(10.5 * M);
const tree = wholeTreeOf(bytes);

for (const partSizeMiB of [1, 2, 4, 8, 16]) {
  test(`every node of an archive in parts of ${partSizeMiB} MiB has the hash of its bytes`, async () => {
    const { parts, blobs } = partsOf(bytes, partSizeMiB * M);
    for (const { first, last, treeHash } of tree) {
      const range = { firstByte: first, lastByte: last };
      assert.equal(await treeHashOfRange(blobs, parts, range), treeHash, `${first}-${last}`);
    }
  });
}

test('a range of whole parts needs no leaf hashes, and one within a part only those of it', async () => {
  const { parts, blobs, described } = partsOf(bytes, 2 * M);
  for (const [firstByte, endMiB] of [
    [0, 10.5],
    [0, 8],
    [4 * M, 8],
    [2 * M, 4],
    [8 * M, 10.5],
  ] as const) {
    await treeHashOfRange(blobs, parts, { firstByte, lastByte: endMiB * M - 1 });
  }
  assert.deepEqual(described, []);
  await treeHashOfRange(blobs, parts, { firstByte: 3 * M, lastByte: 4 * M - 1 });
  assert.deepEqual(described, [`part ${2 * M}`]);
});

test('the tree hashes of parts combine to that of the whole, for every legal part size', () => {
  const seed = fc.nat({ max: 255 });
  for (let power = 0; power <= 12; power += 1) {
    const leafCounts = fc.integer({ min: 1, max: 3 * 2 ** power });
    const law = fc.property(leafCounts, seed, (leafCount, start) => {
      const leaves = Buffer.concat(
        Array.from({ length: leafCount }, (_, index) => sha256(Buffer.of(start, index % 256))),
      );
      const parts: string[] = [];
      for (let at = 0; at < leaves.length; at += 32 * 2 ** power) {
        parts.push(treeHashOfLeaves(leaves.subarray(at, at + 32 * 2 ** power)));
      }
      assert.equal(treeHashOfParts(parts), treeHashOfLeaves(leaves));
    });
    fc.assert(law, { numRuns: power > 8 ? 3 : 20 });
  }
});

test('a claimed tree hash is the computed one, in either case, or is refused with both', () => {
  const leaves = leavesOf(bytes, sha256);
  const computed = treeHashOfLeaves(leaves);
  assert.equal(claimedTreeHash(computed.toUpperCase(), leaves), computed);
  for (const claimed of ['', '00', 'ABCD', `${computed}00`]) {
    const message = `Checksum mismatch: expected ${claimed}, computed ${computed}`;
    assert.throws(
      () => claimedTreeHash(claimed, leaves),
      new GlacierError('InvalidParameterValueException', message),
    );
  }
});
