import type { Generated } from 'kysely';
import type {
  JobAction,
  JobStatus,
  RetrievalChargeRow,
  RetrievalPolicyRow,
  UploadState,
  VaultLockRow,
} from '../rows.ts';

/** The tables as Kysely sees them: `migrations/` makes them, and says what each is for. */
export interface Tables {
  vaults: VaultsTable;
  vault_tags: VaultTagsTable;
  vault_notifications: VaultNotificationsTable;
  vault_access_policies: VaultAccessPoliciesTable;
  vault_locks: VaultLocksTable;
  archives: ArchivesTable;
  archive_blobs: ArchiveBlobsTable;
  uploads: UploadsTable;
  parts: PartsTable;
  verifications: VerificationsTable;
  jobs: JobsTable;
  retrieval_policies: RetrievalPoliciesTable;
  retrieval_charges: RetrievalChargesTable;
  capacity_units: CapacityUnitsTable;
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

export interface VaultTagsTable {
  vault_id: string;
  key: string;
  value: string;
}

export interface VaultNotificationsTable {
  vault_id: string;
  sns_topic: string;
  /** A list of names as JSON. */
  events: string;
}

export interface VaultAccessPoliciesTable {
  vault_id: string;
  policy: string;
}

export interface VaultLocksTable {
  vault_id: string;
  state: VaultLockRow['state'];
  policy: string;
  lock_id: string;
  created_at_ms: number;
  expires_at_ms: number | null;
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
  /** The number of the upload whose parts are its bytes; null of any other archive. */
  upload: number | null;
}

export interface ArchiveBlobsTable {
  archive: number;
  position: number;
  blob_id: string;
  size_bytes: number;
}

export interface UploadsTable {
  /** Short, and in the order of insertion: what other tables refer to. */
  id: Generated<number>;
  upload_id: string;
  vault_id: string;
  part_size_bytes: number;
  description: string | null;
  created_at_ms: number;
  active_at_ms: number;
  state: UploadState;
  /** `UploadedArchive` as JSON. */
  archive: string | null;
  ended_at_ms: number | null;
  is_discarded: number;
}

export interface PartsTable {
  upload: number;
  part_index: number;
  blob_id: string;
  size_bytes: number;
  tree_hash: string;
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

export interface RetrievalPoliciesTable {
  account_id: string;
  region: string;
  strategy: RetrievalPolicyRow['strategy'];
  /** Decimal digits. */
  bytes_per_hour: string | null;
}

export interface RetrievalChargesTable {
  job_id: string;
  account_id: string;
  region: string;
  tier: RetrievalChargeRow['tier'];
  created_at_ms: number;
  counts_until_ms: number;
  size_bytes: number;
  is_provisioned: number;
}

export interface CapacityUnitsTable {
  capacity_id: string;
  account_id: string;
  region: string;
  starts_at_ms: number;
  expires_at_ms: number;
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
