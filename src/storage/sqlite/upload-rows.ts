import { sql } from 'kysely';
import { assert, defined } from '../../lib/assert.ts';
import type { BlobId } from '../blob-store.ts';
import type { UploadReader, UploadWriter } from '../metadata-store.ts';
import type { UploadEnd, UploadState } from '../rows.ts';
import { bereftVaults } from './bereft-vaults.ts';
import type { PartsTable } from './schema.ts';
import { type Compile, columnsOf } from './statements.ts';
import {
  partColumnNames,
  partColumns,
  partRow,
  type UploadColumns,
  uploadColumnNames,
  uploadColumns,
  uploadRow,
} from './upload-columns.ts';
import { uploadLister } from './upload-list.ts';

/** Constants, not parameters: partial indexes are used only for what is known beforehand. */
const open = sql.lit<UploadState>('Open');
const aborted = sql.lit<UploadState>('Aborted');
const yes = sql.lit(1);

export function uploadWriter(compile: Compile): UploadWriter {
  const insert = compile((db, p: UploadColumns) =>
    db.insertInto('uploads').values(columnsOf(p, uploadColumnNames)),
  );
  const update = compile((db, p: UploadColumns) =>
    db
      .updateTable('uploads')
      .set(columnsOf(p, uploadColumnNames))
      .where('upload_id', '=', p.upload_id),
  );
  const abandon = compile((db, p: { vaultId: string; atMs: number; limit: number }) =>
    db
      .updateTable('uploads')
      .set({ state: aborted, ended_at_ms: p.atMs })
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('uploads')
          .select('id')
          .where('vault_id', '=', p.vaultId)
          .where('state', '=', open)
          .orderBy('created_at_ms')
          .orderBy('upload_id')
          .limit(p.limit),
      ),
  );
  const remove = compile((db, p: { uploadId: string }) =>
    db.deleteFrom('uploads').where('upload_id', '=', p.uploadId).where('is_discarded', '=', yes),
  );

  return {
    ...uploadReader(compile),
    ...partWriter(compile),
    async insert(upload) {
      insert.run(uploadColumns(upload));
    },
    async update(upload) {
      const { changes } = update.run(uploadColumns(upload));
      assert(changes === 1, 'an upload that is updated is there');
    },
    async abandon(vaultId, atMs, limit) {
      return abandon.run({ vaultId, atMs, limit }).changes;
    },
    async remove(uploadId) {
      remove.run({ uploadId });
    },
  };
}

function partWriter(compile: Compile): Pick<UploadWriter, 'touch' | 'putPart' | 'removeParts'> {
  const touch = compile((db, p: { uploadId: string; atMs: number }) =>
    db
      .updateTable('uploads')
      .set({ active_at_ms: sql<number>`max(active_at_ms, ${p.atMs})` })
      .where('upload_id', '=', p.uploadId)
      .returning('id'),
  );
  const numberOf = compile((db, p: { uploadId: string }) =>
    db.selectFrom('uploads').select('id').where('upload_id', '=', p.uploadId),
  );
  const blobAt = compile((db, p: { upload: number; index: number }) =>
    db
      .selectFrom('parts')
      .select('blob_id')
      .where('upload', '=', p.upload)
      .where('part_index', '=', p.index),
  );
  const put = compile((db, p: PartsTable) =>
    db
      .insertInto('parts')
      .values(columnsOf(p, ['upload', ...partColumnNames]))
      .onConflict((conflict) =>
        conflict.columns(['upload', 'part_index']).doUpdateSet((eb) => ({
          blob_id: eb.ref('excluded.blob_id'),
          size_bytes: eb.ref('excluded.size_bytes'),
          tree_hash: eb.ref('excluded.tree_hash'),
        })),
      ),
  );
  const removePart = compile((db, p: { upload: number; index: number }) =>
    db.deleteFrom('parts').where('upload', '=', p.upload).where('part_index', '=', p.index),
  );

  return {
    async touch(uploadId, atMs) {
      touch.run({ uploadId, atMs });
    },
    async putPart(uploadId, part, atMs) {
      const { id: upload } = defined(touch.get({ uploadId, atMs }), `upload ${uploadId}`);
      const replaced = blobAt.get({ upload, index: part.index });
      put.run({ upload, ...partColumns(part) });
      // Blob ids go in as such, and come out as they went in.
      return replaced === undefined ? null : (replaced.blob_id as BlobId);
    },
    async removeParts(uploadId, indexes) {
      const upload = numberOf.get({ uploadId });
      if (upload === undefined) return;
      for (const index of indexes) removePart.run({ upload: upload.id, index });
    },
  };
}

