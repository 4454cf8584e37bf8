import type { BlobId } from '../blob-store.ts';
import type { ArchiveBlob } from '../rows.ts';
import type { Compile } from './statements.ts';

/** What leads to the blobs of an archive: its number, and that of its upload if it had one. */
export interface ArchiveNumbers {
  readonly id: number;
  readonly upload: number | null;
}

/** Looks up the blobs of an archive, in their order: the parts of its upload, then its own. */
export function archiveBlobs(compile: Compile): (archive: ArchiveNumbers) => ArchiveBlob[] {
  const parts = compile((db, p: { upload: number }) =>
    db
      .selectFrom('parts')
      .select(['blob_id', 'size_bytes', 'tree_hash'])
      .where('upload', '=', p.upload)
      .orderBy('part_index'),
  );
  const own = compile((db, p: { archive: number }) =>
    db
      .selectFrom('archive_blobs')
      .select(['blob_id', 'size_bytes'])
      .where('archive', '=', p.archive)
      .orderBy('position'),
  );
  return ({ id, upload }) => {
    const blobs = upload === null ? [] : parts.all({ upload }).map(archiveBlob);
    for (const blob of own.all({ archive: id })) blobs.push(archiveBlob(blob));
    return blobs;
  };
}

function archiveBlob(row: {
  readonly blob_id: string;
  readonly size_bytes: number;
  readonly tree_hash?: string;
}): ArchiveBlob {
  return {
    // Blob ids go in as such, and come out as they went in.
    blobId: row.blob_id as BlobId,
    sizeBytes: row.size_bytes,
    treeHash: row.tree_hash ?? null,
  };
}
