import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { Pins } from './pins.ts';

/**
 * Runs `commit`, which commits rows that name the new blobs, and answers those that got one. They are
 * held in their places from before the first wait until their rows are there, so that nobody takes
 * them for garbage meanwhile, or moves them away from under their rows.
 *
 * Those without a row are removed. But when the answer of the commit was lost, the rows may be there
 * the next time that the store is opened: then the blobs stay, and stay held until the process ends.
 * Not so when the commit was refused before it began.
 */
export async function commitBlobs(
  ids: readonly BlobId[],
  { blobs, pins }: { readonly blobs: Pick<BlobStore, 'remove'>; readonly pins: Pins },
  commit: () => Promise<readonly BlobId[]>,
): Promise<void> {
  const pin = pins.hold(ids);
  let named: ReadonlySet<BlobId>;
  try {
    named = new Set(await commit());
  } catch (error) {
    if (isStoreError(error, 'StoreUnavailable') && !error.isRefusal) throw error;
    await removeQuietly(blobs, ids);
    pin[Symbol.dispose]();
    throw error;
  }
  const unnamed = ids.filter((id) => !named.has(id));
  await removeQuietly(blobs, unnamed);
  pin[Symbol.dispose]();
}

/** Removes blobs that nobody will ask for: what fails has no effect that anybody must be told of. */
export async function removeQuietly(
  blobs: Pick<BlobStore, 'remove'>,
  ids: readonly BlobId[],
): Promise<void> {
  // All at once, so that they share syncs. One that stays is found by the sweeper of orphans: no row
  // names it.
  await Promise.allSettled(ids.map(async (id) => await blobs.remove(id)));
}
