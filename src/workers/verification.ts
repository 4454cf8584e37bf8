import { areBlobsOf, treeHashOfLeaves, treeHashOfRange } from '../domain/archive-hashes.ts';
import { sliceBytesMax } from '../domain/archive-verification.ts';
import { damagedFrames } from '../domain/archive-verification-frames.ts';
import { blobsIn, leavesOfBlobs, readBlobs } from '../domain/blob-lists.ts';
import { defined } from '../lib/assert.ts';
import type { BlobRange, BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { ArchiveBlob, JobRow, RetrievalFacts } from '../storage/rows.ts';

export type Outcome =
  | { readonly kind: 'unfinished' }
  | { readonly kind: 'verified' }
  | { readonly kind: 'failed'; readonly reason: unknown };

/** The reading through of one retrieval's bytes. */
export interface Verification {
  /** Reads and verifies the next slice. Rejects when the store can't be read just now. */
  advance(signal: AbortSignal): Promise<Outcome>;
}

/**
 * Reads through what `job` retrieves: each frame is compared with its leaf, and the leaves of the
 * whole archive with its tree hash. Damage outside of the retrieved range is none of its business.
 */
export function createVerification(
  store: MetadataStore,
  blobs: BlobStore,
  job: JobRow,
): Verification {
  const retrieval = defined(job.retrieval, 'what a retrieval retrieves');
  let nextByte = retrieval.firstByte;
  let parts: readonly ArchiveBlob[] | undefined;
  return {
    async advance(signal) {
      parts = await blobsOf(store, retrieval, parts);
      if (parts === undefined) {
        return failed('The archive was deleted meanwhile.');
      }
      if (nextByte === retrieval.firstByte && !areBlobsOf(parts, archiveOf(retrieval))) {
        return failed('The rows list other blobs than those of the archive.');
      }
      const lengthBytes = Math.min(sliceBytesMax, retrieval.lastByte + 1 - nextByte);
      const range = { offsetBytes: nextByte, lengthBytes };
      try {
        const isFirst = nextByte === retrieval.firstByte;
        const isWhole = !isFirst || (await hasTreeHash(blobs, parts, retrieval));
        if (!isWhole || !(await haveTreeHashes(blobs, parts, range))) {
          return failed('The leaf hashes of the archive do not make up its tree hash.');
        }
        for await (const { reason } of damagedIn(blobs, parts, range, signal)) {
          return { kind: 'failed', reason };
        }
      } catch (error) {
        if (isStoreError(error, 'BlobCorrupt')) return { kind: 'failed', reason: error };
        if (!isStoreError(error, 'BlobNotFound')) throw error;
        const found = parts;
        parts = await blobsOf(store, retrieval);
        if (haveMoved(found, parts)) return { kind: 'unfinished' };
        return { kind: 'failed', reason: error };
      }
      nextByte += lengthBytes;
      return { kind: nextByte > retrieval.lastByte ? 'verified' : 'unfinished' };
    },
  };
}

async function* damagedIn(
  blobs: BlobStore,
  parts: readonly ArchiveBlob[],
  range: BlobRange,
  signal: AbortSignal,
) {
  yield* damagedFrames({
    range,
    leaves: await leavesOfBlobs(blobs, parts, range),
    read: (within) => readBlobs(blobs, parts, within, signal),
    signal,
  });
}

/**
 * The archive's blobs, which are not looked up again when they are `known`: there may be thousands.
 * Undefined when the archive is not in its vault any more.
 */
function blobsOf(
  store: MetadataStore,
  { archiveId }: RetrievalFacts,
  known?: readonly ArchiveBlob[],
): Promise<readonly ArchiveBlob[] | undefined> {
  return store.read(async ({ archives }) => {
    const archive = await archives.get(archiveId);
    if (archive === undefined || archive.removedChange !== null) return undefined;
    return known ?? archives.blobs(archiveId);
  });
}

/** Whether blobs that are not there were moved meanwhile, or removed: then one looks again. */
function haveMoved(
  parts: readonly ArchiveBlob[],
  now: readonly ArchiveBlob[] | undefined,
): boolean {
  return now === undefined || now.some(({ blobId }, index) => blobId !== parts[index]?.blobId);
}

function archiveOf({ archiveSizeBytes, archiveTreeHash }: RetrievalFacts) {
  return { sizeBytes: archiveSizeBytes, treeHash: archiveTreeHash };
}

/** Whether the leaf hashes of the archive, or the tree hashes of its parts, are its own. */
async function hasTreeHash(
  blobs: BlobStore,
  parts: readonly ArchiveBlob[],
  { archiveSizeBytes, archiveTreeHash }: RetrievalFacts,
): Promise<boolean> {
  const whole = { firstByte: 0, lastByte: archiveSizeBytes - 1 };
  return (await treeHashOfRange(blobs, parts, whole)) === archiveTreeHash;
}

/** Whether the leaf hashes of the parts that lie in `range` are the parts' own. */
async function haveTreeHashes(
  blobs: BlobStore,
  parts: readonly ArchiveBlob[],
  range: BlobRange,
): Promise<boolean> {
  for (const { blobId, treeHash } of blobsIn(parts, range)) {
    if (treeHash === null) continue;
    const { leaves } = await blobs.describe(blobId);
    if (treeHashOfLeaves(leaves) !== treeHash) return false;
  }
  return true;
}

function failed(reason: string): Outcome {
  return { kind: 'failed', reason: new Error(reason) };
}
