import { sql } from 'kysely';
import { StoreError } from '../errors.ts';
import type { BlobOwner, BlobReferenceReader, BlobReferenceWriter } from '../metadata-store.ts';
import { DatabaseDamaged } from './database-errors.ts';
import type { Compile } from './statements.ts';

/** Told of damage that SQLite has not stumbled over. */
export type DamageObserver = (damage: DatabaseDamaged) => void;

export function blobReferenceWriter(
  compile: Compile,
  onDamage: DamageObserver,
): BlobReferenceWriter {
  const repointArchives = compile((db, p: { from: string; to: string }) =>
    db.updateTable('archive_blobs').set({ blob_id: p.to }).where('blob_id', '=', p.from),
  );
  const repointParts = compile((db, p: { from: string; to: string }) =>
    db.updateTable('parts').set({ blob_id: p.to }).where('blob_id', '=', p.from),
  );
  const repointOutputs = compile((db, p: { from: string; to: string }) =>
    db.updateTable('jobs').set({ output_blob_id: p.to }).where('output_blob_id', '=', p.from),
  );

  return {
    ...blobReferenceReader(compile, onDamage),
    async repoint(from, to) {
      const archives = repointArchives.run({ from, to });
      const parts = repointParts.run({ from, to });
      const outputs = repointOutputs.run({ from, to });
      return archives.changes + parts.changes + outputs.changes > 0;
    },
  };
}

export function blobReferenceReader(
  compile: Compile,
  onDamage: DamageObserver,
): BlobReferenceReader {
  const find = compile((db, p: { blobId: string }) =>
    db
      .selectFrom('archive_blobs')
      .select('blob_id')
      .where('blob_id', '=', p.blobId)
      .unionAll(db.selectFrom('parts').select('blob_id').where('blob_id', '=', p.blobId))
      .unionAll(
        db.selectFrom('jobs').select('job_id as blob_id').where('output_blob_id', '=', p.blobId),
      )
      .limit(sql.lit(1)),
  );
  const isNamed = namings(compile);

  return {
    async isReferenced(blobId) {
      return find.get({ blobId }) !== undefined;
    },
    async isNamedBy(owner, blobId) {
      if (!isNamed(owner, blobId)) return false;
      if (find.get({ blobId }) === undefined) throw damaged(owner, blobId, onDamage);
      return true;
    },
  };
}

/** Whether the row of an owner names a blob, as the rows have it and no index of blobs. */
function namings(compile: Compile): (owner: BlobOwner, blobId: string) => boolean {
  // The pluses keep the planner off the indexes of blobs: it goes by the owner.
  const inArchive = compile((db, p: { archiveId: string; blobId: string }) =>
    db
      .selectFrom('archives')
      .innerJoin('archive_blobs', 'archive_blobs.archive', 'archives.id')
      .select('archive_blobs.blob_id')
      .where('archives.archive_id', '=', p.archiveId)
      .where(sql<string>`+archive_blobs.blob_id`, '=', p.blobId)
      .limit(sql.lit(1)),
  );
  const inPartsOfArchive = compile((db, p: { archiveId: string; blobId: string }) =>
    db
      .selectFrom('archives')
      .innerJoin('parts', 'parts.upload', 'archives.upload')
      .select('parts.blob_id')
      .where('archives.archive_id', '=', p.archiveId)
      .where(sql<string>`+parts.blob_id`, '=', p.blobId)
      .limit(sql.lit(1)),
  );
  const inUpload = compile((db, p: { uploadId: string; blobId: string }) =>
    db
      .selectFrom('uploads')
      .innerJoin('parts', 'parts.upload', 'uploads.id')
      .select('parts.blob_id')
      .where('uploads.upload_id', '=', p.uploadId)
      .where(sql<string>`+parts.blob_id`, '=', p.blobId)
      .limit(sql.lit(1)),
  );
  const ofJob = compile((db, p: { jobId: string; blobId: string }) =>
    db
      .selectFrom('jobs')
      .select('output_blob_id')
      .where('job_id', '=', p.jobId)
      .where(sql<string>`+output_blob_id`, '=', p.blobId),
  );

  return (owner, blobId) => {
    if ('jobId' in owner) return ofJob.get({ jobId: owner.jobId, blobId }) !== undefined;
    if ('uploadId' in owner)
      return inUpload.get({ uploadId: owner.uploadId, blobId }) !== undefined;
    const { archiveId } = owner;
    return (
      inArchive.get({ archiveId, blobId }) !== undefined ||
      inPartsOfArchive.get({ archiveId, blobId }) !== undefined
    );
  };
}

function damaged(owner: BlobOwner, blobId: string, onDamage: DamageObserver): StoreError {
  const cause = new DatabaseDamaged(
    `An index of the database lacks the blob ${blobId} of ${JSON.stringify(owner)}.`,
  );
  onDamage(cause);
  return new StoreError('StoreUnavailable', cause.message, { cause });
}
