import { commitBlobs, removeQuietly } from '../domain/new-blobs.ts';
import { type Pins, pinGraceMs } from '../domain/pins.ts';
import { isSuperseded } from '../domain/superseded-blobs.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { BlobId, BlobStore, ListedBlob } from '../storage/blob-store.ts';
import type { Compaction } from '../storage/compaction.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import { orphansMax } from './sweep-orphans.ts';

/**
 * How many blobs a step deals with. They are copied at the same time, so that they share syncs, and
 * repointed together.
 */
const blobsPerBatch = 200;
/** How long after what hindered it a segment is tried again. */
const hinderedRestMs = 60 * 60 * 1000;

export interface SegmentVisitOptions {
  readonly compaction: Compaction;
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly pins: Pins;
  readonly clock: Clock;
  readonly log: Log;
}

/** A blob that no row names any more, or none did. */
interface Leftover {
  readonly sinceMs: number;
  /** Whether it was moved, so that there is no need to ask what it is. */
  readonly isMoved: boolean;
}

type Judgement = 'superfluous' | 'orphan' | 'unreadable' | 'gone';

interface Copy {
  readonly from: BlobId;
  readonly to: BlobId;
}

/**
 * Empties one segment, a batch at a time: what rows name is moved at the first visit, and retired at
 * a later one. `CompactSegments` says what is kept to.
 */
export class SegmentVisit {
  readonly segment: number;
  restUntilMs = Number.NEGATIVE_INFINITY;
  readonly #options: SegmentVisitOptions;
  readonly #leftovers = new Map<BlobId, Leftover>();
  /** Those that are to be judged, and what those are that were. Undefined once that is over. */
  #due: readonly BlobId[] = [];
  #judged: Map<BlobId, Judgement> | undefined;
  /** Those that are to be moved, if a row names them. */
  #blobs: readonly ListedBlob[] = [];
  #hindrances: { readonly blobId: BlobId; readonly error: unknown }[] = [];

  constructor(segment: number, options: SegmentVisitOptions) {
    this.segment = segment;
    this.#options = options;
  }

  /** Whether blobs of it were moved that have yet to be retired. */
  get isWaiting(): boolean {
    return [...this.#leftovers.values()].some(({ isMoved }) => isMoved);
  }

  async begin(): Promise<void> {
    this.#blobs = await this.#options.compaction.blobsIn(this.segment);
    this.#hindrances = [];
    const there = new Set(this.#blobs.map(({ id }) => id));
    for (const id of this.#leftovers.keys()) if (!there.has(id)) this.#leftovers.delete(id);
    const nowMs = this.#options.clock.now();
    const due = [...this.#leftovers].filter(([, { sinceMs }]) => nowMs - sinceMs >= pinGraceMs);
    this.#due = due.map(([id]) => id);
    this.#judged = new Map();
  }

  /** Retires what may go, then moves the blobs batch by batch. Whether that was the end. */
  async advance(signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted();
    if (this.#judged !== undefined) {
      // First, because on a full disk this is what makes room for copies.
      const batch = this.#due.slice(0, blobsPerBatch);
      this.#due = this.#due.slice(blobsPerBatch);
      if (batch.length > 0) await this.#judge(batch, this.#judged);
      else await this.#retireJudged(this.#judged, signal);
      return false;
    }
    const batch = this.#blobs.slice(0, blobsPerBatch);
    this.#blobs = this.#blobs.slice(blobsPerBatch);
    await this.#move(await this.#namedOf(batch.map(({ id }) => id)), signal);
    if (this.#blobs.length > 0) return false;
    this.#tellHindrances();
    this.rest(this.#hindrances.length > 0 && !this.isWaiting ? hinderedRestMs : pinGraceMs);
    return true;
  }

  rest(ms: number): void {
    this.restUntilMs = this.#options.clock.now() + ms;
  }

  /** Those that a row names. The others are noted, unless somebody holds them. */
  async #namedOf(ids: readonly BlobId[]): Promise<BlobId[]> {
    const { store, pins, clock } = this.#options;
    // Looked at before the rows: whoever lets go of a blob meanwhile has committed its row.
    const held = new Set(ids.filter((id) => pins.isHeld(id)));
    const named = new Set(await referenced(store, ids));
    for (const id of ids) {
      const leftover = this.#leftovers.get(id);
      if (named.has(id) || (held.has(id) && leftover?.isMoved !== true)) this.#leftovers.delete(id);
      else if (leftover === undefined) this.#note(id, false, clock.now());
    }
    return [...named];
  }

  async #move(ids: readonly BlobId[], signal: AbortSignal): Promise<void> {
    const copies = await this.#copy(ids, signal);
    if (copies.length === 0) return;
    const made = copies.map(({ to }) => to);
    await commitBlobs(made, this.#options, async () => {
      const moved = await this.#repoint(copies);
      const nowMs = this.#options.clock.now();
      for (const { from } of moved) this.#note(from, true, nowMs);
      return moved.map(({ to }) => to);
    });
  }

  /** Answers the copies that came to be named: not those whose archive was forgotten meanwhile. */
  #repoint(copies: readonly Copy[]): Promise<Copy[]> {
    return this.#options.store.write(async ({ blobs }) => {
      const repointed: Copy[] = [];
      for (const copy of copies) {
        if (await blobs.repoint(copy.from, copy.to)) repointed.push(copy);
      }
      return repointed;
    });
  }

