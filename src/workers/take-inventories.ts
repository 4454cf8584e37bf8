import { encodeBlobLabel } from '../domain/blob-labels.ts';
import { InventoryOutput } from '../domain/inventories.ts';
import { parseInventoryDate } from '../domain/inventory-dates.ts';
import { sealInventoryMarker } from '../domain/job-markers.ts';
import type { Jobs } from '../domain/jobs.ts';
import type { Markers } from '../domain/markers.ts';
import { commitBlobs } from '../domain/new-blobs.ts';
import type { Pins } from '../domain/pins.ts';
import { defined } from '../lib/assert.ts';
import type { Bell } from '../lib/bell.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { TimeBounds } from '../lib/time-bounds.ts';
import { vaultArn } from '../protocol/names.ts';
import type { BlobStore, StoredBlob } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { JobRow, VaultRow } from '../storage/rows.ts';
import { waitForBellOrTime } from './waiting.ts';
import type { Worker } from './worker.ts';

/** How long a job is ours before somebody else may take it over. Rendering prolongs it. */
const leaseMs = 5 * 60 * 1000;
/** How many jobs that could not be done yet are kept at hand; until some are, no more are taken. */
const unfinishedMax = 8;

export interface TakeInventoriesOptions {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly jobs: Jobs;
  readonly markers: Markers;
  readonly pins: Pins;
  readonly clock: Clock;
  readonly timeBounds: TimeBounds;
  readonly log: Log;
  readonly arrivals: Bell;
}

/**
 * Does inventory jobs that are due: renders the vault's contents as of the change that the job names
 * into a blob, once, so that every download of it has the same bytes. A job that could not be done
 * just now is tried again after the others.
 */
export class TakeInventories implements Worker {
  readonly name = 'take-inventories';
  readonly #options: TakeInventoriesOptions;
  #unfinished: readonly JobRow[] = [];

  constructor(options: TakeInventoriesOptions) {
    this.#options = options;
  }

  async step(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const { store } = this.#options;
    const job = (await this.#takeDueJob()) ?? this.#unfinished[0];
    if (job === undefined) return 'idle';
    this.#unfinished = this.#unfinished.filter(({ jobId }) => jobId !== job.jobId);
    let isOver = false;
    try {
      const vault = await store.read(({ vaults }) => vaults.getById(job.vaultId));
      // Without its vault the job is gone too, and nobody can ask for it.
      if (vault !== undefined) await this.#render(job, vault, signal);
      isOver = true;
    } finally {
      if (!isOver) this.#unfinished = [...this.#unfinished, job];
    }
    return 'busy';
  }

  async wake(signal: AbortSignal): Promise<void> {
    const { store, arrivals, clock, timeBounds } = this.#options;
    const dueAtMs = await store.read(({ jobs }) => jobs.nextDueAtMs('InventoryRetrieval'));
    const waitMs = dueAtMs === null ? null : dueAtMs - timeBounds.latest();
    await waitForBellOrTime({ bell: arrivals, clock, waitMs, signal });
  }

  async #takeDueJob(): Promise<JobRow | undefined> {
    if (this.#unfinished.length >= unfinishedMax) return undefined;
    const { store, timeBounds } = this.#options;
    const nowMs = timeBounds.latest();
    const action = 'InventoryRetrieval';
    const [job] = await store.write(({ jobs }) =>
      jobs.lease({ action, nowMs, untilMs: nowMs + leaseMs, limit: 1 }),
    );
    return job;
  }

  async #render(job: JobRow, vault: VaultRow, signal: AbortSignal): Promise<void> {
    const { store, blobs, pins } = this.#options;
    const inventory = defined(job.inventory, 'what an inventory job shows');
    const output = new InventoryOutput(store, {
      vaultArn: vaultArn(vault),
      inventoryDateMs: inventory.inventoryDateMs,
      format: inventory.format,
      query: {
        vaultId: vault.vaultId,
        asOfChange: inventory.asOfChange,
        createdFromMs: timeOf(inventory.startDate),
        createdBeforeMs: timeOf(inventory.endDate),
        after: inventory.after,
        limit: inventory.limit === null ? null : Number(inventory.limit),
      },
    });
    const { jobId, vaultId } = job;
    const blob = await blobs.write(this.#prolonging(job, output.bytes()), {
      signal,
      label: () => encodeBlobLabel({ kind: 'inventory', jobId, vaultId }),
    });
    await commitBlobs([blob.id], { blobs, pins }, async () =>
      (await this.#succeed(job, output, blob)) ? [blob.id] : [],
    );
  }

  /** Whether the job was still there to succeed. */
  async #succeed(job: JobRow, { endedAt }: InventoryOutput, blob: StoredBlob): Promise<boolean> {
    const { jobs, markers, log } = this.#options;
    const { jobId, vaultId } = job;
    const { sizeBytes } = blob;
    const hasSucceeded = await jobs.succeed(jobId, {
      output: { blobId: blob.id, sizeBytes },
      nextMarker: endedAt === null ? null : sealInventoryMarker(markers, vaultId, endedAt),
    });
    if (hasSucceeded) log.info('job.succeeded', { jobId, sizeBytes });
    return hasSucceeded;
  }

  /**
   * Hands the bytes on, and keeps the job ours however long that takes. From the first ones on: of
   * the lease of a job that is tried again some has passed.
   */
  async *#prolonging(job: JobRow, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { store, clock, timeBounds } = this.#options;
    let prolongAtMs = clock.elapsedMs();
    for await (const chunk of source) {
      if (clock.elapsedMs() >= prolongAtMs) {
        const untilMs = timeBounds.latest() + leaseMs;
        await store.write(({ jobs }) => jobs.extendLease(job.jobId, untilMs));
        prolongAtMs = clock.elapsedMs() + leaseMs / 2;
      }
      yield chunk;
    }
  }
}

function timeOf(date: string | null): number | null {
  return date === null ? null : parseInventoryDate(date);
}
