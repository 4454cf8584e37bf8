/** A copy of all rows as they were after a batch of the journal. */
export interface Snapshot {
  readonly name: string;
  /** The last batch of the journal that it contains. */
  readonly sequence: number;
  readonly takenAtMs: number;
  readonly sizeBytes: number;
}

/**
 * Keeps copies of the database beside the blobs.
 *
 * 1. A snapshot exists once `write` has resolved; no crash loses it from then on, and none leaves
 *    half of one to be listed.
 * 2. What `read` yields is verified.
 */
export interface Snapshots {
  /** Newest first. Those whose headers are damaged are left out, and reported to the log, once. */
  list(): Promise<Snapshot[]>;
  /** The names of those that are left out. They take room until they are removed. */
  damaged(): Promise<string[]>;
  write(source: AsyncIterable<Uint8Array>, sequence: number): Promise<Snapshot>;
  /** Throws `BlobCorrupt` before the first damaged byte. */
  read(name: string): AsyncIterable<Uint8Array>;
  /** Also one that is damaged. */
  remove(name: string): Promise<void>;
}
