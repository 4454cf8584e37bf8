/** Copies the rows to where they are safe from the loss of the database, from time to time. */
export interface SnapshotTaker {
  /** Whether a copy should be taken now: see the implementation for when. */
  isSnapshotDue(): Promise<boolean>;

  /**
   * Takes a copy while transactions go on, and lets go of what it makes superfluous. Resolves
   * without one when there is no room for it, which is told to the log. Rejects with the signal's
   * reason when that is aborted.
   */
  takeSnapshot(signal: AbortSignal): Promise<void>;
}

/** Hears that a copy is wanted, since what the rows could be made again from is damaged. */
export interface SnapshotRequests {
  /** Makes one due. */
  askForSnapshot(): void;
}
