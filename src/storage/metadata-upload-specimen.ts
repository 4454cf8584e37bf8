import { blobId, sampleArchive } from './metadata-specimen.ts';
import type { MetadataStore } from './metadata-store.ts';
import type { ArchiveBlob, ArchiveRow, PartRow, UploadRow } from './rows.ts';

export function sampleUpload(uploadId: string, members: Partial<UploadRow> = {}): UploadRow {
  return {
    uploadId,
    vaultId: 'vault',
    partSizeBytes: 10,
    description: `what ${uploadId} is`,
    createdAtMs: 1_500,
    activeAtMs: 1_500,
    state: 'Open',
    archive: null,
    endedAtMs: null,
    isDiscarded: false,
    ...members,
  };
}

/** `upload` as it is once it was aborted. */
export function abortedAt(upload: UploadRow, endedAtMs: number): UploadRow {
  return { ...upload, state: 'Aborted', endedAtMs };
}

/** `upload` as it is once it has become an archive. */
export function completedAt(upload: UploadRow, archiveId: string, endedAtMs: number): UploadRow {
  const archive = { archiveId, sizeBytes: 20, treeHash: 'b2'.repeat(32) };
  return { ...upload, state: 'Completed', archive, endedAtMs };
}

/** A part of ten bytes. */
export function samplePart(
  uploadId: string,
  index: number,
  members: Partial<PartRow> = {},
): PartRow {
  return {
    index,
    blobId: blobId(`${uploadId}.part ${index}`),
    sizeBytes: 10,
    treeHash: index.toString(16).padStart(64, 'b'),
    ...members,
  };
}

export function uploadIdOf(archiveId: string): string {
  return `upload of ${archiveId}`;
}

/** The blobs of an archive that `addUploadedArchive` added. */
export function uploadedBlobs(archiveId: string, partCount = 3): ArchiveBlob[] {
  const parts = Array.from({ length: partCount }, (_, index) => {
    const { blobId: id, sizeBytes, treeHash } = samplePart(uploadIdOf(archiveId), index);
    return { blobId: id, sizeBytes, treeHash };
  });
  return [...parts, { blobId: blobId(`${archiveId}.label`), sizeBytes: 0, treeHash: null }];
}

/** Uploads an archive in parts as the domain does; its upload ends at time 2. */
export async function addUploadedArchive(
  store: MetadataStore,
  archiveId: string,
  members: Partial<ArchiveRow> & { readonly partCount?: number } = {},
): Promise<number> {
  const { partCount = 3, ...others } = members;
  const row = sampleArchive(archiveId, { sizeBytes: partCount * 10, ...others });
  const uploadId = uploadIdOf(archiveId);
  const upload = sampleUpload(uploadId, { vaultId: row.vaultId });
  await store.write(async ({ uploads }) => {
    await uploads.insert(upload);
    for (let index = 0; index < partCount; index++) {
      await uploads.putPart(uploadId, samplePart(uploadId, index), upload.activeAtMs);
    }
  });
  return await store.write(async ({ vaults, archives, uploads }) => {
    const addedChange = await vaults.recordChange(row.vaultId, {
      archives: 1,
      sizeBytes: row.sizeBytes,
      atMs: row.createdAtMs,
    });
    await archives.insertUploaded({ ...row, addedChange }, uploadId, blobId(`${archiveId}.label`));
    await uploads.update(completedAt(upload, archiveId, 2));
    return addedChange;
  });
}
