import { type Pins, pinGraceMs } from '../domain/pins.ts';
import type { Bell } from '../lib/bell.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { TimeBounds } from '../lib/time-bounds.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { Worker } from './worker.ts';

const jobsPerStep = 100;
const intervalMs = 60_000;

export interface ExpireJobsOptions {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly pins: Pins;
  readonly clock: Clock;
  readonly timeBounds: TimeBounds;
  readonly log: Log;
  /** Rung when archives may have become free to be forgotten. */
  readonly removals: Bell;
  /** Rung by this worker when it removed blobs. */
  readonly freed: Bell;
}

/**
 * Removes jobs that expired, and the outputs of their inventories. An output that somebody is
 * reading to its end is left to the sweeper of orphans.
 */
export class ExpireJobs implements Worker {
  readonly name = 'expire-jobs';
  readonly #options: ExpireJobsOptions;

  constructor(options: ExpireJobsOptions) {
    this.#options = options;
  }

  async step(): Promise<'busy' | 'idle'> {
    const { store, timeBounds, log, removals, freed } = this.#options;
    const expiredByMs = timeBounds.earliest() - pinGraceMs;
    const expired = await store.read(({ jobs }) => jobs.listExpired(expiredByMs, jobsPerStep));
    for (const { jobId } of expired) {
      await this.#expire(jobId);
      log.info('job.expired', { jobId });
    }
    if (expired.length > 0) {
      removals.ring();
      freed.ring();
    }
    return expired.length === jobsPerStep ? 'busy' : 'idle';
  }

  async #expire(jobId: string): Promise<void> {
    const { store, blobs, pins } = this.#options;
    const output = await store.write(async ({ jobs }) => {
      // Looked up again: it may have been moved since it was listed.
      const job = await jobs.get(jobId);
      await jobs.remove(jobId);
      return job?.output ?? null;
    });
    if (output !== null && !pins.isHeld(output.blobId)) await blobs.remove(output.blobId);
  }

  async wake(signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(intervalMs, signal);
  }
}
