import { sha256 } from '../lib/node/sha256.ts';
import type { ByteRange } from '../protocol/byte-range.ts';
import { invalidParameter } from '../protocol/errors.ts';
import { digestSizeBytes, treeHash } from '../protocol/tree-hash.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { ArchiveBlob, ArchiveRow } from '../storage/rows.ts';
import { leavesOfBlobs, wholeBlobs } from './blob-lists.ts';

/** The tree hash of data whose leaves are given, as hexadecimal digits. */
export function treeHashOfLeaves(leaves: Uint8Array): string {
  // Of data of at most a leaf the leaf is the tree hash, and most archives are no longer than that.
  const root = leaves.length === digestSizeBytes ? leaves : treeHash(leaves, sha256);
  return Buffer.from(root.buffer, root.byteOffset, root.length).toString('hex');
}

/** The tree hash of data whose leaves are given; `400` when it is not the one that was claimed. */
export function claimedTreeHash(claimed: string, leaves: Uint8Array): string {
  const computed = treeHashOfLeaves(leaves);
  if (computed === claimed.toLowerCase()) return computed;
  throw invalidParameter(`Checksum mismatch: expected ${claimed}, computed ${computed}`);
}

/**
 * The tree hash of parts in their order, from theirs: all but the last are equally long, and that is
 * a power of two of leaves, as it is of the parts of an upload.
 */
export function treeHashOfParts(treeHashes: readonly string[]): string {
  return treeHashOfLeaves(Buffer.from(treeHashes.join(''), 'hex'));
}

/**
 * Whether a list of blobs can be that of the archive, as far as rows can tell: its sizes add up, and the
 * tree hashes of its parts, if it has some, make up that of the archive. It costs a hash for each part.
 */
export function areBlobsOf(
  blobs: readonly ArchiveBlob[],
  archive: Pick<ArchiveRow, 'sizeBytes' | 'treeHash'>,
): boolean {
  const sizeBytes = blobs.reduce((sum, blob) => sum + blob.sizeBytes, 0);
  if (sizeBytes !== archive.sizeBytes) return false;
  const parts = blobs.flatMap(({ treeHash }) => (treeHash === null ? [] : [treeHash]));
  return parts.length === 0 || treeHashOfParts(parts) === archive.treeHash;
}

/**
 * The tree hash of a range that is tree-hash aligned, from leaf hashes: no byte is read. In an archive
 * of parts such a range lies within a part, or is made of whole ones, whose hashes are known.
 */
export async function treeHashOfRange(
  blobs: Pick<BlobStore, 'describe'>,
  parts: readonly ArchiveBlob[],
  { firstByte, lastByte }: ByteRange,
): Promise<string> {
  const range = { offsetBytes: firstByte, lengthBytes: lastByte - firstByte + 1 };
  const known = wholeBlobs(parts, range)?.map((part) => part.treeHash);
  if (known?.every((hash) => hash !== null) === true) return treeHashOfParts(known);
  return treeHashOfLeaves(await leavesOfBlobs(blobs, parts, range));
}
