import { sql } from 'kysely';
import { assert, defined } from '../../lib/assert.ts';
import type { ArchiveReader, ArchiveWriter } from '../metadata-store.ts';
import type { ArchiveRow, InventoryPosition, InventoryQuery } from '../rows.ts';
import { archiveBlobs } from './archive-blob-rows.ts';
import { forgettableArchives } from './forgettable-archives.ts';
import type { ArchiveBlobsTable, ArchivesTable } from './schema.ts';
import type { Compile } from './statements.ts';

/** What an `ArchiveRow` is made of. */
export type ArchiveColumns = Omit<ArchivesTable, 'id' | 'upload'>;

export function archiveWriter(compile: Compile): ArchiveWriter {
  return { ...archiveReader(compile), ...insertions(compile), ...removals(compile) };
}

function insertions(compile: Compile): Pick<ArchiveWriter, 'insert' | 'insertUploaded'> {
  const insert = compile((db, p: ArchiveRow & { upload: number | null }) =>
    db.insertInto('archives').values({
      archive_id: p.archiveId,
      vault_id: p.vaultId,
      description: p.description,
      created_at_ms: p.createdAtMs,
      size_bytes: p.sizeBytes,
      tree_hash: p.treeHash,
      added_change: p.addedChange,
      removed_change: p.removedChange,
      upload: p.upload,
    }),
  );
  const insertBlob = compile((db, p: ArchiveBlobsTable) =>
    db.insertInto('archive_blobs').values({
      archive: p.archive,
      position: p.position,
      blob_id: p.blob_id,
      size_bytes: p.size_bytes,
    }),
  );
  const findUpload = compile((db, p: { uploadId: string }) =>
    db.selectFrom('uploads').select('id').where('upload_id', '=', p.uploadId),
  );
  const sizeOfParts = compile((db, p: { upload: number }) =>
    db
      .selectFrom('parts')
      .select(sql<number>`coalesce(sum(size_bytes), 0)`.as('size_bytes'))
      .where('upload', '=', p.upload),
  );

  return {
    async insert(archive, blobs) {
      const sizeBytes = blobs.reduce((sum, blob) => sum + blob.sizeBytes, 0);
      assert(sizeBytes === archive.sizeBytes, 'the blobs add up to the archive');
      const { lastInsertRowid } = insert.run({ ...archive, upload: null });
      for (const [position, { blobId, sizeBytes }] of blobs.entries()) {
        insertBlob.run({
          archive: lastInsertRowid,
          position,
          blob_id: blobId,
          size_bytes: sizeBytes,
        });
      }
    },
    async insertUploaded(archive, uploadId, labelled) {
      const { id } = defined(findUpload.get({ uploadId }), `upload ${uploadId}`);
      const sizeBytes = sizeOfParts.get({ upload: id })?.size_bytes;
      // What is lost of a journal may be a part: then the rest is no archive.
      assert(sizeBytes === archive.sizeBytes, 'the parts add up to the archive');
      const { lastInsertRowid } = insert.run({ ...archive, upload: id });
      insertBlob.run({ archive: lastInsertRowid, position: 0, blob_id: labelled, size_bytes: 0 });
    },
  };
}

function removals(compile: Compile): Pick<ArchiveWriter, 'markRemoved' | 'forget'> {
  const markRemoved = compile((db, p: { archiveId: string; removedChange: number }) =>
    db
      .updateTable('archives')
      .set({ removed_change: p.removedChange })
      .where('archive_id', '=', p.archiveId)
      .where('removed_change', 'is', null),
  );
  // Its own blobs go with it: their foreign key says so.
  const forget = compile((db, p: { archiveId: string }) =>
    db
      .deleteFrom('archives')
      .where('archive_id', '=', p.archiveId)
      .where('removed_change', 'is not', null)
      .returning('upload'),
  );
  const forgetParts = compile((db, p: { upload: number }) =>
    db.deleteFrom('parts').where('upload', '=', p.upload),
  );
  const markDiscarded = compile((db, p: { upload: number }) =>
    db
      .updateTable('uploads')
      .set({ is_discarded: sql.lit(1) })
      .where('id', '=', p.upload),
  );

  return {
    async markRemoved(archiveId, removedChange) {
      const { changes } = markRemoved.run({ archiveId, removedChange });
      assert(changes === 1, 'an archive that is removed was in its vault');
    },
    async forget(archiveId) {
      const { upload = null } = forget.get({ archiveId }) ?? {};
      if (upload === null) return;
      forgetParts.run({ upload });
      markDiscarded.run({ upload });
    },
  };
}

