import type { BlobId } from './blob-store.ts';
import type {
  AccessKeyRow,
  AccountRegion,
  AccountRow,
  ArchiveBlob,
  ArchiveRow,
  BlobPart,
  CapacityUnitRow,
  InventoryFacts,
  InventoryPage,
  InventoryQuery,
  JobAction,
  JobQuery,
  JobRow,
  NotedArchive,
  NotificationsRow,
  PartRow,
  RetrievalChargeRow,
  RetrievalPolicyRow,
  TagRow,
  UploadEnd,
  UploadPosition,
  UploadRow,
  VaultKey,
  VaultLockRow,
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
 *    opened again; then what they changed is there whole or not at all. Those that come later are
 *    refusals: see `StoreError`. Reads go on.
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
  /** Rejects with `StoreUnavailable` when every write is refused. */
  checkWritable(): Promise<void>;
}

/** What a reader sees. A row that is not there is `undefined`. */
export interface Rows {
  readonly vaults: VaultReader;
  readonly vaultSettings: VaultSettingsReader;
  readonly archives: ArchiveReader;
  readonly uploads: UploadReader;
  readonly jobs: JobReader;
  readonly retrievals: RetrievalReader;
  readonly capacity: CapacityReader;
  readonly accounts: AccountReader;
  readonly facts: FactReader;
  readonly blobs: BlobReferenceReader;
  readonly verifications: VerificationReader;
}

export interface WritableRows extends Rows {
  readonly vaults: VaultWriter;
  readonly vaultSettings: VaultSettingsWriter;
  readonly archives: ArchiveWriter;
  readonly uploads: UploadWriter;
  readonly jobs: JobWriter;
  readonly retrievals: RetrievalWriter;
  readonly capacity: CapacityWriter;
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
  /** How many there are, counted up to `countMax` and no further. */
  count(query: AccountRegion & { readonly countMax: number }): Promise<number>;
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
  /**
   * Removes the vault's row, all its jobs and all its settings. Its archives' rows must be marked
   * removed before; its uploads may be abandoned later.
   */
  remove(vaultId: string): Promise<void>;
}

/** What is set on a vault: tags, notifications, policies. They go with their vault. */
export interface VaultSettingsReader {
  /** By ascending byte value of the key. */
  tags(vaultId: string): Promise<TagRow[]>;
  notifications(vaultId: string): Promise<NotificationsRow | undefined>;
  /** The policy's text as it was given. */
  accessPolicy(vaultId: string): Promise<string | undefined>;
  lock(vaultId: string): Promise<VaultLockRow | undefined>;
  /** Vaults with a lock that expires at or before `nowMs`. */
  listExpiredLocks(nowMs: number, limit: number): Promise<string[]>;
}

/** `null` takes away what was set. */
export interface VaultSettingsWriter extends VaultSettingsReader {
  /** Adds tags; one whose key is there gets the new value. */
  putTags(vaultId: string, tags: readonly TagRow[]): Promise<void>;
  /** Keys that no tag has are passed over. */
  removeTags(vaultId: string, keys: readonly string[]): Promise<void>;
  setNotifications(vaultId: string, notifications: NotificationsRow | null): Promise<void>;
  setAccessPolicy(vaultId: string, policy: string | null): Promise<void>;
  setLock(vaultId: string, lock: VaultLockRow | null): Promise<void>;
}

export interface ArchiveReader {
  /** Also of an archive that was removed: see `removedChange`. */
  get(archiveId: string): Promise<ArchiveRow | undefined>;
  /**
   * The archive's bytes: its blobs in their order. Of one that was uploaded in parts, these come
   * first, then an empty blob whose label says what the archive is. Empty when there is no such
   * archive.
   */
  blobs(archiveId: string): Promise<ArchiveBlob[]>;
  /** In inventory order. Those that the inventory does not show cost a look, too. */
  listForInventory(query: InventoryQuery): Promise<InventoryPage>;
  /**
   * Removed archives that nobody needs any more: no job over them that is in progress, or that
   * succeeded and expires after `nowMs`; no inventory job in progress, and no last inventory of
   * their vault, that still shows them. In the same order each time, without the first `passedOver`.
   */
  listForgettable(nowMs: number, limit: number, passedOver?: number): Promise<ArchiveRow[]>;
}

export interface ArchiveWriter extends ArchiveReader {
  /** The blobs' sizes add up to the archive's. */
  insert(archive: ArchiveRow, blobs: readonly BlobPart[]): Promise<void>;
  /**
   * Adds an archive whose bytes are the parts of an upload, and whose label is that of the empty blob
   * `labelled`. The parts' sizes add up to the archive's. Takes hardly longer for many parts than for
   * one.
   */
  insertUploaded(archive: ArchiveRow, uploadId: string, labelled: BlobId): Promise<void>;
  markRemoved(archiveId: string, removedChange: number): Promise<void>;
  /** Forgets a removed archive and its list of blobs. Its upload, if it had one, is discarded then. */
  forget(archiveId: string): Promise<void>;
}

export interface UploadReader {
  /** Whatever its state. */
  get(uploadId: string): Promise<UploadRow | undefined>;
  /** Open uploads of a vault that were active after `idleSinceMs`, by creation time, then id. */
  list(query: {
    readonly vaultId: string;
    readonly idleSinceMs: number;
    /** Starts strictly after this place; null for the start. */
    readonly after: UploadPosition | null;
    readonly limit: number;
  }): Promise<UploadRow[]>;
  /** Parts of an upload by ascending index, strictly after `after` when that is given. */
  listParts(query: {
    readonly uploadId: string;
    readonly after: number | null;
    readonly limit: number;
  }): Promise<PartRow[]>;
  /** Open uploads that were last active at or before `idleSinceMs`, longest idle first. */
  listIdle(idleSinceMs: number, limit: number): Promise<UploadRow[]>;
  /**
   * Aborted and expired uploads that are not discarded yet, by the time of their end, then id,
   * strictly after `after` when that is given.
   */
  listToDiscard(query: {
    readonly after: UploadEnd | null;
    readonly limit: number;
  }): Promise<UploadRow[]>;
  /** Discarded uploads that ended at or before `endedByMs`, in the same order. */
  listOver(query: {
    readonly endedByMs: number;
    readonly after: UploadEnd | null;
    readonly limit: number;
  }): Promise<UploadRow[]>;
  /** Vaults that have no row, and uploads that are open. */
  listBereft(limit: number): Promise<string[]>;
}

