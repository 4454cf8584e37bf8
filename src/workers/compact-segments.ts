import { pinGraceMs } from '../domain/pins.ts';
import { UnnamedBlobs } from '../domain/unnamed-blobs.ts';
import type { Bell } from '../lib/bell.ts';
import type { SegmentUse } from '../storage/compaction.ts';
import { isStoreError } from '../storage/errors.ts';
import { SegmentVisit, type SegmentVisitOptions } from './compact-segments-visit.ts';
import { waitForBellOrTime } from './waiting.ts';
import type { Worker } from './worker.ts';

const roundIntervalMs = 60 * 60 * 1000;
/** Looking at segments is nothing that clients should notice. */
const surveyRestMs = 1000;
/** How many segments may have been moved and wait to be retired: what they take counts double. */
const waitingMax = 64;

export interface CompactSegmentsOptions extends SegmentVisitOptions {
  /** Rung when blobs were removed. */
  readonly freed: Bell;
}

/**
 * Gives back the room of removed blobs in segments that are mostly dead: moves the live ones away, so
 * that space is never more than twice what is live, plus what is being written and moved.
 *
 * 1. A blob that a row names is retired only after its copy is durable and verified, and the commit
 *    that points the row to the copy is durable.
 * 2. It is retired no sooner than `pinGraceMs` after that, and not while somebody holds it: whoever
 *    found it in a row in the last moment has begun to read it by then, and may end.
 * 3. A blob that no row names is left alone until this worker has seen it so, and held by nobody, at
 *    two times `pinGraceMs` apart. Whoever writes a blob holds it from the moment in which he learns
 *    its name until its row is committed, and for good when he can't know whether it is. So there is
 *    nobody left then who could still commit a row that names it.
 * 4. Of those, and of what was moved, is retired what `UnnamedBlobs` finds superfluous: the row of
 *    that archive, part or job names another one, which was read just now. Orphans move like the rest:
 *    the sweeper goes on counting from there.
 * 5. What can't be read, or understood, stays where it is.
 * 6. Where the rows contradict themselves about a blob, nothing is moved or retired any more.
 *
 * Nothing is remembered over a restart, and nothing need be: what an interrupted move left behind is
 * found again by its label.
 */
export class CompactSegments implements Worker {
  readonly name = 'compact-segments';
  readonly #options: CompactSegmentsOptions;
  readonly #unnamed: UnnamedBlobs;
  /** Of segments that were visited and are still there. */
  readonly #visits = new Map<number, SegmentVisit>();
  #current: SegmentVisit | undefined;
  /** Until so much has elapsed nothing is copied. */
  #fullUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: CompactSegmentsOptions) {
    this.#options = options;
    this.#unnamed = new UnnamedBlobs(options);
  }

  async step(signal: AbortSignal): Promise<'busy' | 'idle'> {
    signal.throwIfAborted();
    if (!this.#unnamed.areRowsTrusted) return this.#giveUp();
    this.#current ??= await this.#choose();
    const visit = this.#current;
    if (visit === undefined) return 'idle';
    try {
      if (await visit.advance(signal)) this.#current = undefined;
    } catch (error) {
      // Begun anew, when it is its turn again: what was moved so far need not be again.
      this.#current = undefined;
      visit.rest(pinGraceMs);
      if (!isStoreError(error, 'StoreFull')) throw error;
      this.#noteFull(visit.segment, error);
    }
    return 'busy';
  }

  async wake(signal: AbortSignal): Promise<void> {
    const { freed, clock, compaction } = this.#options;
    const elapsedMs = clock.elapsedMs();
    // What is wasted is found out by and by: not all that there is may have been looked at so far.
    const roundMs = compaction.isSurveyed === false ? surveyRestMs : roundIntervalMs;
    const rests = [...this.#visits.values()].map(({ restUntilMs }) => restUntilMs - elapsedMs);
    const waitMs = Math.min(roundMs, ...rests);
    await waitForBellOrTime({ bell: freed, clock, waitMs, signal });
  }

  /** The segment that is to be emptied next: what wastes most comes first. */
  async #choose(): Promise<SegmentVisit | undefined> {
    const { compaction, clock } = this.#options;
    const uses = (await compaction.wasteful()).toSorted((a, b) => neededPart(a) - neededPart(b));
    const wasteful = new Set(uses.map(({ segment }) => segment));
    for (const segment of this.#visits.keys()) {
      if (!wasteful.has(segment)) this.#visits.delete(segment);
    }
    const elapsedMs = clock.elapsedMs();
    const mayCopy = elapsedMs >= this.#fullUntilMs && this.#waitingCount() < waitingMax;
    for (const { segment } of uses) {
      const known = this.#visits.get(segment);
      if (known === undefined ? !mayCopy : known.restUntilMs > elapsedMs) continue;
      const visit =
        known ?? new SegmentVisit(segment, { ...this.#options, unnamed: this.#unnamed });
      this.#visits.set(segment, visit);
      await visit.begin();
      return visit;
    }
    return undefined;
  }

  /** For as long as the process lives: `metadata.contradicts-itself` has been told. */
  #giveUp(): 'idle' {
    this.#current = undefined;
    this.#visits.clear();
    return 'idle';
  }

  #waitingCount(): number {
    return [...this.#visits.values()].filter(({ isWaiting }) => isWaiting).length;
  }

  /** A disk without room for copies is asked again a while later. What was copied is retired. */
  #noteFull(segment: number, error: unknown): void {
    const { clock, log } = this.#options;
    this.#fullUntilMs = clock.elapsedMs() + pinGraceMs;
    log.warn('segment.compaction-hindered', { segment, error });
  }
}

function neededPart({ liveBytes, sizeBytes }: SegmentUse): number {
  return liveBytes / sizeBytes;
}
