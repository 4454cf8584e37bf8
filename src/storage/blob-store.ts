/** Names a blob. Made by a store, unguessable, opaque to everyone else: `A–Z a–z 0–9 - _ .` only. */
export type BlobId = string & { readonly brand: 'BlobId' };

/**
 * A blob is cut into frames of this many bytes; the last may be shorter. A frame is the leaf of the
 * SHA-256 tree hash, and the unit of verification and of range reads.
 */
export const frameSizeBytes = 1024 * 1024;

/** What a store knows of a blob that it has just made durable. */
export interface StoredBlob {
  readonly id: BlobId;
  readonly sizeBytes: number;
  /** The SHA-256 of each frame, 32 bytes each, one after the other. */
  readonly leaves: Uint8Array;
}

/** What the bytes of a blob came to, once all of them are there. */
export type BlobContent = Omit<StoredBlob, 'id'>;

export interface BlobWriting {
  /**
   * Called once, when `source` has ended: answers the label, a text that is kept with the blob and
   * says what it is, so that rows can be made again from blobs alone. At most `labelBytesMax` as
   * UTF-8. What it throws is what the write rejects with: nothing is kept then.
   */
  readonly label: (content: BlobContent) => string;
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether a store that is full takes it all the same, of what it keeps free for deletions. For what
   * is as good as nothing, and keeps what is there: a blob of a few kilobytes.
   */
  readonly mayUseReserve?: boolean;
}

export const labelBytesMax = 16 * 1024;

/** What is kept with the bytes of a blob. */
export interface BlobDescription extends BlobContent {
  readonly label: string;
  readonly writtenAtMs: number;
}

/** Whether a store takes writes: `full` refuses what is new, `failed` refuses everything. */
export type StoreCondition = 'ready' | 'full' | 'failed';

/** What a listing tells of a blob. */
export interface ListedBlob {
  readonly id: BlobId;
  readonly sizeBytes: number;
  /** When its write began, or later, in milliseconds since 1970: what a grace period counts from. */
  readonly writtenAtMs: number;
}

/** A run of bytes in a blob, or in a list of blobs. */
export interface BlobRange {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/**
 * Keeps immutable runs of bytes. Knows nothing of archives, vaults or accounts.
 *
 * 1. A blob exists once `write` has resolved: from then on no crash loses it. Of one whose `write` did
 *    not end, a crash leaves all or nothing, under an id that nobody was told.
 * 2. Its bytes never change. It goes when `remove` is called; removing an absent blob is fine.
 * 3. Every frame is verified before any of its bytes is handed on.
 * 4. A write that fails, or is aborted, leaves nothing readable and gives its space back.
 * 5. After a sync that failed, every write fails with `StoreUnavailable` until the store is opened
 *    again; reads go on.
 */
export interface BlobStore extends AsyncDisposable {
  /**
   * Resolves when every byte of `source` is durable. `source` may be empty, and may cut its bytes
   * as it likes; it is consumed as fast as the store can take it and never held whole in memory. A
   * chunk belongs to the store once it was yielded: its source must not use it any more, and may
   * find its memory taken away.
   *
   * Rejects with what `source` threw, with the signal's reason when that is aborted, with
   * `StoreFull` when there is no room, with `StoreUnavailable` when the store can't write. `source`
   * has then been closed (`return` was called), as it is after success.
   */
  write(source: AsyncIterable<Uint8Array>, writing: BlobWriting): Promise<StoredBlob>;

  /**
   * Yields the bytes of `range` in order, in chunks of at most a frame. A chunk is good until the
   * next one is asked for; its memory is used again then. Throws `BlobNotFound` when
   * there is no such blob, `BlobCorrupt` before the first byte of a frame that fails its
   * verification, and an assertion when `range` does not lie in the blob.
   */
  read(id: BlobId, range: BlobRange, signal?: AbortSignal): AsyncIterable<Uint8Array>;

  /** What was kept with the blob, its leaf hashes as `write` returned them. Throws as `read` does. */
  describe(id: BlobId): Promise<BlobDescription>;

  /** Resolves when the blob is gone for good: no crash brings it back. */
  remove(id: BlobId): Promise<void>;

  /**
   * Every blob that existed when the listing began, in no order; those that are written or removed
   * meanwhile may be missing or listed.
   */
  list(signal?: AbortSignal): AsyncIterable<ListedBlob>;

  /**
   * Rejects with `StoreFull` when nothing new may be begun, blob or row, since what room is left is
   * kept for deletions; with `StoreUnavailable` when nothing can be written at all.
   */
  checkRoom(): Promise<void>;

  readonly condition: StoreCondition;
}
