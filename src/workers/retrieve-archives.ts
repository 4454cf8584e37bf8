import type { Jobs } from '../domain/jobs.ts';
import type { Bell } from '../lib/bell.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { reasonText } from '../lib/reason-text.ts';
import type { TimeBounds } from '../lib/time-bounds.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { JobRow } from '../storage/rows.ts';
import { createVerification, type Verification } from './verification.ts';
import { waitForBellOrTime } from './waiting.ts';
import type { Worker } from './worker.ts';

/** How many retrievals are under way at once; each step takes one of them a slice further. */
const retrievalsMax = 8;
/** How long a retrieval is ours before somebody else may take it over. A slice prolongs it. */
const leaseMs = 5 * 60 * 1000;

/** How long after a failure a retrieval is tried again. */
const retryMs = 30 * 1000;

interface Running {
  readonly job: JobRow;
  readonly verification: Verification;
}

export interface RetrieveArchivesOptions {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly timeBounds: TimeBounds;
  readonly log: Log;
  readonly arrivals: Bell;
}

/**
 * Does archive retrievals that are due: reads all the bytes once and verifies them, so that
 * `Succeeded` means that they are there and right. Several go on side by side, a slice each in
 * turn, so that a large archive does not hold up small ones.
 */
export class RetrieveArchives implements Worker {
  readonly name = 'retrieve-archives';
  readonly #options: RetrieveArchivesOptions;
  readonly #running: Running[] = [];

  constructor(options: RetrieveArchivesOptions) {
    this.#options = options;
  }

  async step(signal: AbortSignal): Promise<'busy' | 'idle'> {
    if (this.#running.length < retrievalsMax) await this.#takeDueJobs();
    const current = this.#running.shift();
    if (current === undefined) return 'idle';
    try {
      await this.#advance(current, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      await this.#postpone(current.job.jobId, error);
    }
    return 'busy';
  }

  async wake(signal: AbortSignal): Promise<void> {
    const { store, arrivals, clock, timeBounds } = this.#options;
    const dueAtMs = await store.read(({ jobs }) => jobs.nextDueAtMs('ArchiveRetrieval'));
    const waitMs = dueAtMs === null ? null : dueAtMs - timeBounds.latest();
    await waitForBellOrTime({ bell: arrivals, clock, waitMs, signal });
  }

  async #takeDueJobs(): Promise<void> {
    const { store, blobs, timeBounds } = this.#options;
    const limit = retrievalsMax - this.#running.length;
    const nowMs = timeBounds.latest();
    const action = 'ArchiveRetrieval';
    const taken = await store.write(({ jobs }) =>
      jobs.lease({ action, nowMs, untilMs: nowMs + leaseMs, limit }),
    );
    for (const job of taken) {
      // One whose lease ran out while the store could not be read comes back to us.
      if (this.#running.some((one) => one.job.jobId === job.jobId)) continue;
      this.#running.push({ job, verification: createVerification(store, blobs, job) });
    }
  }

  /** Takes a retrieval one slice further. */
  async #advance(current: Running, signal: AbortSignal): Promise<void> {
    const outcome = await current.verification.advance(signal);
    if (outcome.kind === 'unfinished') {
      await this.#prolong(current.job.jobId);
      this.#running.push(current);
    } else {
      await this.#end(current.job, outcome);
    }
  }

  /** Gives the place of a retrieval that can't be done just now to others, until it is tried again. */
  async #postpone(jobId: string, error: unknown): Promise<void> {
    const { store, timeBounds, log } = this.#options;
    log.warn('job.postponed', { jobId, error, retryMs });
    await store.write(({ jobs }) => jobs.extendLease(jobId, timeBounds.latest() + retryMs));
  }

  async #prolong(jobId: string): Promise<void> {
    const { store, timeBounds } = this.#options;
    await store.write(({ jobs }) => jobs.extendLease(jobId, timeBounds.latest() + leaseMs));
  }

  async #end(
    { jobId, retrieval, vaultId }: JobRow,
    outcome: { readonly kind: 'verified' } | { readonly kind: 'failed'; readonly reason: unknown },
  ): Promise<void> {
    const { jobs, log } = this.#options;
    // A job that went away with its vault has no end that anybody could ask for.
    if (outcome.kind === 'verified') {
      if (await jobs.succeed(jobId)) log.info('job.succeeded', { jobId });
    } else if (await jobs.fail(jobId)) {
      const reason = reasonText(outcome.reason);
      log.error('job.failed', { jobId, archiveId: retrieval?.archiveId, vaultId, reason });
    }
  }
}
