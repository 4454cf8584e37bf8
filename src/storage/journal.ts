/** Changes of rows that were committed together. */
export interface JournalBatch {
  /** 1, 2, 3, … without gaps, as long as nothing was lost. */
  readonly sequence: number;
  /** Opaque to the journal. */
  readonly payload: Uint8Array;
}

/** A stretch of the journal that is damaged or missing: batches between two, or at the end, are lost. */
export interface JournalDamage {
  readonly damage: string;
}

/**
 * Every change of the rows since some snapshot, in order, so that a database that is lost or behind
 * can be made again, exactly.
 *
 * 1. A batch exists once `append` has resolved; no crash loses it from then on. One whose `append`
 *    did not end, because of a crash, is there whole or not at all.
 * 2. An `append` that rejects leaves nothing behind: its sequence number may be used again. But after
 *    a sync that failed every `append` rejects with `StoreUnavailable` until the journal is opened
 *    again, and then the batch may be there.
 */
export interface Journal extends AsyncDisposable {
  /** The sequence number of the last intact batch; 0 when there is none. */
  readonly lastSequence: number;
  /** How much it holds since the last `forget`, about: what a rebuild would have to read. */
  readonly sizeBytes: number;

  /**
   * `sequence` is above that of every batch before. One after the other: the next may begin when this
   * one has ended. Rejects with `StoreFull` or `StoreUnavailable`.
   */
  append(batch: JournalBatch): Promise<void>;

  /** What there is of the batches after `sequence`, in order, and where something is wrong. */
  read(afterSequence: number): AsyncIterable<JournalBatch | JournalDamage>;

  /** Gives back the room of batches up to `throughSequence`, as far as that is easily done. */
  forget(throughSequence: number): Promise<void>;
}
