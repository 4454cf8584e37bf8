import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { SegmentUse } from '../compaction.ts';
import { type Files, type Layout, numbersIn } from './files.ts';
import { growingContentOffset } from './header-copies.ts';
import { openSegment } from './open-segment.ts';
import { recordSizeBytes } from './segment-record.ts';
import { type SegmentPart, scanSegment } from './segment-scan.ts';

interface Dependencies {
  readonly files: Files;
  readonly layout: Layout;
  readonly log: Log;
  readonly clock: Clock;
  /** Whether a segment will not be appended to any more. */
  readonly isSealed: (segment: number) => boolean;
}

/** A survey goes on for about this long. */
const surveyMs = 100;

/** A record in a segment. */
interface Extent {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** What was counted of a segment. */
interface Count {
  sizeBytes: number;
  liveBytes: number;
  /** Whether there are places in it where no header can be read. */
  hasGap: boolean;
}

/** A count that is under way. */
interface Scan {
  readonly segment: number;
  readonly count: Count;
  /** Records that were removed before the scan came to them. */
  readonly removed: Set<number>;
  /** Where the last record begins that was counted. */
  lastOffset: number;
  isSpoiled: boolean;
}

/**
 * How much of each sealed segment is still needed.
 *
 * 1. A segment is read once, and only the headers of its records. From then on what is removed is
 *    subtracted.
 * 2. A survey reads for a tenth of a second, and the next one goes on behind it.
 * 3. One whose rest is damaged, so that it can't be copied, is no longer called wasteful until
 *    something else is removed from it, or the store is opened again: to try for ever frees nothing.
 */
export class SegmentUses {
  readonly #with: Dependencies;
  readonly #counts = new Map<number, Count>();
  readonly #stuck = new Set<number>();
  #scan: Scan | undefined;
  #surveying: Promise<void> | undefined;
  #isSurveyed = false;

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  /** Whether the last survey came to its end. */
  get isSurveyed(): boolean {
    return this.#isSurveyed;
  }

  /**
   * A live record in `segment` is about to be marked as removed. Before, and not after: so a scan has
   * counted it, or has not come to it.
   */
  noteRemoval(segment: number, { offsetBytes, sizeBytes }: Extent): void {
    this.#stuck.delete(segment);
    const count = this.#counts.get(segment);
    if (count !== undefined) count.liveBytes -= sizeBytes;
    const scan = this.#scan;
    if (scan?.segment !== segment) return;
    if (offsetBytes <= scan.lastOffset) scan.count.liveBytes -= sizeBytes;
    else scan.removed.add(offsetBytes);
  }

  /** What was counted in `segment` is not so any more, or it is gone. */
  forget(segment: number): void {
    this.#counts.delete(segment);
    this.#stuck.delete(segment);
    if (this.#scan?.segment === segment) this.#scan.isSpoiled = true;
  }

  /** Some place in `segment` can't be read, and perhaps could when it was counted. */
  noteGap(segment: number): void {
    if (this.#counts.get(segment)?.hasGap === false) this.forget(segment);
  }

  /** What is left in `segment` can't be copied. */
  setAside(segment: number): void {
    this.#stuck.add(segment);
  }

  /** Sealed segments of which less than half is needed, but something, as far as they are known. */
  async wasteful(): Promise<SegmentUse[]> {
    await this.#survey();
    return this.#known(({ sizeBytes, liveBytes }, segment) => {
      // That in which nothing lives at all goes by itself, unless it is damaged.
      return liveBytes > 0 && liveBytes * 2 < sizeBytes && !this.#stuck.has(segment);
    });
  }

  /** Sealed segments in which nothing lives that can be read, and which damage keeps from going. */
  async remnants(): Promise<SegmentUse[]> {
    await this.#survey();
    return this.#known(({ liveBytes, hasGap }) => liveBytes === 0 && hasGap);
  }

  #known(isMeant: (count: Count, segment: number) => boolean): SegmentUse[] {
    const known = [...this.#counts].filter(([segment, count]) => isMeant(count, segment));
    return known
      .map(([segment, { sizeBytes, liveBytes }]) => ({ segment, sizeBytes, liveBytes }))
      .sort((a, b) => a.segment - b.segment);
  }

  /** Counts what is not counted yet, together with all who want to know at the moment. */
  #survey(): Promise<void> {
    this.#surveying ??= this.#surveyOn().finally(() => {
      this.#surveying = undefined;
    });
    return this.#surveying;
  }

  async #surveyOn(): Promise<void> {
    const { files, layout, isSealed, clock } = this.#with;
    const startedMs = clock.elapsedMs();
    this.#isSurveyed = false;
    for (const segment of await numbersIn(files, layout.segments)) {
      if (this.#counts.has(segment) || !isSealed(segment)) continue;
      if (clock.elapsedMs() - startedMs >= surveyMs) return;
      await this.#count(segment);
    }
    this.#isSurveyed = true;
  }

  async #count(segment: number): Promise<void> {
    const file = await openSegment(segment, this.#with);
    const count = { sizeBytes: 0, liveBytes: 0, hasGap: false };
    const scan = { segment, count, removed: new Set<number>(), lastOffset: 0, isSpoiled: false };
    this.#scan = scan;
    try {
      if (file !== undefined) {
        const endBytes = await file.size();
        count.sizeBytes = Math.max(0, endBytes - growingContentOffset);
        for await (const part of scanSegment(file, { segment, endBytes })) add(part, scan);
      }
      if (!scan.isSpoiled) this.#counts.set(segment, count);
    } finally {
      this.#scan = undefined;
      await file?.close();
    }
  }
}

function add(part: SegmentPart, scan: Scan): void {
  const { count, removed } = scan;
  if (part.kind === 'gap') {
    count.hasGap = true;
    return;
  }
  const { mark, offsetBytes } = part.header;
  scan.lastOffset = offsetBytes;
  if (mark === 'removed' || removed.has(offsetBytes)) return;
  count.liveBytes += recordSizeBytes(part.header);
}
