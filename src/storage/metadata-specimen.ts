import type { SimulatedClock } from '../lib/clock.ts';
import type { BlobId } from './blob-store.ts';
import type { ContractCase, ContractSubject } from './contract-suite.ts';
import type { MetadataStore } from './metadata-store.ts';
import type {
  ArchiveBlob,
  ArchiveRow,
  BlobPart,
  CapacityUnitRow,
  JobRow,
  RetrievalChargeRow,
  VaultLockRow,
  VaultRow,
} from './rows.ts';

/** A backend as the contract suite sees it. */
export type MetadataStoreSubject = ContractSubject<MetadataSpecimen>;

/** An open store and what can be done to it. A missing ability needs its cases excepted. */
export interface MetadataSpecimen extends AsyncDisposable {
  /** The store as it is open now: another one after `crash`, `reopen` and `setRoom`. */
  readonly store: MetadataStore;
  readonly clock: SimulatedClock;
  readonly syncs?: SyncControl;
  /** Drops the store as a power cut would, with all that was not synced, and opens it again. */
  crash?(): Promise<void>;
  /** Closes the store and opens it again. */
  reopen?(): Promise<void>;
  /** Opens it again with room for `bytes` more, and a bit; `Infinity` ends the shortage. */
  setRoom?(bytes: number): Promise<void>;
}

/** Watches and disturbs what makes writes durable: appends to a journal, where there is one. */
export interface SyncControl {
  /** How many were begun. */
  readonly count: number;
  isFailing: boolean;
  /** From now on syncs take until what this returns is called, or for ever in case of a crash. */
  hold(): () => void;
}

/** A case of the contract. */
export type MetadataCase = ContractCase<MetadataSpecimen>;

export const accountId = '123456789012';
export const region = 'us-east-1';

/** A vault named after its id. */
export function sampleVault(vaultId: string, members: Partial<VaultRow> = {}): VaultRow {
  return {
    vaultId,
    accountId,
    region,
    vaultName: `name-of-${vaultId}`,
    createdAtMs: 1_000,
    archiveCount: 0,
    sizeBytes: 0,
    changes: 0,
    changedAtMs: null,
    lastInventory: null,
    ...members,
  };
}

export function sampleArchive(archiveId: string, members: Partial<ArchiveRow> = {}): ArchiveRow {
  return {
    archiveId,
    vaultId: 'vault',
    description: `what ${archiveId} is`,
    createdAtMs: 2_000,
    sizeBytes: 30,
    treeHash: 'a1'.repeat(32),
    addedChange: 1,
    removedChange: null,
    ...members,
  };
}

/** Blobs that add up to a sample archive. */
export function sampleBlobs(archiveId: string): BlobPart[] {
  return [
    { blobId: blobId(`${archiveId}.2`), sizeBytes: 20 },
    { blobId: blobId(`${archiveId}.1`), sizeBytes: 10 },
  ];
}

/** The same as they are read. */
export function listedBlobs(archiveId: string): ArchiveBlob[] {
  return sampleBlobs(archiveId).map((blob) => ({ ...blob, treeHash: null }));
}

export function blobId(text: string): BlobId {
  return text as BlobId;
}

export function sampleRetrieval(jobId: string, members: Partial<JobRow> = {}): JobRow {
  return {
    ...inProgress(jobId),
    action: 'ArchiveRetrieval',
    retrieval: {
      archiveId: 'archive',
      archiveSizeBytes: 30,
      archiveTreeHash: 'a1'.repeat(32),
      firstByte: 0,
      lastByte: 29,
      treeHash: null,
      tier: 'Standard',
    },
    inventory: null,
    ...members,
  };
}

export function sampleInventoryJob(jobId: string, members: Partial<JobRow> = {}): JobRow {
  return {
    ...inProgress(jobId),
    action: 'InventoryRetrieval',
    retrieval: null,
    inventory: {
      format: 'JSON',
      asOfChange: 1,
      inventoryDateMs: 1_500,
      startDate: '2026-01-01T00:00:00Z',
      endDate: null,
      limit: '10',
      after: { createdAtMs: 1_700, archiveId: 'an "archive"' },
      nextMarker: null,
    },
    ...members,
  };
}

function inProgress(jobId: string) {
  return {
    jobId,
    vaultId: 'vault',
    description: null,
    snsTopic: 'arn:aws:sns:us-east-1:123456789012:topic',
    status: 'InProgress',
    createdAtMs: 3_000,
    dueAtMs: 4_000,
    completedAtMs: null,
    expiresAtMs: null,
    output: null,
  } as const;
}

/** `job` as it is once it succeeded. */
export function succeeded(job: JobRow, expiresAtMs = 90_000): JobRow {
  return { ...job, status: 'Succeeded', completedAtMs: 5_000, expiresAtMs };
}

/** A lock that is not completed yet. */
export function sampleLock(members: Partial<VaultLockRow> = {}): VaultLockRow {
  return {
    state: 'InProgress',
    policy: '{"Version":"2012-10-17"}',
    lockId: 'lock',
    createdAtMs: 4_000,
    expiresAtMs: 5_000,
    ...members,
  };
}

/** The charge of a Standard retrieval. */
export function sampleCharge(
  jobId: string,
  members: Partial<RetrievalChargeRow> = {},
): RetrievalChargeRow {
  return {
    jobId,
    accountId,
    region,
    tier: 'Standard',
    createdAtMs: 3_000,
    countsUntilMs: 6_000,
    sizeBytes: 30,
    isProvisioned: false,
    ...members,
  };
}

export function sampleUnit(
  capacityId: string,
  members: Partial<CapacityUnitRow> = {},
): CapacityUnitRow {
  return { capacityId, accountId, region, startsAtMs: 3_000, expiresAtMs: 7_000, ...members };
}

/** Adds an archive to its vault as the domain does: the vault's totals, then the row. */
export async function addArchive(
  store: MetadataStore,
  archiveId: string,
  members: Partial<ArchiveRow> = {},
): Promise<number> {
  return await store.write(async ({ vaults, archives }) => {
    const row = sampleArchive(archiveId, members);
    const addedChange = await vaults.recordChange(row.vaultId, {
      archives: 1,
      sizeBytes: row.sizeBytes,
      atMs: row.createdAtMs,
    });
    await archives.insert({ ...row, addedChange }, sampleBlobs(archiveId));
    return addedChange;
  });
}

/** Takes a sample archive out of its vault as the domain does. */
export async function removeArchive(store: MetadataStore, archiveId: string): Promise<number> {
  return await store.write(async ({ vaults, archives }) => {
    const row = await archives.get(archiveId);
    if (row === undefined) throw new Error(`no archive ${archiveId}`);
    const change = await vaults.recordChange(row.vaultId, {
      archives: -1,
      sizeBytes: -row.sizeBytes,
      atMs: row.createdAtMs,
    });
    await archives.markRemoved(archiveId, change);
    return change;
  });
}

/** A store that has the vault `vault`. */
export async function withVault({ store }: MetadataSpecimen): Promise<void> {
  await store.write(({ vaults }) => vaults.insert(sampleVault('vault')));
}
