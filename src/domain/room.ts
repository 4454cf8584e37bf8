import { GlacierError } from '../protocol/errors.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { isStoreError, type StoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';

/**
 * Runs `work`, which keeps something new, and refuses it when the store is full: before it began, or
 * when it finds that out itself. What makes room is not run through here: a full store still deletes.
 */
export async function whileThereIsRoom<T>(
  blobs: Pick<BlobStore, 'checkRoom'>,
  work: () => Promise<T>,
): Promise<T> {
  return await tellingOfNoRoom(async () => {
    await blobs.checkRoom();
    return await work();
  });
}

/**
 * As `whileThereIsRoom`, for what takes bytes in. It is refused, too, when no row could be written:
 * else a body would be read to its end, and kept, in vain.
 */
export async function whileBytesAreTaken<T>(
  { store, blobs }: BytesAndRows,
  work: () => Promise<T>,
): Promise<T> {
  await store.checkWritable();
  return await whileThereIsRoom(blobs, work);
}

interface BytesAndRows {
  readonly store: Pick<MetadataStore, 'checkWritable'>;
  readonly blobs: Pick<BlobStore, 'checkRoom'>;
}

/** Runs `work`, which is refused only when there is no room even for the little that it takes. */
export async function tellingOfNoRoom<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isStoreError(error, 'StoreFull') ? noRoom(error) : error;
  }
}

/** Whether it is for want of room that something was refused. */
export function isOfNoRoom(error: unknown): boolean {
  return error instanceof GlacierError && isStoreError(error.cause, 'StoreFull');
}

function noRoom(cause: StoreError): GlacierError {
  return new GlacierError(
    'ServiceUnavailableException',
    'There is no room for new data. What is stored can be read and deleted as always; please try ' +
      'again when there is room.',
    { cause },
  );
}
