import type { BlobId } from './blob-store.ts';
import type {
  AccessKeyRow,
  AccountRow,
  ArchiveRow,
  BlobPart,
  InventoryFacts,
  InventoryQuery,
  JobAction,
  JobQuery,
  JobRow,
  VaultKey,
  VaultRow,
  VerifiableArchive,
  VerificationRow,
  VerificationSummary,
} from './rows.ts';

/**
 * Keeps the rows that say what the bytes are. Knows none of the rules of vaults, jobs or locks.
 *
 * 1. `write` is all or nothing: when `work` throws, nothing of it stays.
 * 2. Transactions are serialisable: the outcome is as if they had run one after the other.
 * 3. `write` resolves once its changes are durable. Concurrent writes share a sync. What `work` threw
 *    is told only when all that it can have seen is durable.
 * 4. `read` sees all that was acknowledged before it was called, and nothing that a crash can take
 *    back. It waits for no sync. `preview` may see a little less: it is good for a decision that a
 *    later write makes again, and for nothing that is told to anybody.
 * 5. After a sync that failed, every write rejects with `StoreUnavailable` until the store is
 *    opened again; then what they changed is there whole or not at all. Reads go on.
 *
 * `work` awaits nothing but the rows that it is given, and uses them only until it returns: others
 * wait for it. Rejects with what `work` threw, with `StoreFull` when there is no room, with
 * `Conflict` when a row that must be new is there already. A write may take a `Conflict` for an
 * answer and go on; after any other failure of the rows it fails, whatever it does.
 */
export interface MetadataStore extends AsyncDisposable {
  read<T>(work: (rows: Rows) => Promise<T>): Promise<T>;
  preview<T>(work: (rows: Rows) => Promise<T>): Promise<T>;
  write<T>(work: (rows: WritableRows) => Promise<T>): Promise<T>;
}

/** What a reader sees. A row that is not there is `undefined`. */
export interface Rows {
  readonly vaults: VaultReader;
  readonly archives: ArchiveReader;
  readonly jobs: JobReader;
  readonly accounts: AccountReader;
  readonly facts: FactReader;
  readonly blobs: BlobReferenceReader;
  readonly verifications: VerificationReader;
}

export interface WritableRows extends Rows {
  readonly vaults: VaultWriter;
  readonly archives: ArchiveWriter;
  readonly jobs: JobWriter;
  readonly accounts: AccountWriter;
  readonly facts: FactWriter;
  readonly blobs: BlobReferenceWriter;
  readonly verifications: VerificationWriter;
}

export interface VaultReader {
  get(key: VaultKey): Promise<VaultRow | undefined>;
  getById(vaultId: string): Promise<VaultRow | undefined>;
  /** By ascending byte value of the name, strictly after `after` when that is given. */
  list(query: {
    readonly accountId: string;
    readonly region: string;
    readonly after: string | null;
    readonly limit: number;
  }): Promise<VaultRow[]>;
  /** Every vault there is, by ascending vault id, strictly after `after` when that is given. */
  listAll(query: { readonly after: string | null; readonly limit: number }): Promise<VaultRow[]>;
  count(accountId: string, region: string): Promise<number>;
  /**
   * Vaults whose contents changed since their last inventory, or that never had one, and whose last
   * inventory (or creation) lies at or before `dueBeforeMs`. Oldest first.
   */
  listDueForInventory(dueBeforeMs: number, limit: number): Promise<VaultRow[]>;
}

export interface VaultWriter extends VaultReader {
  insert(vault: VaultRow): Promise<void>;
  /** Adds to the totals and counts one change of its contents. Answers the new `changes`. */
  recordChange(
    vaultId: string,
    change: {
      readonly archives: 1 | -1;
      readonly sizeBytes: number;
      readonly atMs: number;
    },
  ): Promise<number>;
  setLastInventory(vaultId: string, inventory: InventoryFacts): Promise<void>;
  /** Makes every vault one that was never inventoried. */
  clearLastInventories(): Promise<void>;
  /** Removes the vault's row and all its jobs. Its archives' rows must be marked removed before. */
  remove(vaultId: string): Promise<void>;
}

export interface ArchiveReader {
  /** Also of an archive that was removed: see `removedChange`. */
  get(archiveId: string): Promise<ArchiveRow | undefined>;
  /** The archive's bytes: its blobs in their order. Empty when there is no such archive. */
  blobs(archiveId: string): Promise<BlobPart[]>;
  /** In inventory order. */
  listForInventory(query: InventoryQuery): Promise<ArchiveRow[]>;
  /**
   * Removed archives that nobody needs any more: no job over them that is in progress, or that
   * succeeded and expires after `nowMs`; no inventory job in progress, and no last inventory of
   * their vault, that still shows them.
   */
  listForgettable(nowMs: number, limit: number): Promise<ArchiveRow[]>;
}

