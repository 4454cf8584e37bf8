import { sha256 } from '../lib/node/sha256.ts';
import type { ByteRange } from '../protocol/byte-range.ts';
import { digestSizeBytes, treeHash } from '../protocol/tree-hash.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { BlobPart } from '../storage/rows.ts';
import { leavesOfBlobs } from './blob-lists.ts';

/** The tree hash of data whose leaves are given, as hexadecimal digits. */
export function treeHashOfLeaves(leaves: Uint8Array): string {
  // Of data of at most a leaf the leaf is the tree hash, and most archives are no longer than that.
  const root = leaves.length === digestSizeBytes ? leaves : treeHash(leaves, sha256);
  return Buffer.from(root.buffer, root.byteOffset, root.length).toString('hex');
}

/** The tree hash of a range that is tree-hash aligned, from leaf hashes: no byte is read. */
export async function treeHashOfRange(
  blobs: Pick<BlobStore, 'describe'>,
  parts: readonly BlobPart[],
  { firstByte, lastByte }: ByteRange,
): Promise<string> {
  const range = { offsetBytes: firstByte, lengthBytes: lastByte - firstByte + 1 };
  return treeHashOfLeaves(await leavesOfBlobs(blobs, parts, range));
}
