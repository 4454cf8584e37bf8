import type { BlobOwner, Rows } from '../storage/metadata-store.ts';
import type { ArchiveRow, BlobPart } from '../storage/rows.ts';
import type { ArchiveLabel, BlobLabel, PartLabel, UploadedArchiveLabel } from './blob-labels.ts';

/** That whose row is to name a blob with this label. */
export function ownerOf(label: BlobLabel): BlobOwner {
  switch (label.kind) {
    case 'archive':
    case 'uploaded-archive':
      return { archiveId: label.archiveId };
    case 'part':
      return { uploadId: label.uploadId };
    case 'inventory':
      return { jobId: label.jobId };
  }
}

/**
 * The blob that rows name for what the label tells of: any copy of that is as good. Undefined when
 * there is none, as there is none of a job without an output, or of a part in whose place another one
 * was put. Null when the row says something else than the label.
 */
export async function blobNamedFor(
  label: BlobLabel,
  rows: Rows,
): Promise<BlobPart | null | undefined> {
  if (label.kind === 'inventory') return (await rows.jobs.get(label.jobId))?.output ?? undefined;
  return label.kind === 'part' ? await namedPart(label, rows) : await namedArchive(label, rows);
}

async function namedArchive(
  label: ArchiveLabel | UploadedArchiveLabel,
  rows: Rows,
): Promise<BlobPart | null | undefined> {
  const archive = await rows.archives.get(label.archiveId);
  if (archive === undefined) return undefined;
  const { treeHash, sizeBytes } = label;
  if (archive.treeHash !== treeHash || archive.sizeBytes !== sizeBytes) return null;
  const blobs = await rows.archives.blobs(label.archiveId);
  const last = blobs.at(-1);
  if (label.kind === 'archive') return blobs.length === 1 ? (last ?? null) : null;
  // The parts come first, and then the blob with the label, of which the label is all there is.
  const isOfParts = blobs.length > 1 && last?.treeHash === null && last.sizeBytes === 0;
  return isOfParts && tellsOf(label, archive) ? last : null;
}

function tellsOf(label: UploadedArchiveLabel, archive: ArchiveRow): boolean {
  return (
    label.vaultId === archive.vaultId &&
    label.description === archive.description &&
    label.createdAtMs === archive.createdAtMs
  );
}

async function namedPart(
  { uploadId, index, treeHash, sizeBytes }: PartLabel,
  rows: Rows,
): Promise<BlobPart | null | undefined> {
  const [part] = await rows.uploads.listParts({ uploadId, after: index - 1, limit: 1 });
  if (part?.index !== index || part.treeHash !== treeHash) return undefined;
  return part.sizeBytes === sizeBytes ? part : null;
}
