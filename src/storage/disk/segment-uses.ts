import type { Log } from '../../lib/log.ts';
import type { SegmentUse } from '../compaction.ts';
import { type Files, type Layout, numbersIn } from './files.ts';
import { growingContentOffset } from './header-copies.ts';
import { openSegment } from './open-segment.ts';
import { recordSizeBytes } from './segment-record.ts';
import { scanSegment } from './segment-scan.ts';

interface Dependencies {
  readonly files: Files;
  readonly layout: Layout;
  readonly log: Log;
  /** Whether a segment will not be appended to any more. */
  readonly isSealed: (segment: number) => boolean;
}

/**
 * How much of each sealed segment is still needed.
 *
 * 1. A segment is scanned when it is first asked about, and again after something was removed.
 * 2. One whose rest is damaged, so that it can't be copied, is no longer called wasteful until
 *    something else is removed from it, or the store is opened again: to try for ever frees nothing.
 */
export class SegmentUses {
  readonly #with: Dependencies;
  readonly #known = new Map<number, SegmentUse>();
  readonly #stuck = new Set<number>();

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  /** Something was removed from `segment`, or it is there no more. */
  forget(segment: number): void {
    this.#known.delete(segment);
    this.#stuck.delete(segment);
  }

  /** What is left in `segment` can't be copied. */
  setAside(segment: number): void {
    this.#stuck.add(segment);
  }

  /** Sealed segments of which less than half is needed, but something. */
  async wasteful(): Promise<SegmentUse[]> {
    const { files, layout, isSealed } = this.#with;
    const wasteful: SegmentUse[] = [];
    for (const segment of await numbersIn(files, layout.segments)) {
      if (!isSealed(segment) || this.#stuck.has(segment)) continue;
      const use = this.#known.get(segment) ?? (await this.#scan(segment));
      // That in which nothing lives at all goes by itself, unless it is damaged.
      if (use.liveBytes > 0 && use.liveBytes * 2 < use.sizeBytes) wasteful.push(use);
    }
    return wasteful;
  }

  async #scan(segment: number): Promise<SegmentUse> {
    const nothing = { segment, sizeBytes: 0, liveBytes: 0 };
    // Before anything is read: what is removed meanwhile makes this out of date at once.
    this.#known.set(segment, nothing);
    const file = await openSegment(segment, this.#with);
    if (file === undefined) return nothing;
    try {
      const endBytes = await file.size();
      let liveBytes = 0;
      for await (const part of scanSegment(file, { segment, endBytes })) {
        if (part.kind === 'gap' || part.header.mark === 'removed') continue;
        liveBytes += recordSizeBytes(part.header);
      }
      const sizeBytes = Math.max(0, endBytes - growingContentOffset);
      const use = { segment, sizeBytes, liveBytes };
      if (this.#known.get(segment) === nothing) this.#known.set(segment, use);
      return use;
    } catch (error) {
      this.#known.delete(segment);
      throw error;
    } finally {
      await file.close();
    }
  }
}
