import type { BlobId } from '../storage/blob-store.ts';

/** An archive that cannot be had as it was stored. */
export interface DamagedArchive {
  /** Null when the vault was deleted, and the archive is kept for a job or an inventory only. */
  readonly accountId: string | null;
  readonly region: string | null;
  readonly vaultName: string | null;
  readonly archiveId: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  /** What is wrong, in a few sentences. */
  readonly damage: string;
}

/** Blobs that no row names: what crashes left behind, or archives whose rows were lost. */
export interface OrphanReport {
  readonly count: number;
  readonly sizeBytes: number;
  /** How many are labelled as of an archive. Of very many only the first are looked at. */
  readonly archiveCount: number;
  /** How many of those that are looked at are labelled as a part of an upload. */
  readonly partCount: number;
  readonly blobIds: readonly BlobId[];
}

/** What a database that is lost could be made again from. */
export interface RecoveryReport {
  readonly snapshotCount: number;
  readonly snapshotBytes: number;
  /** Batches of changes that were read from the journal. */
  readonly batchCount: number;
  /** What is wrong, in sentences. */
  readonly problems: readonly string[];
}

export interface CheckReport {
  readonly archivesChecked: number;
  readonly outputsChecked: number;
  /** Parts of open uploads. */
  readonly partsChecked: number;
  /** Of archives, outputs and parts. */
  readonly bytesRead: number;
  readonly damagedCount: number;
  readonly damaged: readonly DamagedArchive[];
  readonly orphans: OrphanReport;
  /** What is wrong with rows, and with what belongs to no archive, in sentences. */
  readonly problems: readonly string[];
  /** What is nothing wrong, and worth to be known, in sentences. */
  readonly notes: readonly string[];
  /** Null where neither snapshots nor a journal are kept. */
  readonly recovery: RecoveryReport | null;
  readonly durationMs: number;
  /** Whether nothing is damaged and nothing is wrong. A few orphans are nothing wrong. */
  readonly isSound: boolean;
}

export type CheckPhase =
  | 'recovery'
  | 'database'
  | 'archives'
  | 'outputs'
  | 'uploads'
  | 'vaults'
  | 'orphans';

/** What is told while a check goes on. Totals are an estimate: others may be adding archives. */
export type CheckEvent =
  | { readonly kind: 'phase'; readonly phase: CheckPhase }
  | {
      readonly kind: 'progress';
      readonly archivesChecked: number;
      readonly archivesTotal: number;
      readonly bytesRead: number;
      readonly bytesTotal: number;
    }
  | { readonly kind: 'damaged'; readonly archive: DamagedArchive }
  | { readonly kind: 'problem'; readonly problem: string };