export function uploadReader(compile: Compile): UploadReader {
  const get = compile((db, p: { uploadId: string }) =>
    db.selectFrom('uploads').select(uploadColumnNames).where('upload_id', '=', p.uploadId),
  );
  const listParts = compile((db, p: { uploadId: string; after: number; limit: number }) =>
    db
      .selectFrom('uploads')
      .innerJoin('parts', 'parts.upload', 'uploads.id')
      .select(partColumnNames)
      .where('uploads.upload_id', '=', p.uploadId)
      .where('parts.part_index', '>', p.after)
      .orderBy('parts.part_index')
      .limit(p.limit),
  );

  return {
    ...uploadListings(compile),
    async get(uploadId) {
      const row = get.get({ uploadId });
      return row && uploadRow(row);
    },
    async listParts({ uploadId, after, limit }) {
      // Indexes count from 0 on.
      return listParts.all({ uploadId, after: after ?? -1, limit }).map(partRow);
    },
  };
}

function uploadListings(compile: Compile): Omit<UploadReader, 'get' | 'listParts'> {
  const list = uploadLister(compile);
  const listIdle = compile((db, p: { idleSinceMs: number; limit: number }) =>
    db
      .selectFrom('uploads')
      .select(uploadColumnNames)
      .where('state', '=', open)
      .where('active_at_ms', '<=', p.idleSinceMs)
      .orderBy('active_at_ms')
      .orderBy('id')
      .limit(p.limit),
  );
  const listToDiscard = compile((db, p: EndedUploadQuery) =>
    db
      .selectFrom('uploads')
      .select(uploadColumnNames)
      // Spelt as in the partial index over it.
      .where(sql<boolean>`state IN ('Aborted', 'Expired')`)
      .where('is_discarded', '=', sql.lit(0))
      .where(sql<boolean>`(ended_at_ms, upload_id) > (${p.afterMs}, ${p.afterId})`)
      .orderBy('ended_at_ms')
      .orderBy('upload_id')
      .limit(p.limit),
  );
  const listOver = compile((db, p: EndedUploadQuery & { readonly endedByMs: number }) =>
    db
      .selectFrom('uploads')
      .select(uploadColumnNames)
      .where('is_discarded', '=', yes)
      .where('ended_at_ms', '<=', p.endedByMs)
      .where(sql<boolean>`(ended_at_ms, upload_id) > (${p.afterMs}, ${p.afterId})`)
      .orderBy('ended_at_ms')
      .orderBy('upload_id')
      .limit(p.limit),
  );
  const listBereft = compile(bereftVaults);

  return {
    async list(query) {
      return list(query);
    },
    async listIdle(idleSinceMs, limit) {
      return listIdle.all({ idleSinceMs, limit }).map(uploadRow);
    },
    async listToDiscard({ after, limit }) {
      return listToDiscard.all({ ...boundsOf(after), limit }).map(uploadRow);
    },
    async listOver({ endedByMs, after, limit }) {
      return listOver.all({ endedByMs, ...boundsOf(after), limit }).map(uploadRow);
    },
    async listBereft(limit) {
      return listBereft.all({ limit }).map(({ vault_id }) => vault_id);
    },
  };
}

/** A query for uploads that have ended with every bound in place, so that one statement serves all. */
interface EndedUploadQuery {
  readonly afterMs: number;
  readonly afterId: string;
  readonly limit: number;
}

/** Every end lies after the bounds where none are given. */
function boundsOf(after: UploadEnd | null): Omit<EndedUploadQuery, 'limit'> {
  const { endedAtMs, uploadId } = after ?? { endedAtMs: Number.MIN_SAFE_INTEGER, uploadId: '' };
  return { afterMs: endedAtMs, afterId: uploadId };
}