export interface ArchiveWriter extends ArchiveReader {
  /** The blobs' sizes add up to the archive's. */
  insert(archive: ArchiveRow, blobs: readonly BlobPart[]): Promise<void>;
  markRemoved(archiveId: string, removedChange: number): Promise<void>;
  /** Forgets a removed archive and its list of blobs. */
  forget(archiveId: string): Promise<void>;
}

export interface JobReader {
  get(jobId: string): Promise<JobRow | undefined>;
  /** Newest first. */
  list(query: JobQuery): Promise<JobRow[]>;
  /**
   * The earliest time at which a job in progress may begin or, where somebody holds it, may be taken
   * over; null if none.
   */
  nextDueAtMs(action: JobAction): Promise<number | null>;
  /** Jobs that expired at or before `nowMs`. */
  listExpired(nowMs: number, limit: number): Promise<JobRow[]>;
}

export interface JobWriter extends JobReader {
  insert(job: JobRow): Promise<void>;
  /** Replaces the row of the same `jobId`, and ends whatever lease lay on it. */
  update(job: JobRow): Promise<void>;
  remove(jobId: string): Promise<void>;
  /**
   * Takes up to `limit` jobs in progress that are due at `nowMs` and that nobody holds, oldest due
   * first: they are the caller's until `untilMs`, or until `update` or `releaseLeases`.
   */
  lease(claim: {
    readonly action: JobAction;
    readonly nowMs: number;
    readonly untilMs: number;
    readonly limit: number;
  }): Promise<JobRow[]>;
  /** Prolongs a lease. */
  extendLease(jobId: string, untilMs: number): Promise<void>;
  /** Gives every leased job back: for a server that has just started alone on its store. */
  releaseLeases(): Promise<void>;
}

export interface AccountReader {
  get(accountId: string): Promise<AccountRow | undefined>;
  list(): Promise<AccountRow[]>;
  accessKey(accessKeyId: string): Promise<AccessKeyRow | undefined>;
}

export interface AccountWriter extends AccountReader {
  insert(account: AccountRow): Promise<void>;
  insertAccessKey(accessKey: AccessKeyRow): Promise<void>;
  removeAccessKey(accessKeyId: string): Promise<void>;
}

/** Single facts about the store itself, by name: its id, the first account, secrets of its own. */
export interface FactReader {
  get(name: string): Promise<string | undefined>;
}

export interface FactWriter extends FactReader {
  set(name: string, value: string): Promise<void>;
}

/** Whether any row needs a blob. */
export interface BlobReferenceReader {
  isReferenced(blobId: BlobId): Promise<boolean>;
  /**
   * Whether the row of `owner` names the blob. Asked of that row, and not of what `isReferenced` looks
   * blobs up in: before bytes are given up both have to say no. Where the row names the blob and
   * `isReferenced` would deny it, the rows are damaged: rejects with `StoreUnavailable`, as does every
   * write from then on.
   */
  isNamedBy(
    owner: { readonly archiveId: string } | { readonly jobId: string },
    blobId: BlobId,
  ): Promise<boolean>;
}

export interface BlobReferenceWriter extends BlobReferenceReader {
  /** Puts `to` in the place of `from` in every row. Whether there was one. */
  repoint(from: BlobId, to: BlobId): Promise<boolean>;
}

/** When the bytes of archives were last read back, and what was found. */
export interface VerificationReader {
  /** Archives that are not forgotten, removed ones too, by ascending ordinal, strictly after. */
  list(query: {
    readonly afterOrdinal: number;
    readonly limit: number;
  }): Promise<VerifiableArchive[]>;
  get(archiveId: string): Promise<VerificationRow | undefined>;
  /**
   * Archives in their vaults in which the last reading found damage, by ascending ordinal. Looks at
   * no others.
   */
  listDamaged(limit: number): Promise<VerifiableArchive[]>;
  /** Of the archives that are in their vaults. Looks at all of them. */
  summarise(): Promise<VerificationSummary>;
}

export interface VerificationWriter extends VerificationReader {
  /** Replaces what was noted of these archives. One that was forgotten meanwhile is passed over. */
  note(ordinals: readonly number[], verification: VerificationRow): Promise<void>;
}
