import { commitBlobs, removeQuietly } from '../domain/new-blobs.ts';
import { type Pins, pinGraceMs } from '../domain/pins.ts';
import type { Judgement, UnnamedBlobs } from '../domain/unnamed-blobs.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { BlobId, BlobStore, ListedBlob } from '../storage/blob-store.ts';
import type { Compaction } from '../storage/compaction.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import { orphansMax } from './sweep-orphans.ts';

/**
 * How many blobs a step deals with. They are copied at the same time, so that they share syncs, and
 * repointed together. All of them may be in memory at once, which is 16 MiB at most.
 */
const blobsPerBatch = 64;
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
  /** What had elapsed when it was noted. */
  readonly sinceMs: number;
  /** Whether it was moved, so that there is no need to ask what it is. */
  readonly isMoved: boolean;
}

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
  /** Nothing is to be done with it until so much has elapsed. */
  restUntilMs = Number.NEGATIVE_INFINITY;
  readonly #options: SegmentVisitOptions & { readonly unnamed: UnnamedBlobs };
  readonly #leftovers = new Map<BlobId, Leftover>();
  /** Those that are to be judged, and what those are that were. Undefined once that is over. */
  #due: readonly BlobId[] = [];
  #judged: Map<BlobId, 'superfluous' | 'orphan'> | undefined;
  /** Those that are to be moved, if a row names them. */
  #blobs: readonly ListedBlob[] = [];
  #hindrances: { readonly blobId: BlobId; readonly error: unknown }[] = [];

  constructor(segment: number, options: SegmentVisitOptions & { readonly unnamed: UnnamedBlobs }) {
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
    const elapsedMs = this.#options.clock.elapsedMs();
    const due = [...this.#leftovers].filter(([, { sinceMs }]) => elapsedMs - sinceMs >= pinGraceMs);
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
      if (batch.length > 0) await this.#judge(batch, this.#judged, signal);
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
    this.restUntilMs = this.#options.clock.elapsedMs() + ms;
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
      else if (leftover === undefined) this.#note(id, false, clock.elapsedMs());
    }
    return [...named];
  }

  async #move(ids: readonly BlobId[], signal: AbortSignal): Promise<void> {
    const copies = await this.#copy(ids, signal);
    if (copies.length === 0) return;
    const made = copies.map(({ to }) => to);
    await commitBlobs(made, this.#options, async () => {
      const moved = await this.#repoint(copies);
      const elapsedMs = this.#options.clock.elapsedMs();
      for (const { from } of moved) this.#note(from, true, elapsedMs);
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
  async #judge(
    ids: readonly BlobId[],
    judged: Map<BlobId, 'superfluous' | 'orphan'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { store, pins, unnamed } = this.#options;
    const free = ids.filter((id) => !pins.isHeld(id));
    const named = new Set(await referenced(store, free));
    const judgeOne = async (id: BlobId) => {
      if (named.has(id)) this.#leftovers.delete(id);
      else this.#noteJudgement(id, await unnamed.judge(id, signal), judged);
    };
    await allOf(free.map(judgeOne));
  }

  #noteJudgement(
    blobId: BlobId,
    judgement: Judgement,
    judged: Map<BlobId, 'superfluous' | 'orphan'>,
  ): void {
    const leftover = this.#leftovers.get(blobId);
    if (judgement.kind === 'superfluous') judged.set(blobId, 'superfluous');
    else if (judgement.kind === 'orphan') {
      // What was moved from here, and has no row by now, was forgotten where it went.
      judged.set(blobId, leftover?.isMoved === true ? 'superfluous' : 'orphan');
    } else if (judgement.kind === 'unclear') {
      this.#hindrances.push({ blobId, error: judgement.error });
      if (leftover !== undefined) this.#note(blobId, false, leftover.sinceMs);
    }
  }

  async #retireJudged(
    judged: ReadonlyMap<BlobId, 'superfluous' | 'orphan'>,
    signal: AbortSignal,
  ): Promise<void> {
    const those = (are: 'superfluous' | 'orphan') =>
      [...judged.keys()].filter((id) => judged.get(id) === are);
    this.#judged = undefined;
    if (!this.#options.unnamed.areRowsTrusted) return;
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
    const unnamed = await this.#stillUnnamed(ids.filter((id) => !pins.isHeld(id)));
    // In the same turn as the retirement begins: nobody comes to hold one in between.
    const free = unnamed.filter((id) => !pins.isHeld(id));
    if (free.length === 0) return;
    using _pin = pins.hold(free);
    await compaction.retire(this.segment, free);
    for (const id of free) this.#leftovers.delete(id);
    const retired = new Set(free);
    this.#blobs = this.#blobs.filter(({ id }) => !retired.has(id));
    const leftCount = this.#blobs.length;
    log.info('segment.compacted', { segment: this.segment, retiredCount: free.length, leftCount });
  }

  /** Since they were judged one of them may have taken the place of a damaged one; now none will. */
  async #stillUnnamed(ids: readonly BlobId[]): Promise<BlobId[]> {
    if (ids.length === 0) return [];
    using _pin = this.#options.pins.hold(ids);
    const named = new Set(await referenced(this.#options.store, ids));
    return ids.filter((id) => !named.has(id));
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

/** Waits for all of it, and rejects with what went wrong first. */
async function allOf(work: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
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
