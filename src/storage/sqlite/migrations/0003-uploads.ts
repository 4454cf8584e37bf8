import { type Kysely, type Migration, sql } from 'kysely';

/** Multipart uploads. Each index names the query that it is for. */
export const uploads: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements = [
  // Not bound to its vault by a foreign key: an upload outlives its vault for a while.
  // AUTOINCREMENT: the number of an upload that was forgotten is never given to another, whose parts
  // would then be taken for those of an archive that names the number still.
  `CREATE TABLE uploads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    upload_id TEXT NOT NULL,
    vault_id TEXT NOT NULL,
    part_size_bytes INTEGER NOT NULL,
    description TEXT,
    created_at_ms INTEGER NOT NULL,
    active_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('Open', 'Completed', 'Aborted', 'Expired')),
    archive TEXT CHECK ((archive IS NOT NULL) = (state = 'Completed')),
    ended_at_ms INTEGER CHECK ((ended_at_ms IS NULL) = (state = 'Open')),
    is_discarded INTEGER NOT NULL CHECK (is_discarded IN (0, 1))
  ) STRICT`,

  // uploads.get, update, touch, putPart, listParts, removeParts, remove
  'CREATE UNIQUE INDEX uploads_by_id ON uploads (upload_id)',

  // uploads.list, abandon, listBereft
  `CREATE INDEX uploads_open ON uploads (vault_id, created_at_ms, upload_id)
    WHERE state = 'Open'`,

  // uploads.list, where many are idle
  `CREATE INDEX uploads_active ON uploads (vault_id, active_at_ms, created_at_ms, upload_id)
    WHERE state = 'Open'`,

  // uploads.listIdle
  `CREATE INDEX uploads_idle ON uploads (active_at_ms) WHERE state = 'Open'`,

  // uploads.listToDiscard
  `CREATE INDEX uploads_to_discard ON uploads (ended_at_ms, upload_id)
    WHERE state IN ('Aborted', 'Expired') AND is_discarded = 0`,

  // uploads.listOver
  `CREATE INDEX uploads_over ON uploads (ended_at_ms, upload_id) WHERE is_discarded = 1`,

  // An upload is not forgotten before its parts are: nothing would lead to their blobs any more.
  `CREATE TABLE parts (
    upload INTEGER NOT NULL REFERENCES uploads (id),
    part_index INTEGER NOT NULL,
    blob_id TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    tree_hash TEXT NOT NULL,
    PRIMARY KEY (upload, part_index)
  ) STRICT, WITHOUT ROWID`,

  // blobs.isReferenced, repoint
  'CREATE INDEX parts_by_blob ON parts (blob_id)',

  // The upload whose parts are the archive's bytes.
  'ALTER TABLE archives ADD COLUMN upload INTEGER',

  // archives.insertUploaded, which refuses to make a second archive of the same parts
  `CREATE UNIQUE INDEX archives_by_upload ON archives (upload) WHERE upload IS NOT NULL`,
];
