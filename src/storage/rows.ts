import type { BlobId } from './blob-store.ts';

/** Names a vault: the same name in another region or account is another vault. */
export interface VaultKey {
  readonly accountId: string;
  readonly region: string;
  readonly vaultName: string;
}

/** What a vault held when it was last inventoried. */
export interface InventoryFacts {
  readonly takenAtMs: number;
  /** The value of `VaultRow.changes` that the inventory shows. */
  readonly asOfChange: number;
  readonly archiveCount: number;
  readonly sizeBytes: number;
}

export interface VaultRow extends VaultKey {
  /** Of this vault alone: a vault that is deleted and made again under its name gets another. */
  readonly vaultId: string;
  readonly createdAtMs: number;
  /** Archives it holds now, and the plain sum of their sizes. */
  readonly archiveCount: number;
  readonly sizeBytes: number;
  /** How many archives were added to it or removed from it so far: the clock of its contents. */
  readonly changes: number;
  readonly changedAtMs: number | null;
  readonly lastInventory: InventoryFacts | null;
}

/** One blob of an archive. */
export interface BlobPart {
  readonly blobId: BlobId;
  readonly sizeBytes: number;
}

/** An archive, in the vault or removed from it. Only `removedChange` ever changes. */
export interface ArchiveRow {
  readonly archiveId: string;
  readonly vaultId: string;
  readonly description: string;
  readonly createdAtMs: number;
  readonly sizeBytes: number;
  /** SHA-256 tree hash, 64 lower-case hexadecimal digits. */
  readonly treeHash: string;
  /** The vault's `changes` once it was added. */
  readonly addedChange: number;
  /** The vault's `changes` once it was removed; null while it is in the vault. */
  readonly removedChange: number | null;
}

/** The place of an archive in an inventory, whose order is creation time, then archive id. */
export interface InventoryPosition {
  readonly createdAtMs: number;
  readonly archiveId: string;
}

/** Which archives an inventory shows. */
export interface InventoryQuery {
  readonly vaultId: string;
  /** Shows those added at or before this change and not removed at or before it. */
  readonly asOfChange: number;
  /** Created at or after; null for no bound. */
  readonly createdFromMs: number | null;
  /** Created before; null for no bound. */
  readonly createdBeforeMs: number | null;
  /** Starts strictly after this place; null for the start. */
  readonly after: InventoryPosition | null;
  readonly limit: number;
}

export type JobAction = 'ArchiveRetrieval' | 'InventoryRetrieval';
export type JobStatus = 'InProgress' | 'Succeeded' | 'Failed';

/** What an inventory job was asked for, as it was asked, and where its slice ended. */
export interface InventoryJobFacts {
  readonly format: 'JSON' | 'CSV';
  readonly asOfChange: number;
  /** The date of the inventory that it hands out. */
  readonly inventoryDateMs: number;
  /** As given in the request, or null. */
  readonly startDate: string | null;
  readonly endDate: string | null;
  readonly limit: string | null;
  /** Where it starts, strictly after; from the request's marker. */
  readonly after: InventoryPosition | null;
  /** Where the next job goes on; null until it succeeded, or when it reached the end. */
  readonly nextMarker: string | null;
}

/** What an archive retrieval was asked for. Bytes of the archive, both ends included. */
export interface RetrievalFacts {
  readonly archiveId: string;
  readonly archiveSizeBytes: number;
  readonly archiveTreeHash: string;
  readonly firstByte: number;
  readonly lastByte: number;
  /** Tree hash of the range when it is tree-hash aligned, else null. */
  readonly treeHash: string | null;
  readonly tier: 'Expedited' | 'Standard' | 'Bulk';
}

export interface JobRow {
  readonly jobId: string;
  readonly vaultId: string;
  readonly action: JobAction;
  /** Set if and only if `action` is `ArchiveRetrieval`. */
  readonly retrieval: RetrievalFacts | null;
  /** Set if and only if `action` is `InventoryRetrieval`. */
  readonly inventory: InventoryJobFacts | null;
  readonly description: string | null;
  readonly snsTopic: string | null;
  readonly status: JobStatus;
  readonly createdAtMs: number;
  /** When its work may begin. */
  readonly dueAtMs: number;
  readonly completedAtMs: number | null;
  /** From then on it answers as if it had never been; null while in progress. */
  readonly expiresAtMs: number | null;
  /** The rendered output of an inventory job that succeeded. */
  readonly output: BlobPart | null;
}

/** The place of a job in a listing, whose order is newest first, then job id downwards. */
export interface JobPosition {
  readonly createdAtMs: number;
  readonly jobId: string;
}

export interface JobQuery {
  readonly vaultId: string;
  readonly completed: boolean | null;
  readonly status: JobStatus | null;
  /** Leaves out jobs that expired at or before this time. */
  readonly nowMs: number;
  /** Starts strictly after this place; null for the start. */
  readonly after: JobPosition | null;
  readonly limit: number;
}

export interface AccountRow {
  /** 12 digits. */
  readonly accountId: string;
  readonly name: string;
  readonly createdAtMs: number;
}

export interface AccessKeyRow {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly accountId: string;
  readonly isActive: boolean;
  readonly createdAtMs: number;
}

/** What the last reading of an archive's bytes found. */
export interface VerificationRow {
  readonly verifiedAtMs: number;
  /** What is wrong, in a sentence; null when every byte was right. */
  readonly damage: string | null;
}

export interface VerifiableArchive {
  /** Its place in the order of insertion, from 1 on. */
  readonly ordinal: number;
  readonly archive: ArchiveRow;
  readonly blobs: readonly BlobPart[];
  readonly last: VerificationRow | null;
}

export interface VerificationSummary {
  readonly archiveCount: number;
  /** Never read back so far. */
  readonly unverifiedCount: number;
  readonly damagedCount: number;
  /** Of those that were read back; null when none was. */
  readonly oldestVerifiedAtMs: number | null;
}
