import type { Pins } from '../domain/pins.ts';
import { isSuperseded } from '../domain/superseded-blobs.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { BlobId, BlobStore, ListedBlob } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { Worker } from './worker.ts';

const blobsPerStep = 1000;
/** A blob that was written so recently has, perhaps, a row that is about to be committed. */
const settlingMs = 60_000;
/** Orphans are few and take little room: there is time for somebody to notice that rows are gone. */
const graceMs = 7 * 24 * 60 * 60 * 1000;
/** Crashes do not leave more than this. Whoever finds more has lost rows, not found garbage. */
export const orphansMax = 100;
/** How many a round can remember, those included of which no row is missing. */
const foundMax = 1000;
const roundIntervalMs = 60 * 60 * 1000;

export interface SweepOrphansOptions {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly pins: Pins;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Removes blobs that no row names: what a crash left between the bytes and their row.
 *
 * 1. A blob is removed only when rounds found it without a row at two times, the grace period apart.
 * 2. A round looks at all blobs before anything is removed. When more than `orphansMax` have no row
 *    nothing is, and nothing of the round counts: the rows are missing, not the blobs too many. Not
 *    among them are copies too many, whose labels name rows that are there: of these a crash leaves
 *    as many as were being moved.
 */
export class SweepOrphans implements Worker {
  readonly name = 'sweep-orphans';
  readonly #options: SweepOrphansOptions;
  #round: Round | undefined;
  /** Blobs without a row, and when the first round found them so. */
  #suspects: ReadonlyMap<BlobId, number> = new Map();

  constructor(options: SweepOrphansOptions) {
    this.#options = options;
  }

  async step(signal: AbortSignal): Promise<'busy' | 'idle'> {
    this.#round ??= new Round(this.#options.blobs);
    const round = this.#round;
    try {
      if (!(await this.#lookOn(round, signal))) return 'busy';
    } catch (error) {
      // A round that missed blobs would count too few.
      this.#round = undefined;
      await round.abandon();
      throw error;
    }
    this.#round = undefined;
    await this.#conclude(round, signal);
    return 'idle';
  }

  async wake(signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(roundIntervalMs, signal);
  }

  /** Looks at the blobs that come next. Whether these were the last. */
  async #lookOn(round: Round, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    for (let count = 0; count < blobsPerStep; count += 1) {
      signal.throwIfAborted();
      const blob = await round.next();
      if (blob === undefined) return true;
      const nowMs = clock.now();
      if (nowMs - blob.writtenAtMs < settlingMs || !(await this.#isOrphan(blob.id))) continue;
      const isCopy = round.count <= orphansMax && (await this.#isCopyTooMany(blob.id));
      round.add(blob.id, { suspectedAtMs: this.#suspects.get(blob.id) ?? nowMs, isCopy });
    }
    return false;
  }

  async #conclude({ found, count }: Round, signal: AbortSignal): Promise<void> {
    const { blobs, clock, log } = this.#options;
    if (count > orphansMax) {
      this.#suspects = new Map();
      log.error('blobs.without-rows', { count });
      return;
    }
    const left = new Map(found);
    const newCount = [...found.keys()].filter((id) => !this.#suspects.has(id)).length;
    this.#suspects = left;
    if (newCount > 0) log.warn('blobs.suspected', { count: newCount });
    for (const [id, suspectedAtMs] of found) {
      signal.throwIfAborted();
      if (clock.now() - suspectedAtMs < graceMs) continue;
      // Looked at again: the round may have taken a while since.
      if (await this.#isOrphan(id)) {
        await blobs.remove(id);
        log.warn('blob.orphan-removed', { blobId: id });
      }
      left.delete(id);
    }
  }

  async #isCopyTooMany(id: BlobId): Promise<boolean> {
    try {
      return await isSuperseded(id, this.#options);
    } catch (error) {
      // What can't be told is counted as what it may be.
      if (isStoreError(error, 'BlobCorrupt') || isStoreError(error, 'BlobNotFound')) return false;
      throw error;
    }
  }

  async #isOrphan(id: BlobId): Promise<boolean> {
    const { store, pins } = this.#options;
    return !pins.isHeld(id) && !(await store.read((rows) => rows.blobs.isReferenced(id)));
  }
}

/** One look at all blobs. */
class Round {
  /** Blobs without a row, and when they were first found so. Not all if there are too many. */
  readonly found = new Map<BlobId, number>();
  /** How many there are of which the rows may be missing. */
  count = 0;
  readonly #blobs: AsyncIterator<ListedBlob>;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs.list()[Symbol.asyncIterator]();
  }

  async next(): Promise<ListedBlob | undefined> {
    const { done, value } = await this.#blobs.next();
    return done === true ? undefined : value;
  }

  add(id: BlobId, facts: { readonly suspectedAtMs: number; readonly isCopy: boolean }): void {
    if (!facts.isCopy) this.count += 1;
    if (this.found.size < foundMax) this.found.set(id, facts.suspectedAtMs);
  }

  async abandon(): Promise<void> {
    await this.#blobs.return?.();
  }
}
