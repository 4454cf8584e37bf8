import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import { parseBlobLabel } from './blob-labels.ts';

/**
 * Whether a blob that no row names is one copy too many: its label says of what it is, and the row of
 * that names other bytes. A blob that was moved leaves such a one where it was, and a move that a
 * crash interrupted where it went. Throws as `describe` does.
 */
export async function isSuperseded(
  id: BlobId,
  {
    store,
    blobs,
  }: {
    readonly store: Pick<MetadataStore, 'read'>;
    readonly blobs: Pick<BlobStore, 'describe'>;
  },
): Promise<boolean> {
  const label = parseBlobLabel((await blobs.describe(id)).label);
  if (label === undefined) return false;
  return await store.read(async ({ archives, jobs }) => {
    if (label.kind === 'inventory') {
      const output = (await jobs.get(label.jobId))?.output ?? null;
      return output !== null && output.blobId !== id;
    }
    const archive = await archives.get(label.archiveId);
    if (archive?.treeHash !== label.treeHash || archive.sizeBytes !== label.sizeBytes) return false;
    const parts = await archives.blobs(label.archiveId);
    return parts.length > 0 && parts.every(({ blobId }) => blobId !== id);
  });
}
