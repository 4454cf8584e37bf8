import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import { parseBlobLabel } from './blob-labels.ts';

/**
 * Whether a blob that no row names is a part of an upload whose row is there, and that has become no
 * archive: then it is known why nothing names it, and no row is missing.
 */
export async function isUnwantedPart(
  id: BlobId,
  {
    blobs,
    store,
  }: { readonly blobs: Pick<BlobStore, 'describe'>; readonly store: Pick<MetadataStore, 'read'> },
): Promise<boolean> {
  let text: string;
  try {
    text = (await blobs.describe(id)).label;
  } catch (error) {
    if (isStoreError(error, 'BlobNotFound') || isStoreError(error, 'BlobCorrupt')) return false;
    throw error;
  }
  const label = parseBlobLabel(text);
  if (label?.kind !== 'part') return false;
  const upload = await store.read(({ uploads }) => uploads.get(label.uploadId));
  return upload !== undefined && upload.state !== 'Completed' && upload.vaultId === label.vaultId;
}
