import type { BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { BlobPart } from '../storage/rows.ts';
import { treeHashOfLeaves } from './archive-hashes.ts';
import { damagedFrames } from './archive-verification-frames.ts';

export interface BlobCheckOptions {
  readonly blobs: Pick<BlobStore, 'describe' | 'read'>;
  readonly signal: AbortSignal;
}

/**
 * Why a blob can't be had as a row tells of it, as the end of a sentence; undefined when all of it was
 * read and is right. A tree hash is compared when one is given.
 */
export async function problemOfBlob(
  { blobId, sizeBytes, treeHash }: BlobPart & { readonly treeHash?: string },
  { blobs, signal }: BlobCheckOptions,
): Promise<string | undefined> {
  try {
    const { leaves, ...described } = await blobs.describe(blobId);
    if (described.sizeBytes !== sizeBytes) {
      return `it has ${described.sizeBytes} bytes, and not ${sizeBytes}`;
    }
    if (treeHash !== undefined && treeHashOfLeaves(leaves) !== treeHash) {
      return 'its leaf hashes do not make up its tree hash';
    }
    const frames = damagedFrames({
      range: { offsetBytes: 0, lengthBytes: sizeBytes },
      leaves,
      read: (range) => blobs.read(blobId, range, signal),
      signal,
    });
    for await (const { reason } of frames) return reason.message;
    return undefined;
  } catch (error) {
    const isDamage = isStoreError(error, 'BlobCorrupt') || isStoreError(error, 'BlobNotFound');
    if (!isDamage) throw error;
    return error.message;
  }
}
