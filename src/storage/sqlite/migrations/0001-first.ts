import { type Kysely, type Migration, sql } from 'kysely';

/**
 * The first schema. Plain SQL, since the query builder knows neither STRICT tables, nor generated
 * columns, nor partial indexes with constants. Each index names the query that it is for.
 */
export const first: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of [...vaults, ...archives, ...jobs, ...accounts, ...journal]) {
      await sql.raw(statement).execute(db);
    }
  },
};

const vaults = [
  `CREATE TABLE vaults (
    vault_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    vault_name TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    archive_count INTEGER NOT NULL CHECK (archive_count >= 0),
    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
    changes INTEGER NOT NULL,
    changed_at_ms INTEGER,
    inventory_taken_at_ms INTEGER,
    inventory_as_of_change INTEGER,
    inventory_archive_count INTEGER,
    inventory_size_bytes INTEGER
  ) STRICT`,

  // vaults.get, list, count
  'CREATE UNIQUE INDEX vaults_by_name ON vaults (account_id, region, vault_name)',

  // vaults.listDueForInventory
  `CREATE INDEX vaults_due_for_inventory
    ON vaults (coalesce(inventory_taken_at_ms, created_at_ms), vault_id)
    WHERE inventory_as_of_change IS NULL OR changes > inventory_as_of_change`,
];

const archives = [
  // Not bound to its vault by a foreign key: removed archives outlive their vault for a while.
  // AUTOINCREMENT: the number of an archive that was forgotten is never given to another, to which
  // a verification that was under way would then be credited.
  `CREATE TABLE archives (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    archive_id TEXT NOT NULL,
    vault_id TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    tree_hash TEXT NOT NULL,
    added_change INTEGER NOT NULL,
    removed_change INTEGER CHECK (removed_change > added_change)
  ) STRICT`,

  // archives.get, blobs, markRemoved, forget
  'CREATE UNIQUE INDEX archives_by_id ON archives (archive_id)',

  // archives.listForInventory
  'CREATE INDEX archives_by_inventory_order ON archives (vault_id, created_at_ms, archive_id)',

  // archives.listForgettable, removed before the vault's last inventory
  `CREATE INDEX archives_removed ON archives (vault_id, removed_change)
    WHERE removed_change IS NOT NULL`,

  // archives.listForgettable, added after the vault's last inventory
  `CREATE INDEX archives_removed_by_addition ON archives (vault_id, added_change)
    WHERE removed_change IS NOT NULL`,

  `CREATE TABLE archive_blobs (
    archive INTEGER NOT NULL REFERENCES archives (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    blob_id TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    PRIMARY KEY (archive, position)
  ) STRICT, WITHOUT ROWID`,

  // blobs.isReferenced, repoint
  'CREATE INDEX archive_blobs_by_blob ON archive_blobs (blob_id)',

  // Goes with its archive.
  `CREATE TABLE verifications (
    archive INTEGER NOT NULL PRIMARY KEY REFERENCES archives (id) ON DELETE CASCADE,
    verified_at_ms INTEGER NOT NULL,
    damage TEXT
  ) STRICT`,

  // verifications.listDamaged
  'CREATE INDEX verifications_damaged ON verifications (archive) WHERE damage IS NOT NULL',
];

const jobs = [
  `CREATE TABLE jobs (
    job_id TEXT NOT NULL PRIMARY KEY,
    vault_id TEXT NOT NULL REFERENCES vaults (vault_id) ON DELETE CASCADE,
    action TEXT NOT NULL CHECK (action IN ('ArchiveRetrieval', 'InventoryRetrieval')),
    retrieval TEXT CHECK ((retrieval IS NOT NULL) = (action = 'ArchiveRetrieval')),
    inventory TEXT CHECK ((inventory IS NOT NULL) = (action = 'InventoryRetrieval')),
    description TEXT,
    sns_topic TEXT,
    status TEXT NOT NULL CHECK (status IN ('InProgress', 'Succeeded', 'Failed')),
    created_at_ms INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL,
    completed_at_ms INTEGER,
    expires_at_ms INTEGER,
    output_blob_id TEXT,
    output_size_bytes INTEGER,
    leased_until_ms INTEGER,
    archive_id TEXT AS (retrieval ->> 'archiveId'),
    as_of_change INTEGER AS (inventory ->> 'asOfChange')
  ) STRICT`,

  // jobs.list, and the jobs that go with their vault
  'CREATE INDEX jobs_by_vault ON jobs (vault_id, created_at_ms, job_id)',

  // jobs.lease, nextDueAtMs
  `CREATE INDEX jobs_due ON jobs (action, due_at_ms, job_id, leased_until_ms)
    WHERE status = 'InProgress'`,

  // jobs.releaseLeases
  `CREATE INDEX jobs_leased ON jobs (leased_until_ms) WHERE leased_until_ms IS NOT NULL`,

  // jobs.listExpired
  `CREATE INDEX jobs_by_expiry ON jobs (expires_at_ms, job_id) WHERE expires_at_ms IS NOT NULL`,

  // archives.listForgettable: retrievals of an archive, and inventories that still show it
  `CREATE INDEX jobs_by_archive ON jobs (archive_id) WHERE archive_id IS NOT NULL`,
  `CREATE INDEX jobs_inventories_in_progress ON jobs (vault_id, as_of_change)
    WHERE as_of_change IS NOT NULL AND status = 'InProgress'`,

  // blobs.isReferenced, repoint
  `CREATE INDEX jobs_by_output ON jobs (output_blob_id) WHERE output_blob_id IS NOT NULL`,
];

const accounts = [
  `CREATE TABLE accounts (
    account_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL
  ) STRICT`,

  `CREATE TABLE access_keys (
    access_key_id TEXT NOT NULL PRIMARY KEY,
    secret_access_key TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    created_at_ms INTEGER NOT NULL
  ) STRICT`,

  'CREATE TABLE facts (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT',
];

const journal = [
  // One row: the last batch of the journal that the database contains. JOURNAL.md
  'CREATE TABLE journal_position (sequence INTEGER NOT NULL) STRICT',
  'INSERT INTO journal_position VALUES (0)',
];