export interface UploadWriter extends UploadReader {
  insert(upload: UploadRow): Promise<void>;
  /** Replaces the row of the same `uploadId`. */
  update(upload: UploadRow): Promise<void>;
  /** Notes that something was done to the upload; no sooner than what was noted before. */
  touch(uploadId: string, atMs: number): Promise<void>;
  /** Puts a part in its place, and answers the blob of the one that was there. Touches the upload. */
  putPart(uploadId: string, part: PartRow, atMs: number): Promise<BlobId | null>;
  /** Parts that are not there are passed over. */
  removeParts(uploadId: string, indexes: readonly number[]): Promise<void>;
  /** Makes open uploads of a vault aborted ones: up to `limit`, oldest first. Answers how many. */
  abandon(vaultId: string, atMs: number, limit: number): Promise<number>;
  /** Forgets an upload that is discarded. */
  remove(uploadId: string): Promise<void>;
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

/** What limits retrievals, and what counts against it. Sums are exact, however large. */
export interface RetrievalReader {
  policy(of: AccountRegion): Promise<RetrievalPolicyRow | undefined>;
  /**
   * Bytes per hour of the Standard retrievals that count at `nowMs`: a quarter of the size of each,
   * rounded up. Those count that were begun at or before `nowMs` and end after it, and those whose job
   * was due by then and is in progress still.
   */
  standardRate(of: AccountRegion, nowMs: number): Promise<bigint>;
  /** Bytes of the Standard retrievals that were begun from `sinceMs` to `nowMs`, both included. */
  standardSizeBytes(
    of: AccountRegion,
    query: { readonly sinceMs: number; readonly nowMs: number },
  ): Promise<bigint>;
  /** How many Expedited retrievals of a kind were begun after `sinceMs`, and not after `nowMs`. */
  countExpedited(
    of: AccountRegion,
    query: { readonly sinceMs: number; readonly nowMs: number; readonly isProvisioned: boolean },
  ): Promise<number>;
}

export interface RetrievalWriter extends RetrievalReader {
  setPolicy(of: AccountRegion, policy: RetrievalPolicyRow): Promise<void>;
  insertCharge(charge: RetrievalChargeRow): Promise<void>;
  /**
   * Forgets up to `limit` charges that were begun before `begunBeforeMs` and no longer count at
   * `nowMs`, or that were begun after `begunAfterMs`, and whose job is not in progress. Answers how
   * many.
   */
  forgetCharges(query: {
    readonly begunBeforeMs: number;
    /** A time in the future: whoever began them believed a clock that was wrong. */
    readonly begunAfterMs: number;
    readonly nowMs: number;
    readonly limit: number;
  }): Promise<number>;
}

export interface CapacityReader {
  /** Units of an account and region that expire after `nowMs`, latest start first. */
  list(of: AccountRegion, nowMs: number): Promise<CapacityUnitRow[]>;
}

export interface CapacityWriter extends CapacityReader {
  insert(unit: CapacityUnitRow): Promise<void>;
  /** Forgets units that expired at or before `nowMs`. */
  forgetExpired(nowMs: number): Promise<void>;
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

/** Who may name a blob; an upload names its parts also after it has become an archive. */
export type BlobOwner =
  | { readonly archiveId: string }
  | { readonly uploadId: string }
  | { readonly jobId: string };

/** Whether any row needs a blob. */
export interface BlobReferenceReader {
  isReferenced(blobId: BlobId): Promise<boolean>;
  /**
   * Whether the row of `owner` names the blob. Asked of that row, and not of what `isReferenced` looks
   * blobs up in: before bytes are given up both have to say no. Where the row names the blob and
   * `isReferenced` would deny it, the rows are damaged: rejects with `StoreUnavailable`, as does every
   * write from then on.
   */
  isNamedBy(owner: BlobOwner, blobId: BlobId): Promise<boolean>;
}

export interface BlobReferenceWriter extends BlobReferenceReader {
  /** Puts `to` in the place of `from` in every row. Whether there was one. */
  repoint(from: BlobId, to: BlobId): Promise<boolean>;
}

/** When the bytes of archives were last read back, and what was found. */
export interface VerificationReader {
  /**
   * Archives that are not forgotten, removed ones too, by ascending ordinal, strictly after. Fewer than
   * `limit` where they have very many blobs, but at least one while there is one.
   */
  list(query: {
    readonly afterOrdinal: number;
    readonly limit: number;
  }): Promise<VerifiableArchive[]>;
  get(archiveId: string): Promise<VerificationRow | undefined>;
  /**
   * Archives in their vaults in which the last reading found damage, by ascending ordinal. Looks at
   * no others.
   */
  listDamaged(limit: number): Promise<NotedArchive[]>;
  /** Of the archives that are in their vaults. Looks at all of them. */
  summarise(): Promise<VerificationSummary>;
}

export interface VerificationWriter extends VerificationReader {
  /** Replaces what was noted of these archives. One that was forgotten meanwhile is passed over. */
  note(ordinals: readonly number[], verification: VerificationRow): Promise<void>;
}