export function archiveReader(compile: Compile): ArchiveReader {
  const get = compile((db, p: { archiveId: string }) =>
    db.selectFrom('archives').selectAll().where('archive_id', '=', p.archiveId),
  );
  const blobsOf = archiveBlobs(compile);
  const listForInventory = compile((db, p: BoundedInventoryQuery) =>
    db
      .selectFrom('archives')
      .select(inventoryColumns)
      .where('vault_id', '=', p.vaultId)
      .where(sql<boolean>`(created_at_ms, archive_id) > (${p.afterMs}, ${p.afterId})`)
      .where('created_at_ms', '<', p.beforeMs)
      .orderBy('created_at_ms')
      .orderBy('archive_id')
      .limit(p.limit),
  );
  const listForgettable = compile(forgettableArchives);

  return {
    async get(archiveId) {
      const row = get.get({ archiveId });
      return row && archiveRow(row);
    },
    async blobs(archiveId) {
      const row = get.get({ archiveId });
      return row === undefined ? [] : blobsOf(row);
    },
    async listForInventory(query) {
      const { vaultId: vault_id, limit } = query;
      const looked = listForInventory.all(bounded(query));
      const last = looked.length < limit ? undefined : looked.at(-1);
      return {
        // Not by the statement: those that it passed over would be as many as there are.
        archives: looked
          .filter((row) => isShown(row, query))
          .map((row) => archiveRow({ ...row, vault_id })),
        next: last === undefined ? null : placeOf(last),
      };
    },
    async listForgettable(nowMs, limit, passedOver = 0) {
      return listForgettable.all({ nowMs, limit, passedOver }).map(archiveRow);
    },
  };
}

/** All but the vault, which is known: an inventory of a million spares a million texts. */
const inventoryColumns = [
  'archive_id',
  'description',
  'created_at_ms',
  'size_bytes',
  'tree_hash',
  'added_change',
  'removed_change',
] as const satisfies readonly (keyof ArchiveColumns)[];

function isShown(
  row: Pick<ArchiveColumns, 'added_change' | 'removed_change'>,
  { asOfChange }: Pick<InventoryQuery, 'asOfChange'>,
): boolean {
  if (row.added_change > asOfChange) return false;
  return row.removed_change === null || row.removed_change > asOfChange;
}

function placeOf(row: Pick<ArchiveColumns, 'created_at_ms' | 'archive_id'>): InventoryPosition {
  return { createdAtMs: row.created_at_ms, archiveId: row.archive_id };
}

/** An `InventoryQuery` with every bound in place, so that one statement serves all. */
interface BoundedInventoryQuery {
  readonly vaultId: string;
  readonly afterMs: number;
  readonly afterId: string;
  readonly beforeMs: number;
  readonly limit: number;
}

function bounded(query: InventoryQuery): BoundedInventoryQuery {
  const after = startOf(query);
  return {
    vaultId: query.vaultId,
    afterMs: after.createdAtMs,
    afterId: after.archiveId,
    beforeMs: query.createdBeforeMs ?? Number.MAX_SAFE_INTEGER,
    limit: query.limit,
  };
}

/** No archive has an empty id: all that were created at a time lie after the place (time, ''). */
function startOf({ createdFromMs, after }: InventoryQuery): InventoryPosition {
  const fromMs = createdFromMs ?? Number.MIN_SAFE_INTEGER;
  if (after !== null && after.createdAtMs >= fromMs) return after;
  return { createdAtMs: fromMs, archiveId: '' };
}

export function archiveRow(row: ArchiveColumns): ArchiveRow {
  return {
    archiveId: row.archive_id,
    vaultId: row.vault_id,
    description: row.description,
    createdAtMs: row.created_at_ms,
    sizeBytes: row.size_bytes,
    treeHash: row.tree_hash,
    addedChange: row.added_change,
    removedChange: row.removed_change,
  };
}
