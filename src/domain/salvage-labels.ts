import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import { treeHashOfLeaves } from './archive-hashes.ts';
import { type ArchiveLabel, parseBlobLabel } from './blob-labels.ts';

const blobsPerBatch = 500;

/** A blob that holds an archive, and that no row names. */
export interface LabelledBlob {
  readonly blobId: BlobId;
  readonly label: ArchiveLabel;
}

export interface UnreadableBlob {
  readonly id: BlobId;
  readonly reason: string;
}

/** What some blobs that no row names are. */
export interface LabelBatch {
  /** How many blobs were looked at, those with rows included. */
  readonly seenCount: number;
  readonly archives: readonly LabelledBlob[];
  readonly unreadable: readonly UnreadableBlob[];
  readonly otherCount: number;
}

export interface LabelOptions {
  readonly store: Pick<MetadataStore, 'read'>;
  readonly blobs: Pick<BlobStore, 'list' | 'describe'>;
  readonly signal: AbortSignal;
}

/** Reads the labels of all blobs that no row names, some hundreds at a time. */
export async function* readLabels(options: LabelOptions): AsyncGenerator<LabelBatch> {
  let ids: BlobId[] = [];
  for await (const { id } of options.blobs.list(options.signal)) {
    ids.push(id);
    if (ids.length < blobsPerBatch) continue;
    yield await readBatch(ids, options);
    ids = [];
  }
  if (ids.length > 0) yield await readBatch(ids, options);
}

async function readBatch(ids: readonly BlobId[], options: LabelOptions): Promise<LabelBatch> {
  const unnamed = await options.store.read(async (rows) => {
    const found: BlobId[] = [];
    for (const id of ids) if (!(await rows.blobs.isReferenced(id))) found.push(id);
    return found;
  });
  const archives: LabelledBlob[] = [];
  const unreadable: UnreadableBlob[] = [];
  let otherCount = 0;
  for (const id of unnamed) {
    options.signal.throwIfAborted();
    const found = await readLabel(id, options);
    if (found === 'other') otherCount += 1;
    else if ('label' in found) archives.push(found);
    else unreadable.push(found);
  }
  return { seenCount: ids.length, archives, unreadable, otherCount };
}

async function readLabel(
  id: BlobId,
  { blobs }: LabelOptions,
): Promise<LabelledBlob | UnreadableBlob | 'other'> {
  try {
    const { label: text, leaves, sizeBytes } = await blobs.describe(id);
    const label = parseBlobLabel(text);
    if (label?.kind !== 'archive') return 'other';
    // Rows that are made from what does not fit would only be found to be wrong later.
    if (label.sizeBytes !== sizeBytes || label.treeHash !== treeHashOfLeaves(leaves)) {
      return { id, reason: `Its label is not that of its bytes, but of ${label.archiveId}` };
    }
    return { blobId: id, label };
  } catch (error) {
    const isDamage = isStoreError(error, 'BlobCorrupt') || isStoreError(error, 'BlobNotFound');
    if (!isDamage) throw error;
    return { id, reason: error.message };
  }
}
