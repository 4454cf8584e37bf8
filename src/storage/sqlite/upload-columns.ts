import type { BlobId } from '../blob-store.ts';
import type { PartRow, UploadedArchive, UploadRow } from '../rows.ts';
import type { PartsTable, UploadsTable } from './schema.ts';

/** What an `UploadRow` is made of. */
export type UploadColumns = Omit<UploadsTable, 'id'>;

export const uploadColumnNames = [
  'upload_id',
  'vault_id',
  'part_size_bytes',
  'description',
  'created_at_ms',
  'active_at_ms',
  'state',
  'archive',
  'ended_at_ms',
  'is_discarded',
] as const satisfies readonly (keyof UploadColumns)[];

export function uploadColumns(upload: UploadRow): UploadColumns {
  return {
    upload_id: upload.uploadId,
    vault_id: upload.vaultId,
    part_size_bytes: upload.partSizeBytes,
    description: upload.description,
    created_at_ms: upload.createdAtMs,
    active_at_ms: upload.activeAtMs,
    state: upload.state,
    archive: upload.archive && JSON.stringify(upload.archive),
    ended_at_ms: upload.endedAtMs,
    is_discarded: upload.isDiscarded ? 1 : 0,
  };
}

export function uploadRow(row: UploadColumns): UploadRow {
  return {
    uploadId: row.upload_id,
    vaultId: row.vault_id,
    partSizeBytes: row.part_size_bytes,
    description: row.description,
    createdAtMs: row.created_at_ms,
    activeAtMs: row.active_at_ms,
    state: row.state,
    // Written by `uploadColumns` and by nobody else, so it has the shape that went in.
    archive: row.archive === null ? null : (JSON.parse(row.archive) as UploadedArchive),
    endedAtMs: row.ended_at_ms,
    isDiscarded: row.is_discarded === 1,
  };
}

/** What a `PartRow` is made of. */
export type PartColumns = Omit<PartsTable, 'upload'>;

export const partColumnNames = [
  'part_index',
  'blob_id',
  'size_bytes',
  'tree_hash',
] as const satisfies readonly (keyof PartColumns)[];

export function partColumns(part: PartRow): PartColumns {
  return {
    part_index: part.index,
    blob_id: part.blobId,
    size_bytes: part.sizeBytes,
    tree_hash: part.treeHash,
  };
}

export function partRow(row: PartColumns): PartRow {
  return {
    index: row.part_index,
    // Blob ids go in as such, and come out as they went in.
    blobId: row.blob_id as BlobId,
    sizeBytes: row.size_bytes,
    treeHash: row.tree_hash,
  };
}
