import { sha256 } from '../lib/node/sha256.ts';
import type { ByteRange } from '../protocol/byte-range.ts';
import { toHex, treeHash } from '../protocol/tree-hash.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { BlobPart } from '../storage/rows.ts';
import { leavesOfBlobs } from './blob-lists.ts';

/** The tree hash of a range that is tree-hash aligned, from leaf hashes: no byte is read. */
export async function treeHashOfRange(
  blobs: BlobStore,
  parts: readonly BlobPart[],
  { firstByte, lastByte }: ByteRange,
): Promise<string> {
  const range = { offsetBytes: firstByte, lengthBytes: lastByte - firstByte + 1 };
  return toHex(treeHash(await leavesOfBlobs(blobs, parts, range), sha256));
}
