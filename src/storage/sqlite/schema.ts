import type { Generated } from 'kysely';
import type { JobAction, JobStatus } from '../rows.ts';

/** The tables as Kysely sees them: `migrations/` makes them, and says what each is for. */
export interface Tables {
  vaults: VaultsTable;
  archives: ArchivesTable;
  archive_blobs: ArchiveBlobsTable;
  verifications: VerificationsTable;
  jobs: JobsTable;
  accounts: AccountsTable;
  access_keys: AccessKeysTable;
  facts: FactsTable;
  journal_position: JournalPositionTable;
}

export interface VaultsTable {
  vault_id: string;
  account_id: string;
  region: string;
  vault_name: string;
  created_at_ms: number;
  archive_count: number;
  size_bytes: number;
  changes: number;
  changed_at_ms: number | null;
  inventory_taken_at_ms: number | null;
  inventory_as_of_change: number | null;
  inventory_archive_count: number | null;
  inventory_size_bytes: number | null;
}

export interface ArchivesTable {
  /** Short, and in the order of insertion: what other tables refer to. */
  id: Generated<number>;
  archive_id: string;
  vault_id: string;
  description: string;
  created_at_ms: number;
  size_bytes: number;
  tree_hash: string;
  added_change: number;
  removed_change: number | null;
}

export interface ArchiveBlobsTable {
  archive: number;
  position: number;
  blob_id: string;
  size_bytes: number;
}

export interface VerificationsTable {
  archive: number;
  verified_at_ms: number;
  damage: string | null;
}

export interface JobsTable {
  job_id: string;
  vault_id: string;
  action: JobAction;
  /** `RetrievalFacts` as JSON. */
  retrieval: string | null;
  /** `InventoryJobFacts` as JSON. */
  inventory: string | null;
  description: string | null;
  sns_topic: string | null;
  status: JobStatus;
  created_at_ms: number;
  due_at_ms: number;
  completed_at_ms: number | null;
  expires_at_ms: number | null;
  output_blob_id: string | null;
  output_size_bytes: number | null;
  /** Until when somebody holds the job; null when nobody does. */
  leased_until_ms: number | null;
}

export interface AccountsTable {
  account_id: string;
  name: string;
  created_at_ms: number;
}

export interface AccessKeysTable {
  access_key_id: string;
  secret_access_key: string;
  account_id: string;
  is_active: number;
  created_at_ms: number;
}

export interface FactsTable {
  name: string;
  value: string;
}

export interface JournalPositionTable {
  sequence: number;
  /** Of the batch with that number: see JOURNAL.md. */
  mark: string;
}
