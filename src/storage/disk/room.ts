import type { Clock } from '../../lib/clock.ts';
import { StoreError } from '../errors.ts';
import { type FileSystemRoom, type Files, otherFailure } from './files.ts';

/** So much stays free, or … */
const reserveBytesMax = 64 * 1024 * 1024;
/** … this part of a small file system. */
const reservePart = 1 / 16;

/** What was measured is believed for this long: others write to the file system too. */
const measureMs = 1000;

/**
 * Refuses what would fill the file system to its end.
 *
 * 1. A reserve stays free. Without it rows would find no room on a disk that uploads have filled,
 *    and not even a removal, which needs a row to be changed, could make some again.
 * 2. What was written since the last measurement counts as gone, and so does what is being written.
 *    It is measured again when that is old, or before anything is refused.
 */
export class Room {
  readonly #directory: string;
  readonly #files: Files;
  readonly #clock: Clock;
  #measured: (FileSystemRoom & { readonly atMs: number }) | undefined;
  #measuring: Promise<void> | undefined;
  #spentBytes = 0;
  #underWayBytes = 0;

  constructor(directory: string, { files, clock }: { files: Files; clock: Clock }) {
    this.#directory = directory;
    this.#files = files;
    this.#clock = clock;
  }

  /** Runs `write`, which takes up to `sizeBytes`; throws `StoreFull` instead if that is too much. */
  async spend(sizeBytes: number, write: () => Promise<void> = async () => {}): Promise<void> {
    if (!this.#isRecent()) await this.#measure();
    if (this.#leftBytes() < sizeBytes) {
      await this.#measure();
      if (this.#leftBytes() < sizeBytes) throw full();
    }
    this.#underWayBytes += sizeBytes;
    try {
      await write();
    } finally {
      this.#underWayBytes -= sizeBytes;
      this.#spentBytes += sizeBytes;
    }
  }

  #isRecent(): boolean {
    // Nor is a measurement of the future any good: the clock was set back.
    const ageMs = this.#clock.now() - (this.#measured?.atMs ?? Number.NEGATIVE_INFINITY);
    return ageMs >= 0 && ageMs < measureMs;
  }

  /** What may still be written. Less than nothing when the reserve itself is touched. */
  #leftBytes(): number {
    const { sizeBytes, freeBytes } = this.#measured ?? { sizeBytes: 0, freeBytes: 0 };
    // It does not tell: then the write itself has to find out.
    if (sizeBytes === 0) return Number.POSITIVE_INFINITY;
    const reserveBytes = Math.min(reserveBytesMax, sizeBytes * reservePart);
    return freeBytes - reserveBytes - this.#spentBytes - this.#underWayBytes;
  }

  /** Measures, together with all who want to know at the moment. */
  #measure(): Promise<void> {
    this.#measuring ??= this.#measureAlone().finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  async #measureAlone(): Promise<void> {
    const atMs = this.#clock.now();
    const spentBytes = this.#spentBytes;
    try {
      this.#measured = { ...(await this.#files.room(this.#directory)), atMs };
    } catch (error) {
      throw otherFailure(error, 'write');
    }
    // What ended meanwhile may be in the measurement or not.
    this.#spentBytes -= spentBytes;
  }
}

function full(): StoreError {
  return new StoreError(
    'StoreFull',
    'There is no room left on the disk but for what is kept free for rows and removals',
  );
}
