import { InventoryOutput } from '../domain/inventories.ts';
import { parseInventoryDate } from '../domain/inventory-dates.ts';
import { inventoryScope, type Jobs } from '../domain/jobs.ts';
import type { Markers } from '../domain/markers.ts';
import { defined } from '../lib/assert.ts';
import type { Bell } from '../lib/bell.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { vaultArn } from '../protocol/names.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { JobRow, VaultRow } from '../storage/rows.ts';
import { waitForBellOrTime } from './waiting.ts';
import type { Worker } from './worker.ts';

const leaseMs = 5 * 60 * 1000;

export interface TakeInventoriesOptions {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly jobs: Jobs;
  readonly markers: Markers;
  readonly clock: Clock;
  readonly log: Log;
  readonly arrivals: Bell;
}

/**
 * Does inventory jobs that are due: renders the vault's contents as of the change that the job names
 * into a blob, once, so that every download of it has the same bytes.
 */
export class TakeInventories implements Worker {
  readonly name = 'take-inventories';
  readonly #options: TakeInventoriesOptions;

  constructor(options: TakeInventoriesOptions) {
    this.#options = options;
  }

  async step(signal: AbortSignal): Promise<'busy' | 'idle'> {
    const { store, clock } = this.#options;
    const nowMs = clock.now();
    const action = 'InventoryRetrieval';
    const [job] = await store.write(({ jobs }) =>
      jobs.lease({ action, nowMs, untilMs: nowMs + leaseMs, limit: 1 }),
    );
    if (job === undefined) return 'idle';
    const vault = await store.read(({ vaults }) => vaults.getById(job.vaultId));
    // Without its vault the job is gone too, and nobody can ask for it.
    if (vault !== undefined) await this.#render(job, vault, signal);
    return 'busy';
  }

  async wake(signal: AbortSignal): Promise<void> {
    const { store, arrivals, clock } = this.#options;
    const dueAtMs = await store.read(({ jobs }) => jobs.nextDueAtMs('InventoryRetrieval'));
    await waitForBellOrTime({ bell: arrivals, clock, dueAtMs, signal });
  }

  async #render(job: JobRow, vault: VaultRow, signal: AbortSignal): Promise<void> {
    const { store, blobs, jobs, markers, log } = this.#options;
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
    const blob = await blobs.write(this.#prolonging(job, output.bytes()), signal);
    const { endedAt } = output;
    const nextMarker =
      endedAt === null
        ? null
        : markers.seal(inventoryScope(vault.vaultId), [endedAt.createdAtMs, endedAt.archiveId]);
    const wasThere = await jobs.succeed(job.jobId, {
      output: { blobId: blob.id, sizeBytes: blob.sizeBytes },
      nextMarker,
    });
    if (wasThere) log.info('job.succeeded', { jobId: job.jobId, sizeBytes: blob.sizeBytes });
    else await blobs.remove(blob.id);
  }

  /** Hands the bytes on, and keeps the job ours however long that takes. */
  async *#prolonging(job: JobRow, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { store, clock } = this.#options;
    let prolongAtMs = clock.now() + leaseMs / 2;
    for await (const chunk of source) {
      if (clock.now() >= prolongAtMs) {
        await store.write(({ jobs }) => jobs.extendLease(job.jobId, clock.now() + leaseMs));
        prolongAtMs = clock.now() + leaseMs / 2;
      }
      yield chunk;
    }
  }
}

function timeOf(date: string | null): number | null {
  return date === null ? null : parseInventoryDate(date);
}
