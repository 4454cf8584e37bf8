import { treeHashOfRange } from '../domain/archive-hashes.ts';
import { sliceBytesMax } from '../domain/archive-verification.ts';
import { damagedFrames } from '../domain/archive-verification-frames.ts';
import { leavesOfBlobs, readBlobs } from '../domain/blob-lists.ts';
import { defined } from '../lib/assert.ts';
import type { BlobRange, BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { BlobPart, JobRow, RetrievalFacts } from '../storage/rows.ts';

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
  return {
    async advance(signal) {
      const parts = await blobsOf(store, retrieval);
      if (parts === undefined) {
        return failed('The archive was deleted meanwhile.');
      }
      const lengthBytes = Math.min(sliceBytesMax, retrieval.lastByte + 1 - nextByte);
      try {
        if (nextByte === retrieval.firstByte && !(await hasTreeHash(blobs, parts, retrieval))) {
          return failed('The leaf hashes of the archive do not make up its tree hash.');
        }
        const range = { offsetBytes: nextByte, lengthBytes };
        for await (const { reason } of damagedIn(blobs, parts, range, signal)) {
          return { kind: 'failed', reason };
        }
      } catch (error) {
        if (isStoreError(error, 'BlobCorrupt')) return { kind: 'failed', reason: error };
        if (!isStoreError(error, 'BlobNotFound')) throw error;
        if (await haveMoved(store, retrieval, parts)) return { kind: 'unfinished' };
        return { kind: 'failed', reason: error };
      }
      nextByte += lengthBytes;
      return { kind: nextByte > retrieval.lastByte ? 'verified' : 'unfinished' };
    },
  };
}

async function* damagedIn(
  blobs: BlobStore,
  parts: readonly BlobPart[],
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

/** The archive's blobs; undefined when it is not in its vault any more. */
function blobsOf(
  store: MetadataStore,
  { archiveId }: RetrievalFacts,
): Promise<BlobPart[] | undefined> {
  return store.read(async ({ archives }) => {
    const archive = await archives.get(archiveId);
    if (archive === undefined || archive.removedChange !== null) return undefined;
    return archives.blobs(archiveId);
  });
}

/** Whether blobs that are not there were moved meanwhile, or removed: then one looks again. */
async function haveMoved(
  store: MetadataStore,
  retrieval: RetrievalFacts,
  parts: readonly BlobPart[],
): Promise<boolean> {
  const now = await blobsOf(store, retrieval);
  return now === undefined || now.some(({ blobId }, index) => blobId !== parts[index]?.blobId);
}

/** Whether the leaf hashes that the frames are compared with are the archive's own. */
async function hasTreeHash(
  blobs: BlobStore,
  parts: readonly BlobPart[],
  { archiveSizeBytes, archiveTreeHash }: RetrievalFacts,
): Promise<boolean> {
  const whole = { firstByte: 0, lastByte: archiveSizeBytes - 1 };
  return (await treeHashOfRange(blobs, parts, whole)) === archiveTreeHash;
}

function failed(reason: string): Outcome {
  return { kind: 'failed', reason: new Error(reason) };
}
