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

/** One blob of an archive, as the archive's list of blobs has it. */
export interface ArchiveBlob extends BlobPart {
  /** SHA-256 tree hash of a part of a multipart upload; null of any other blob. */
  readonly treeHash: string | null;
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
  /** How many archives are looked at, whether the inventory shows them or not. */
  readonly limit: number;
}

export interface InventoryPage {
  /** Of the archives that were looked at, those that the inventory shows. */
  readonly archives: readonly ArchiveRow[];
  /** The place after which to go on; null when there is nothing left to look at. */
  readonly next: InventoryPosition | null;
}

/** How an upload ended. One that is `Open` has not. */
export type UploadState = 'Open' | 'Completed' | 'Aborted' | 'Expired';

/** A multipart upload. It outlives its vault for a while, and is remembered after its end. */
export interface UploadRow {
  readonly uploadId: string;
  readonly vaultId: string;
  readonly partSizeBytes: number;
  readonly description: string | null;
  readonly createdAtMs: number;
  /** When something was last done to it: what its expiry counts from. */
  readonly activeAtMs: number;
  readonly state: UploadState;
  /** The archive that it became; null unless it is `Completed`. */
  readonly archive: UploadedArchive | null;
  /** Null while it is `Open`. */
  readonly endedAtMs: number | null;
  /** Whether its parts are gone: after an abort or an expiry, or with the archive it became. */
  readonly isDiscarded: boolean;
}

/** What is known of the archive that an upload became, also when the archive is forgotten. */
export interface UploadedArchive {
  readonly archiveId: string;
  readonly sizeBytes: number;
  /** SHA-256 tree hash, 64 lower-case hexadecimal digits. */
  readonly treeHash: string;
}

/** The place of an upload in a listing, whose order is creation time, then upload id. */
export interface UploadPosition {
  readonly createdAtMs: number;
  readonly uploadId: string;
}

/** The place of an upload among those that have ended, whose order is the end, then upload id. */
export interface UploadEnd {
  readonly endedAtMs: number;
  readonly uploadId: string;
}

/** A part of an upload. */
export interface PartRow extends BlobPart {
  /** Where it lies: its first byte divided by the part size, from 0 on. */
  readonly index: number;
  /** SHA-256 tree hash, 64 lower-case hexadecimal digits. */
  readonly treeHash: string;
}

export interface TagRow {
  readonly key: string;
  readonly value: string;
}

/** Which jobs of a vault are announced, and where. */
export interface NotificationsRow {
  readonly snsTopic: string;
  readonly events: readonly string[];
}

/** A vault's lock. A vault without one has no row. */
export interface VaultLockRow {
  readonly state: 'InProgress' | 'Locked';
  /** The policy as it was given, byte for byte. */
  readonly policy: string;
  readonly lockId: string;
  readonly createdAtMs: number;
  /** When it ends unless it is completed; null once it is `Locked`. */
  readonly expiresAtMs: number | null;
}

/** An account's data retrieval policy in a region. */
export interface RetrievalPolicyRow {
  readonly strategy: 'BytesPerHour' | 'FreeTier' | 'None';
  /** Decimal digits, up to 2^63-1: more than a number holds. Null for the other strategies. */
  readonly bytesPerHour: string | null;
}

/** What tells an account's resources in one region from all others. */
export interface AccountRegion {
  readonly accountId: string;
  readonly region: string;
}

/**
 * What a retrieval counts for against its account's policy and capacity. It outlives the job, and the
 * vault.
 */
export interface RetrievalChargeRow extends AccountRegion {
  readonly jobId: string;
  readonly tier: 'Expedited' | 'Standard' | 'Bulk';
  readonly createdAtMs: number;
  /** Until when its rate counts, and longer while its job is in progress. */
  readonly countsUntilMs: number;
  /** Bytes that it retrieves. */
  readonly sizeBytes: number;
  /** Whether an Expedited retrieval is served from provisioned capacity; false for the others. */
  readonly isProvisioned: boolean;
}

/** A provisioned capacity unit. */
export interface CapacityUnitRow extends AccountRegion {
  readonly capacityId: string;
  readonly startsAtMs: number;
  readonly expiresAtMs: number;
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

/** An archive, and what the last reading of its bytes found. */
export interface NotedArchive {
  /** Its place in the order of insertion, from 1 on. */
  readonly ordinal: number;
  readonly archive: ArchiveRow;
  /** Null when it was never read back. */
  readonly last: VerificationRow | null;
}

export interface VerifiableArchive extends NotedArchive {
  readonly blobs: readonly ArchiveBlob[];
}

export interface VerificationSummary {
  readonly archiveCount: number;
  /** Never read back so far. */
  readonly unverifiedCount: number;
  readonly damagedCount: number;
  /** Of those that were read back; null when none was. */
  readonly oldestVerifiedAtMs: number | null;
}
