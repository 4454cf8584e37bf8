import type { BlobId, BlobStore } from '../storage/blob-store.ts';

/** So many are removed at once, and share what syncs it takes. */
export const blobsPerRemoval = 100;

export interface Removal {
  /** Those that are gone. */
  readonly gone: ReadonlySet<BlobId>;
  /** What the first of the others failed with. */
  readonly failure: { readonly error: unknown } | undefined;
}

/** Removes blobs, all of them at once. One that can't be removed does not keep the others. */
export async function removeBlobs(
  blobs: Pick<BlobStore, 'remove'>,
  ids: readonly BlobId[],
): Promise<Removal> {
  const removals = await Promise.allSettled(ids.map(async (id) => await blobs.remove(id)));
  const gone = ids.filter((_, index) => removals[index]?.status === 'fulfilled');
  const failed = removals.find((removal) => removal.status === 'rejected');
  return { gone: new Set(gone), failure: failed && { error: failed.reason } };
}
