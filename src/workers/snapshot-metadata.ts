import type { Clock } from '../lib/clock.ts';
import type { SnapshotTaker } from '../storage/snapshot-taker.ts';
import type { Worker } from './worker.ts';

const intervalMs = 10_000;

export interface SnapshotMetadataOptions {
  readonly snapshotTaker: SnapshotTaker;
  readonly clock: Clock;
}

/**
 * Has a copy of the rows taken whenever one is due, so that a lost database is soon made again: from
 * the copy, and the little that was journalled since.
 */
export class SnapshotMetadata implements Worker {
  readonly name = 'snapshot-metadata';
  readonly #options: SnapshotMetadataOptions;

  constructor(options: SnapshotMetadataOptions) {
    this.#options = options;
  }

  async step(signal: AbortSignal): Promise<'busy' | 'idle'> {
    signal.throwIfAborted();
    const { snapshotTaker } = this.#options;
    // Never `busy`: one that can't be taken for want of room stays due, and is tried at the next look.
    if (await snapshotTaker.isSnapshotDue()) await snapshotTaker.takeSnapshot(signal);
    return 'idle';
  }

  async wake(signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(intervalMs, signal);
  }
}
