import type { Pins } from '../domain/pins.ts';
import { UnnamedBlobs } from '../domain/unnamed-blobs.ts';
import { isUnwantedPart } from '../domain/unwanted-parts.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { BlobId, BlobStore, ListedBlob } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { Worker } from './worker.ts';

/**
 * How many blobs are looked for in one look at the rows, and how long it rests after that: a million
 * blobs take some minutes, and nobody notices.
 */
const blobsPerBatch = 500;
const batchRestMs = 50;
const roundIntervalMs = 24 * 60 * 60 * 1000;
/** A blob that was written so recently has, perhaps, a row that is about to be committed. */
const settlingMs = 60_000;
/** Orphans are few and take little room: there is time for somebody to notice that rows are gone. */
const graceMs = 7 * 24 * 60 * 60 * 1000;
/** Crashes do not leave more than this. Whoever finds more has lost rows, not found garbage. */
export const orphansMax = 100;
/** How many a round can remember, those included of which no row is missing. */
const foundMax = 1000;

export interface SweepOrphansOptions {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly pins: Pins;
  readonly clock: Clock;
  readonly log: Log;
  readonly firstRoundInMs?: number;
}

/**
 * Removes blobs that no row names: what a crash left between the bytes and their row.
 *
 * 1. A blob is removed only when rounds found it without a row at two times, the grace period apart,
 *    and when `UnnamedBlobs` agrees: whose rows say so too, and a copy is not the last sound one. What
 *    can't be read or understood stays, and is told.
 * 2. A round looks at all blobs before anything is removed. When more than `orphansMax` have no row
 *    nothing is, and nothing of the round counts: the rows are missing, not the blobs too many. Not
 *    among them are copies too many, whose labels name rows that are there: of these a crash leaves
 *    as many as were being moved. Nor are parts of uploads that have a row and no archive: what was put
 *    in vain is known to be that, also when its upload is forgotten meanwhile.
 * 3. Where the rows contradict themselves about a blob, nothing is removed any more.
 */
export class SweepOrphans implements Worker {
  readonly name = 'sweep-orphans';
  readonly #options: SweepOrphansOptions;
  readonly #unnamed: UnnamedBlobs;
  readonly #firstRoundAtMs: number;
  #restMs = 0;
  #round: Round | undefined;
  /** Blobs without a row. */
  #suspects: ReadonlyMap<BlobId, Suspect> = new Map();

  constructor(options: SweepOrphansOptions) {
    this.#options = options;
    this.#unnamed = new UnnamedBlobs(options);
    this.#firstRoundAtMs = options.clock.elapsedMs() + (options.firstRoundInMs ?? 0);
  }

