import { GlacierError } from '../protocol/errors.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { isStoreError, type StoreError } from '../storage/errors.ts';

/**
 * Runs `work`, which keeps something new, and refuses it when the store is full: before it began, or
 * when it finds that out itself. What makes room is not run through here: a full store still deletes.
 */
export async function whileThereIsRoom<T>(
  blobs: Pick<BlobStore, 'checkRoom'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    await blobs.checkRoom();
    return await work();
  } catch (error) {
    throw isStoreError(error, 'StoreFull') ? noRoom(error) : error;
  }
}

function noRoom(cause: StoreError): GlacierError {
  return new GlacierError(
    'ServiceUnavailableException',
    'There is no room for new data. What is stored can be read and deleted as always; please try ' +
      'again when there is room.',
    { cause },
  );
}
