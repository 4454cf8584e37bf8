import type { Pins } from '../domain/pins.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { BlobId, BlobStore, ListedBlob } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { Worker } from './worker.ts';

const blobsPerStep = 1000;
/** Suspects that one round remembers; the rest is found in a later one. */
const suspectsMax = 10_000;
/** Between a blob's becoming durable and its row's lies one transaction. This is far longer. */
const graceMs = 60 * 60 * 1000;
const roundIntervalMs = 60 * 60 * 1000;

export interface SweepOrphansOptions {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly pins: Pins;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Removes blobs that no row names: what a crash left between the bytes and their row. A blob is
 * removed only when it was found without a row twice, the grace period apart.
 */
export class SweepOrphans implements Worker {
  readonly name = 'sweep-orphans';
  readonly #options: SweepOrphansOptions;
  #round: AsyncIterator<ListedBlob> | undefined;
  #suspects = new Map<BlobId, number>();
  #seenAgain = new Map<BlobId, number>();

  constructor(options: SweepOrphansOptions) {
    this.#options = options;
  }

  async step(signal: AbortSignal): Promise<'busy' | 'idle'> {
    this.#round ??= this.#options.blobs.list()[Symbol.asyncIterator]();
    for (let count = 0; count < blobsPerStep; count += 1) {
      signal.throwIfAborted();
      const next = await this.#round.next();
      if (next.done === true) {
        this.#round = undefined;
        this.#suspects = this.#seenAgain;
        this.#seenAgain = new Map();
        return 'idle';
      }
      await this.#look(next.value.id);
    }
    return 'busy';
  }

  async wake(signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(roundIntervalMs, signal);
  }

  async #look(id: BlobId): Promise<void> {
    const { store, blobs, pins, clock, log } = this.#options;
    if (pins.isHeld(id) || (await store.read((rows) => rows.blobs.isReferenced(id)))) return;
    const nowMs = clock.now();
    const suspectedAtMs = this.#suspects.get(id) ?? nowMs;
    if (nowMs - suspectedAtMs >= graceMs) {
      await blobs.remove(id);
      log.warn('blob.orphan-removed', { blobId: id });
    } else if (this.#seenAgain.size < suspectsMax) {
      this.#seenAgain.set(id, suspectedAtMs);
    }
  }
}