  /** Looks at some blobs, and rests. */
  async step(signal: AbortSignal): Promise<'idle'> {
    this.#restMs = this.#firstRoundAtMs - this.#options.clock.elapsedMs();
    if (this.#restMs > 0) return 'idle';
    this.#round ??= new Round(this.#options.blobs);
    const round = this.#round;
    this.#restMs = batchRestMs;
    try {
      if (!(await this.#lookOn(round, signal))) return 'idle';
    } catch (error) {
      // A round that missed blobs would count too few.
      this.#round = undefined;
      await round.abandon();
      throw error;
    }
    this.#round = undefined;
    this.#restMs = roundIntervalMs;
    await this.#conclude(round, signal);
    return 'idle';
  }

  async wake(signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(this.#restMs, signal);
  }

  /** Looks at the blobs that come next. Whether these were the last. */
  async #lookOn(round: Round, signal: AbortSignal): Promise<boolean> {
    const { clock, pins } = this.#options;
    const settled: BlobId[] = [];
    let isLast = false;
    for (let count = 0; count < blobsPerBatch && !isLast; count += 1) {
      signal.throwIfAborted();
      const blob = await round.next();
      if (blob === undefined) isLast = true;
      // One of the future was written before the clock was set back.
      else if (Math.abs(clock.now() - blob.writtenAtMs) >= settlingMs) settled.push(blob.id);
    }
    // Looked at before the rows: whoever lets go of a blob meanwhile has committed its row.
    const free = settled.filter((id) => !pins.isHeld(id));
    for (const id of await this.#withoutRow(free)) {
      signal.throwIfAborted();
      await this.#suspect(round, id);
    }
    return isLast;
  }

  async #suspect(round: Round, id: BlobId): Promise<void> {
    const known = this.#suspects.get(id);
    const suspectedAtMs = known?.suspectedAtMs ?? this.#options.clock.elapsedMs();
    // Nothing will come of this round: there is no need to ask what it is.
    const kind = round.count > orphansMax ? 'orphan' : (await this.#unnamed.look(id)).kind;
    if (kind === 'needed' || kind === 'gone') return;
    const isUnwanted = known?.isUnwanted === true || (await this.#isUnwanted(round, id, kind));
    round.add(id, { suspectedAtMs, isUnwanted }, kind === 'copy' || isUnwanted);
  }

  async #isUnwanted({ count }: Round, id: BlobId, kind: string): Promise<boolean> {
    return kind === 'orphan' && count <= orphansMax && (await isUnwantedPart(id, this.#options));
  }

  async #conclude({ found, count }: Round, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    if (count > orphansMax || !this.#unnamed.areRowsTrusted) {
      this.#suspects = new Map();
      if (count > orphansMax) log.error('blobs.without-rows', { count });
      return;
    }
    const left = new Map(found);
    const newCount = [...found.keys()].filter((id) => !this.#suspects.has(id)).length;
    this.#suspects = left;
    if (newCount > 0) log.warn('blobs.suspected', { count: newCount });
    for (const [id, { suspectedAtMs }] of found) {
      signal.throwIfAborted();
      if (clock.elapsedMs() - suspectedAtMs < graceMs) continue;
      if (!(await this.#sweep(id, signal))) left.delete(id);
      if (!this.#unnamed.areRowsTrusted) return;
    }
  }

  /** Removes the blob if it may go. Whether it stays a suspect. */
  async #sweep(id: BlobId, signal: AbortSignal): Promise<boolean> {
    const { blobs, pins, log } = this.#options;
    if (pins.isHeld(id)) return false;
    const judgement = await this.#unnamed.judge(id, signal);
    if (judgement.kind === 'unclear') {
      log.warn('blob.left-unclear', { blobId: id, error: judgement.error });
      return true;
    }
    // Asked again, and nobody comes to hold it meanwhile: it may just have got a row.
    if (judgement.kind !== 'orphan' && judgement.kind !== 'superfluous') return false;
    if (pins.isHeld(id)) return false;
    using _pin = pins.hold([id]);
    if ((await this.#withoutRow([id])).length === 0) return false;
    await blobs.remove(id);
    log.warn('blob.orphan-removed', { blobId: id });
    return false;
  }

  /** Those that no row seems to name, by one look at the rows. */
  #withoutRow(ids: readonly BlobId[]): Promise<BlobId[]> {
    return this.#options.store.read(async (rows) => {
      const found: BlobId[] = [];
      for (const id of ids) if (!(await rows.blobs.isReferenced(id))) found.push(id);
      return found;
    });
  }
}

interface Suspect {
  /** What had elapsed when the first round found it without a row. */
  readonly suspectedAtMs: number;
  /** Whether it was found to be a part that is wanted no more. */
  readonly isUnwanted: boolean;
}

/** One look at all blobs. */
class Round {
  /** Blobs without a row. Not all if there are too many. */
  readonly found = new Map<BlobId, Suspect>();
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

  /** `isExplained`: no row of it is missing. */
  add(id: BlobId, suspect: Suspect, isExplained: boolean): void {
    if (!isExplained) this.count += 1;
    if (this.found.size < foundMax) this.found.set(id, suspect);
  }

  async abandon(): Promise<void> {
    await this.#blobs.return?.();
  }
}
