import { treeHashOfRange } from '../domain/archive-hashes.ts';
import { readBlobs } from '../domain/blob-lists.ts';
import { defined } from '../lib/assert.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { BlobPart, JobRow, RetrievalFacts } from '../storage/rows.ts';

/** How far one call of `advance` goes. */
const sliceSizeBytes = 64 * 1024 * 1024;

export type Outcome =
  | { readonly kind: 'unfinished' }
  | { readonly kind: 'verified' }
  | { readonly kind: 'failed'; readonly reason: unknown };

/** The reading through of one retrieval's bytes. */
export interface Verification {
  /** Reads and verifies the next slice. Rejects when the store can't be read just now. */
  advance(signal: AbortSignal): Promise<Outcome>;
}

/** Reads through what `job` retrieves: the store verifies each frame, this the tree hash. */
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
      const lengthBytes = Math.min(sliceSizeBytes, retrieval.lastByte + 1 - nextByte);
      try {
        if (nextByte === retrieval.firstByte && !(await hasTreeHash(blobs, parts, retrieval))) {
          return failed('The leaf hashes of the archive do not make up its tree hash.');
        }
        const range = { offsetBytes: nextByte, lengthBytes };
        for await (const _chunk of readBlobs(blobs, parts, range, signal)) signal.throwIfAborted();
      } catch (error) {
        if (!isStoreError(error, 'BlobCorrupt') && !isStoreError(error, 'BlobNotFound')) {
          throw error;
        }
        return { kind: 'failed', reason: error };
      }
      nextByte += lengthBytes;
      return { kind: nextByte > retrieval.lastByte ? 'verified' : 'unfinished' };
    },
  };
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

/** Whether the leaf hashes that the frames are verified against are the archive's own. */
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
