import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import { treeHashOfLeaves } from './archive-hashes.ts';
import {
  type ArchiveLabel,
  type BlobLabel,
  type PartLabel,
  parseBlobLabel,
  type UploadedArchiveLabel,
} from './blob-labels.ts';

const blobsPerBatch = 500;

/** A blob that holds what rows can be made of, and that no row names. */
export interface LabelledBlob<L = ArchiveLabel | UploadedArchiveLabel | PartLabel> {
  readonly blobId: BlobId;
  readonly label: L;
}

export interface UnreadableBlob {
  readonly id: BlobId;
  readonly reason: string;
}

/** What some blobs that no row names are. */
export interface LabelBatch {
  /** How many blobs were looked at, those with rows included. */
  readonly seenCount: number;
  readonly archives: readonly LabelledBlob<ArchiveLabel>[];
  readonly uploadedArchives: readonly LabelledBlob<UploadedArchiveLabel>[];
  readonly parts: readonly LabelledBlob<PartLabel>[];
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
  const archives: LabelledBlob<ArchiveLabel>[] = [];
  const uploadedArchives: LabelledBlob<UploadedArchiveLabel>[] = [];
  const parts: LabelledBlob<PartLabel>[] = [];
  const unreadable: UnreadableBlob[] = [];
  let otherCount = 0;
  for (const blobId of unnamed) {
    options.signal.throwIfAborted();
    const label = await readLabel(blobId, options.blobs);
    if ('reason' in label) unreadable.push(label);
    else if (label.kind === 'archive') archives.push({ blobId, label });
    else if (label.kind === 'uploaded-archive') uploadedArchives.push({ blobId, label });
    else if (label.kind === 'part') parts.push({ blobId, label });
    else otherCount += 1;
  }
  return { seenCount: ids.length, archives, uploadedArchives, parts, unreadable, otherCount };
}

/** The label of a blob, if it is that of its bytes. */
export async function readLabel(
  id: BlobId,
  blobs: Pick<BlobStore, 'describe'>,
): Promise<BlobLabel | UnreadableBlob | { readonly kind: 'other' }> {
  try {
    const { label: text, leaves, sizeBytes } = await blobs.describe(id);
    const label = parseBlobLabel(text);
    if (label === undefined) return { kind: 'other' };
    // Rows that are made from what does not fit would only be found to be wrong later.
    if (fits(label, { leaves, sizeBytes })) return label;
    return { id, reason: `Its label is not that of its bytes, but of ${nameOf(label)}` };
  } catch (error) {
    const isDamage = isStoreError(error, 'BlobCorrupt') || isStoreError(error, 'BlobNotFound');
    if (!isDamage) throw error;
    return { id, reason: error.message };
  }
}

function fits(
  label: BlobLabel,
  { leaves, sizeBytes }: { readonly leaves: Uint8Array; readonly sizeBytes: number },
): boolean {
  if (label.kind === 'inventory') return true;
  // The bytes of an archive of parts are in the parts.
  if (label.kind === 'uploaded-archive') return sizeBytes === 0;
  return label.sizeBytes === sizeBytes && label.treeHash === treeHashOfLeaves(leaves);
}

function nameOf(label: BlobLabel): string {
  if (label.kind === 'inventory') return label.jobId;
  if (label.kind === 'part') return `part ${label.index + 1} of the upload ${label.uploadId}`;
  return label.archiveId;
}
