/** What commands show: the same as the server, or what is opened in its place, reports. */

/** An archive, where it is, and what is known of its bytes. */
export interface ArchiveStatus {
  readonly accountId: string;
  readonly region: string;
  readonly vaultName: string;
  readonly archiveId: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  readonly verifiedAtMs: number | null;
  readonly damage: string | null;
}

/** As a check finds it. The vault is null when it was deleted, and a job still needs the bytes. */
export interface DamagedArchive {
  readonly accountId: string | null;
  readonly region: string | null;
  readonly vaultName: string | null;
  readonly archiveId: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  readonly damage: string;
}

export interface ArchivePage {
  readonly archives: readonly ArchiveStatus[];
  /** Where the next page begins; null when there is none. */
  readonly after: number | null;
}

/** How a server is doing, or a data directory that no server runs on. */
export interface StatusReport {
  readonly version: string;
  /** Null when no server runs. */
  readonly startedAtMs: number | null;
  readonly url: string | null;
  readonly store: {
    readonly id: string;
    readonly format: number;
    readonly condition: 'ready' | 'full' | 'failed' | null;
    readonly freeBytes: number;
    readonly sizeBytes: number;
  };
  readonly masterKeyId: string;
  readonly vaults: { readonly count: number };
  readonly archives: { readonly count: number; readonly bytes: number };
  readonly metadata: {
    readonly sequence: number;
    readonly journalBytes: number;
    readonly lastSnapshotAtMs: number | null;
  };
  readonly scrub: {
    readonly round: number;
    readonly lastCompletedAtMs: number | null;
    readonly archivesDone: number;
    readonly archivesTotal: number;
    readonly bytesDone: number;
    readonly bytesTotal: number;
    readonly bytesPerSecond: number;
  } | null;
  readonly verification: {
    readonly unverifiedCount: number;
    readonly damagedCount: number;
    readonly oldestVerifiedAtMs: number | null;
    readonly damaged: readonly ArchiveStatus[];
  };
  readonly workers: readonly {
    readonly name: string;
    readonly state: string;
    readonly lastError: string | null;
    readonly lastErrorAtMs: number | null;
  }[];
}

/** What reading everything back has found. Lists may hold only the first of what was found. */
export interface CheckReport {
  readonly archivesChecked: number;
  /** Outputs of jobs. */
  readonly outputsChecked: number;
  /** Parts of open uploads. */
  readonly partsChecked: number;
  readonly bytesRead: number;
  readonly damagedCount: number;
  readonly damaged: readonly DamagedArchive[];
  /** Blobs that no row names. */
  readonly orphans: { readonly count: number; readonly sizeBytes: number };
  /** What is wrong beside damaged archives, a sentence each. */
  readonly problems: readonly string[];
  /** What is nothing wrong, and worth to be known, a sentence each. */
  readonly notes: readonly string[];
  /** What the database could be made again from; null where nothing is kept for that. */
  readonly recovery: {
    readonly snapshotCount: number;
    readonly batchCount: number;
    readonly problems: readonly string[];
  } | null;
  readonly durationMs: number;
  readonly isSound: boolean;
}

/** What is told while a check goes on. What it finds stands in the report too. */
export type CheckEvent =
  | { readonly kind: 'phase'; readonly phase: string }
  | {
      readonly kind: 'progress';
      readonly archivesChecked: number;
      readonly archivesTotal: number;
      readonly bytesRead: number;
      readonly bytesTotal: number;
    }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'problem' };

/** How the database was made again. */
export interface RepairReport {
  /** Where the database that was there is now; null when there was none. */
  readonly setAside: string | null;
  /** What it was made from; null when from the journal alone, or from nothing. */
  readonly snapshot: { readonly name: string; readonly takenAtMs: number } | null;
  /** How many batches of the journal came after that. */
  readonly batchCount: number;
  /** What is not in it, as sentences. */
  readonly lost: readonly string[];
  /** What was made of the blobs alone, where rows were lost; null when none were. */
  readonly salvage: SalvageReport | null;
}

export interface SalvageReport {
  readonly vaultsMade: number;
  readonly archivesMade: number;
  readonly archivesRepointed: number;
  readonly partsRepointed: number;
  readonly blobsUnreadableCount: number;
  readonly archivesOfDeletedVaults: number;
  /** Archives that were uploaded in parts of which some are missing. The list may be shorter. */
  readonly archivesIncompleteCount: number;
  readonly archivesIncomplete: readonly IncompleteArchive[];
  /** Parts of uploads that never became an archive. */
  readonly partsLeftAlone: number;
  /** Accounts that own vaults and have no row: nobody can sign in as one of these. */
  readonly accountsWithoutRow: readonly string[];
}

/** An archive that can't be made of the parts that are there. */
export interface IncompleteArchive {
  readonly accountId: string;
  readonly region: string;
  readonly vaultName: string;
  readonly archiveId: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  /** Why, as a sentence. */
  readonly problem: string;
}

export interface RotationReport {
  /** The master key that everything is under now. */
  readonly keyId: string;
  /** Files whose keys were wrapped anew. */
  readonly rewrapped: number;
  /** Files that were under the new key already. */
  readonly skipped: number;
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
  /** Keys that nothing is under any more. */
  readonly removedKeyIds: readonly string[];
}
