import { sql } from 'kysely';
import { assert } from '../../lib/assert.ts';
import type { BlobId } from '../blob-store.ts';
import type { ArchiveReader, ArchiveWriter } from '../metadata-store.ts';
import type { ArchiveRow, BlobPart, InventoryPosition, InventoryQuery } from '../rows.ts';
import { forgettableArchives } from './forgettable-archives.ts';
import type { ArchiveBlobsTable, ArchivesTable } from './schema.ts';
import type { Compile } from './statements.ts';

/** What a query tells of an archive. */
export type ArchiveColumns = Omit<ArchivesTable, 'id'>;

export function archiveWriter(compile: Compile): ArchiveWriter {
  const insert = compile((db, p: ArchiveRow) =>
    db.insertInto('archives').values({
      archive_id: p.archiveId,
      vault_id: p.vaultId,
      description: p.description,
      created_at_ms: p.createdAtMs,
      size_bytes: p.sizeBytes,
      tree_hash: p.treeHash,
      added_change: p.addedChange,
      removed_change: p.removedChange,
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
  const markRemoved = compile((db, p: { archiveId: string; removedChange: number }) =>
    db
      .updateTable('archives')
      .set({ removed_change: p.removedChange })
      .where('archive_id', '=', p.archiveId)
      .where('removed_change', 'is', null),
  );
  // Its list of blobs goes with it: their foreign key says so.
  const forget = compile((db, p: { archiveId: string }) =>
    db
      .deleteFrom('archives')
      .where('archive_id', '=', p.archiveId)
      .where('removed_change', 'is not', null),
  );

  return {
    ...archiveReader(compile),
    async insert(archive, blobs) {
      const sizeBytes = blobs.reduce((sum, blob) => sum + blob.sizeBytes, 0);
      assert(sizeBytes === archive.sizeBytes, 'the blobs add up to the archive');
      const { lastInsertRowid } = insert.run(archive);
      for (const [position, { blobId, sizeBytes }] of blobs.entries()) {
        insertBlob.run({
          archive: lastInsertRowid,
          position,
          blob_id: blobId,
          size_bytes: sizeBytes,
        });
      }
    },
    async markRemoved(archiveId, removedChange) {
      const { changes } = markRemoved.run({ archiveId, removedChange });
      assert(changes === 1, 'an archive that is removed was in its vault');
    },
    async forget(archiveId) {
      forget.run({ archiveId });
    },
  };
}

export function archiveReader(compile: Compile): ArchiveReader {
  const get = compile((db, p: { archiveId: string }) =>
    db.selectFrom('archives').selectAll().where('archive_id', '=', p.archiveId),
  );
  const blobs = compile((db, p: { archiveId: string }) =>
    db
      .selectFrom('archives')
      .innerJoin('archive_blobs', 'archive_blobs.archive', 'archives.id')
      .select(['archive_blobs.blob_id', 'archive_blobs.size_bytes'])
      .where('archives.archive_id', '=', p.archiveId)
      .orderBy('archive_blobs.position'),
  );
  const listForInventory = compile((db, p: BoundedInventoryQuery) =>
    db
      .selectFrom('archives')
      .selectAll()
      .where('vault_id', '=', p.vaultId)
      .where(sql<boolean>`(created_at_ms, archive_id) > (${p.afterMs}, ${p.afterId})`)
      .where('created_at_ms', '<', p.beforeMs)
      .where('added_change', '<=', p.asOfChange)
      .where((eb) =>
        eb.or([eb('removed_change', 'is', null), eb('removed_change', '>', p.asOfChange)]),
      )
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
      return blobs.all({ archiveId }).map(blobPart);
    },
    async listForInventory(query) {
      return listForInventory.all(bounded(query)).map(archiveRow);
    },
    async listForgettable(nowMs, limit) {
      return listForgettable.all({ nowMs, limit }).map(archiveRow);
    },
  };
}

/** An `InventoryQuery` with every bound in place, so that one statement serves all. */
interface BoundedInventoryQuery {
  readonly vaultId: string;
  readonly asOfChange: number;
  readonly afterMs: number;
  readonly afterId: string;
  readonly beforeMs: number;
  readonly limit: number;
}

function bounded(query: InventoryQuery): BoundedInventoryQuery {
  const after = startOf(query);
  return {
    vaultId: query.vaultId,
    asOfChange: query.asOfChange,
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

export function blobPart(row: { readonly blob_id: string; readonly size_bytes: number }): BlobPart {
  // Blob ids go in as such, and come out as they went in.
  return { blobId: row.blob_id as BlobId, sizeBytes: row.size_bytes };
}
