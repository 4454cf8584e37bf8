import { type Pins, pinGraceMs } from '../domain/pins.ts';
import type { Bell } from '../lib/bell.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { TimeBounds } from '../lib/time-bounds.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { JobRow } from '../storage/rows.ts';
import { removeBlobs } from './remove-blobs.ts';
import type { Worker } from './worker.ts';

const jobsPerStep = 100;
/** A crash leaves as many blobs without a row: far fewer than the sweeper of orphans believes in. */
const outputsPerWrite = 10;
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
 * reading to its end is left to the sweeper of orphans, as is what a crash leaves.
 */
export class ExpireJobs implements Worker {
  readonly name = 'expire-jobs';
  readonly #options: ExpireJobsOptions;

  constructor(options: ExpireJobsOptions) {
    this.#options = options;
  }

  async step(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const { store, timeBounds } = this.#options;
    const expiredByMs = timeBounds.earliest() - pinGraceMs;
    const expired = await store.read(({ jobs }) => jobs.listExpired(expiredByMs, jobsPerStep));
    for (const jobs of groupsOf(expired)) {
      signal.throwIfAborted();
      await this.#expire(jobs);
    }
    return expired.length === jobsPerStep ? 'busy' : 'idle';
  }

  /** Removes jobs by one write, then their outputs. */
  async #expire(listed: readonly JobRow[]): Promise<void> {
    const { blobs, pins, log, removals, freed } = this.#options;
    const removed = await this.#removeRows(listed);
    for (const { jobId } of removed) log.info('job.expired', { jobId });
    const outputs = removed.flatMap(({ output }) => (output === null ? [] : [output.blobId]));
    const { failure } = await removeBlobs(
      blobs,
      outputs.filter((blobId) => !pins.isHeld(blobId)),
    );
    removals.ring();
    freed.ring();
    if (failure !== undefined) throw failure.error;
  }

  /** Answers the jobs as they were in the end: an output may have been moved since it was listed. */
  #removeRows(listed: readonly JobRow[]): Promise<JobRow[]> {
    return this.#options.store.write(async ({ jobs }) => {
      const removed: JobRow[] = [];
      for (const { jobId } of listed) {
        const job = await jobs.get(jobId);
        // It went with its vault.
        if (job === undefined) continue;
        await jobs.remove(jobId);
        removed.push(job);
      }
      return removed;
    });
  }

  async wake(signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(intervalMs, signal);
  }
}

/** Jobs to be removed together: all that have no output of their own, and a few at a time that have. */
function groupsOf(jobs: readonly JobRow[]): readonly (readonly JobRow[])[] {
  const [plain, rest] = [
    jobs.filter(({ output }) => output === null),
    jobs.filter(({ output }) => output !== null),
  ];
  const groups = plain.length > 0 ? [plain] : [];
  for (let at = 0; at < rest.length; at += outputsPerWrite) {
    groups.push(rest.slice(at, at + outputsPerWrite));
  }
  return groups;
}
