import { sql } from 'kysely';
import type { BlobReferenceReader, BlobReferenceWriter } from '../metadata-store.ts';
import type { Compile } from './statements.ts';

export function blobReferenceWriter(compile: Compile): BlobReferenceWriter {
  const repointArchives = compile((db, p: { from: string; to: string }) =>
    db.updateTable('archive_blobs').set({ blob_id: p.to }).where('blob_id', '=', p.from),
  );
  const repointOutputs = compile((db, p: { from: string; to: string }) =>
    db.updateTable('jobs').set({ output_blob_id: p.to }).where('output_blob_id', '=', p.from),
  );

  return {
    ...blobReferenceReader(compile),
    async repoint(from, to) {
      const archives = repointArchives.run({ from, to });
      const outputs = repointOutputs.run({ from, to });
      return archives.changes + outputs.changes > 0;
    },
  };
}

export function blobReferenceReader(compile: Compile): BlobReferenceReader {
  const find = compile((db, p: { blobId: string }) =>
    db
      .selectFrom('archive_blobs')
      .select('blob_id')
      .where('blob_id', '=', p.blobId)
      .unionAll(
        db.selectFrom('jobs').select('job_id as blob_id').where('output_blob_id', '=', p.blobId),
      )
      .limit(sql.lit(1)),
  );

  return {
    async isReferenced(blobId) {
      return find.get({ blobId }) !== undefined;
    },
  };
}
