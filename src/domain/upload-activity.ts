import type { MetadataStore } from '../storage/metadata-store.ts';
import { isOfNoRoom } from './room.ts';
import { openUploadAt, type UploadAddress, type UploadExpiry } from './upload-lookups.ts';

interface UploadActivityOptions extends UploadExpiry {
  readonly store: MetadataStore;
}

/** What is noted of a client that can do nothing needs not be exact: it takes room on a full disk. */
const notesPerExpiry = 100;

/** Notes that somebody is at the upload, if it is open: that keeps it from expiring. */
export async function noteActivity(
  address: UploadAddress,
  options: UploadActivityOptions,
): Promise<void> {
  const { store, timeBounds } = options;
  await store.write(async (rows) => {
    await openUploadAt(rows, address, options);
    await rows.uploads.touch(address.uploadId, timeBounds.earliest());
  });
}

/**
 * Runs `work` on the upload. Where that is refused for want of room, whose client can do nothing but
 * ask again, the activity is noted all the same, if there is room for that.
 */
export async function notingWhoFindsNoRoom<T>(
  address: UploadAddress,
  options: UploadActivityOptions,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isOfNoRoom(error)) await noteQuietly(address, options);
    throw error;
  }
}

async function noteQuietly(address: UploadAddress, options: UploadActivityOptions): Promise<void> {
  const { store, timeBounds, uploadExpiryMs } = options;
  try {
    const { upload } = await store.read((rows) => openUploadAt(rows, address, options));
    const isNoted = timeBounds.earliest() - upload.activeAtMs < uploadExpiryMs / notesPerExpiry;
    if (!isNoted) await noteActivity(address, options);
  } catch {
    // What the client is told is why it was refused, and not what came of noting it.
  }
}
