/**
 * A loop that does a little at a time, so that it can be watched, paused and stopped. A step is
 * small, can be repeated after a crash, and does no harm when it is.
 */
export interface Worker {
  readonly name: string;

  /**
   * Does one small step. `busy`: call again. `idle`: nothing to do until `wake` resolves. Rejects
   * with the signal's reason when it is aborted.
   */
  step(signal: AbortSignal): Promise<'busy' | 'idle'>;

  /** Resolves when there may be something to do. Rejects with the signal's reason. */
  wake(signal: AbortSignal): Promise<void>;
}