  /** Copies what can be copied, or nothing at all. */
  async #copy(ids: readonly BlobId[], signal: AbortSignal): Promise<Copy[]> {
    const { compaction, blobs } = this.#options;
    const copies: Copy[] = [];
    let failure: { readonly error: unknown } | undefined;
    const copyOne = async (from: BlobId) => {
      try {
        copies.push({ from, to: await compaction.copy(from) });
      } catch (error) {
        if (isStoreError(error, 'BlobCorrupt')) this.#hindrances.push({ blobId: from, error });
        // One that is gone was removed since it was listed.
        else if (!isStoreError(error, 'BlobNotFound')) failure ??= { error };
      }
    };
    await Promise.all(ids.map(copyOne));
    if (signal.aborted) failure ??= { error: signal.reason };
    if (failure === undefined) return copies;
    const made = copies.map(({ to }) => to);
    await removeQuietly(blobs, made);
    throw failure.error;
  }

  /** Finds out what these blobs are, which had no row for long enough. Not of those in use. */
  async #judge(ids: readonly BlobId[], judged: Map<BlobId, Judgement>): Promise<void> {
    const { store, pins } = this.#options;
    const free = ids.filter((id) => !pins.isHeld(id));
    const named = new Set(await referenced(store, free));
    for (const id of free) {
      if (named.has(id)) this.#leftovers.delete(id);
      else judged.set(id, await this.#judgeOne(id));
    }
  }

  async #judgeOne(blobId: BlobId): Promise<Judgement> {
    if (this.#leftovers.get(blobId)?.isMoved === true) return 'superfluous';
    try {
      return (await isSuperseded(blobId, this.#options)) ? 'superfluous' : 'orphan';
    } catch (error) {
      if (isStoreError(error, 'BlobNotFound')) return 'gone';
      if (!isStoreError(error, 'BlobCorrupt')) throw error;
      this.#hindrances.push({ blobId, error });
      return 'unreadable';
    }
  }

  async #retireJudged(judged: ReadonlyMap<BlobId, Judgement>, signal: AbortSignal): Promise<void> {
    const those = (are: Judgement) => [...judged.keys()].filter((id) => judged.get(id) === are);
    this.#judged = undefined;
    await this.#retire(those('superfluous'));
    const orphans = those('orphan');
    if (orphans.length > orphansMax) {
      const error = new Error(`The rows of ${orphans.length} blobs are missing`);
      for (const blobId of orphans) this.#hindrances.push({ blobId, error });
      return;
    }
    await this.#retire((await this.#copy(orphans, signal)).map(({ from }) => from));
  }

  async #retire(ids: readonly BlobId[]): Promise<void> {
    const { compaction, pins, log } = this.#options;
    // In the same turn as the retirement begins: nobody comes to hold one in between.
    const free = ids.filter((id) => !pins.isHeld(id));
    if (free.length === 0) return;
    await compaction.retire(this.segment, free);
    for (const id of free) this.#leftovers.delete(id);
    const retired = new Set(free);
    this.#blobs = this.#blobs.filter(({ id }) => !retired.has(id));
    const leftCount = this.#blobs.length;
    log.info('segment.compacted', { segment: this.segment, retiredCount: free.length, leftCount });
  }

  #note(id: BlobId, isMoved: boolean, sinceMs: number): void {
    this.#leftovers.set(id, { sinceMs, isMoved });
  }

  #tellHindrances(): void {
    const [first] = this.#hindrances;
    if (first === undefined) return;
    const count = this.#hindrances.length;
    const { segment } = this;
    this.#options.log.warn('segment.compaction-hindered', { segment, count, ...first });
  }
}

/**
 * Those that a row names. Asked in a write, which changes nothing: after a sync that failed it is
 * refused, while reads might see rows that no disk holds. Nor is it worth while to copy anything then.
 */
function referenced(store: MetadataStore, ids: readonly BlobId[]): Promise<BlobId[]> {
  return store.write(async ({ blobs }) => {
    const found: BlobId[] = [];
    for (const id of ids) if (await blobs.isReferenced(id)) found.push(id);
    return found;
  });
}
