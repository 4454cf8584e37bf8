import { type Kysely, type Migration, sql } from 'kysely';

/**
 * What is set on vaults, what retrievals count for, and provisioned capacity. Each index names the
 * query that it is for.
 */
export const settings: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of [...vaultSettings, ...retrievals, ...capacity]) {
      await sql.raw(statement).execute(db);
    }
  },
};

/** All of it goes with its vault. */
const vaultSettings = [
  // vaultSettings.tags: the order of the key's bytes, as UTF-8
  `CREATE TABLE vault_tags (
    vault_id TEXT NOT NULL REFERENCES vaults (vault_id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (vault_id, key)
  ) STRICT, WITHOUT ROWID`,

  `CREATE TABLE vault_notifications (
    vault_id TEXT NOT NULL PRIMARY KEY REFERENCES vaults (vault_id) ON DELETE CASCADE,
    sns_topic TEXT NOT NULL,
    events TEXT NOT NULL
  ) STRICT`,

  `CREATE TABLE vault_access_policies (
    vault_id TEXT NOT NULL PRIMARY KEY REFERENCES vaults (vault_id) ON DELETE CASCADE,
    policy TEXT NOT NULL
  ) STRICT`,

  `CREATE TABLE vault_locks (
    vault_id TEXT NOT NULL PRIMARY KEY REFERENCES vaults (vault_id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('InProgress', 'Locked')),
    policy TEXT NOT NULL,
    lock_id TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER CHECK ((expires_at_ms IS NULL) = (state = 'Locked'))
  ) STRICT`,

  // vaultSettings.listExpiredLocks
  `CREATE INDEX vault_locks_by_expiry ON vault_locks (expires_at_ms, vault_id)
    WHERE expires_at_ms IS NOT NULL`,
];

const retrievals = [
  // Decimal digits, since the limit may be more than a number holds.
  `CREATE TABLE retrieval_policies (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    strategy TEXT NOT NULL CHECK (strategy IN ('BytesPerHour', 'FreeTier', 'None')),
    bytes_per_hour TEXT CHECK ((bytes_per_hour IS NOT NULL) = (strategy = 'BytesPerHour')),
    PRIMARY KEY (account_id, region)
  ) STRICT, WITHOUT ROWID`,

  // Bound neither to its job nor to a vault by a foreign key: it outlives both.
  `CREATE TABLE retrieval_charges (
    job_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    tier TEXT NOT NULL CHECK (tier IN ('Expedited', 'Standard', 'Bulk')),
    created_at_ms INTEGER NOT NULL,
    counts_until_ms INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),
    is_provisioned INTEGER NOT NULL CHECK (is_provisioned = 0
      OR (is_provisioned = 1 AND tier = 'Expedited'))
  ) STRICT`,

  // retrievals.standardRate: what still counts by its time
  `CREATE INDEX retrieval_charges_counting
    ON retrieval_charges (account_id, region, counts_until_ms, created_at_ms, size_bytes)
    WHERE tier = 'Standard'`,

  // retrievals.standardSizeBytes
  `CREATE INDEX retrieval_charges_standard
    ON retrieval_charges (account_id, region, created_at_ms, size_bytes)
    WHERE tier = 'Standard'`,

  // retrievals.countExpedited
  `CREATE INDEX retrieval_charges_expedited
    ON retrieval_charges (account_id, region, is_provisioned, created_at_ms)
    WHERE tier = 'Expedited'`,

  // retrievals.forgetCharges
  `CREATE INDEX retrieval_charges_by_beginning
    ON retrieval_charges (created_at_ms, job_id, counts_until_ms)`,
];

const capacity = [
  `CREATE TABLE capacity_units (
    capacity_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    starts_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
  ) STRICT`,

  // capacity.list
  `CREATE INDEX capacity_units_by_start
    ON capacity_units (account_id, region, starts_at_ms, capacity_id)`,

  // capacity.forgetExpired
  'CREATE INDEX capacity_units_by_expiry ON capacity_units (expires_at_ms)',
];
