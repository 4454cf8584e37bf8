import { limits } from '../protocol/limits.ts';
import type { BlobOwner, Rows } from '../storage/metadata-store.ts';
import type { ArchiveRow, BlobPart, UploadedArchive } from '../storage/rows.ts';
import { areBlobsOf } from './archive-hashes.ts';
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
  const isOfParts = last?.treeHash === null && last.sizeBytes === 0;
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

/**
 * Whether the blobs that are the bytes of the owner may be gone already, though its rows name them: of
 * an upload that ended without an archive, and of an archive that was removed, bytes go first.
 */
export async function isGivenUp(owner: BlobOwner, rows: Rows): Promise<boolean> {
  if ('jobId' in owner) return false;
  if ('archiveId' in owner) {
    const archive = await rows.archives.get(owner.archiveId);
    return archive === undefined || archive.removedChange !== null;
  }
  const { state, archive = null } = (await rows.uploads.get(owner.uploadId)) ?? {};
  if (state === 'Open') return false;
  return archive === null || (await isGivenUp({ archiveId: archive.archiveId }, rows));
}

/** The archive that an upload became, which needs its parts: undefined of one that has no such archive. */
export async function archiveOfUpload(
  uploadId: string,
  rows: Rows,
): Promise<UploadedArchive | undefined> {
  const upload = await rows.uploads.get(uploadId);
  if (upload === undefined || upload.archive === null || upload.isDiscarded) return undefined;
  return upload.archive;
}

/** Whether the rows of the upload's parts make up the archive. It looks at all of them. */
export async function haveAllParts(
  uploadId: string,
  archive: UploadedArchive,
  rows: Rows,
): Promise<boolean> {
  const query = { uploadId, after: null, limit: limits.partsPerUploadMax };
  return areBlobsOf(await rows.uploads.listParts(query), archive);
}
