import type { Clock } from '../../lib/clock.ts';
import { isStoreError, StoreError } from '../errors.ts';
import { type FileSystemRoom, type Files, otherFailure, writeFailure } from './files.ts';
import { reserveSizes } from './reserve.ts';

/** Nothing new is begun unless this part of the reserve is there besides: 1 MiB of a large one. */
const beginningPart = 1 / 64;

/** What was measured is believed for this long: others write to the file system too. */
const measureMs = 1000;

/**
 * Refuses what would fill the file system to its end.
 *
 * 1. As much stays free as the reserve takes. Without it rows would find no room on a disk that uploads have filled,
 *    and not even a removal, which needs a row to be changed, could make some again.
 * 2. What was written since the last measurement counts as gone, and so does what is being written.
 *    It is measured again when that is old, or before anything is refused.
 * 3. When the disk itself found no room that is believed as long as a measurement: a quota does not
 *    show in one.
 */
export class Room {
  readonly #directory: string;
  readonly #files: Files;
  readonly #clock: Clock;
  #measured: (FileSystemRoom & { readonly atMs: number }) | undefined;
  #measuring: Promise<void> | undefined;
  #refusedAtMs: number | undefined;
  #spentBytes = 0;
  #underWayBytes = 0;

  constructor(directory: string, { files, clock }: { files: Files; clock: Clock }) {
    this.#directory = directory;
    this.#files = files;
    this.#clock = clock;
  }

  /**
   * Whether the last look found no room to begin anything. When that is long ago the question makes
   * it look again, for the next time: where nobody uploads, nobody else would.
   */
  get isFull(): boolean {
    // Who writes will learn of a failure; who only asks has the last answer.
    if (!this.#isRecent(this.#measured?.atMs)) this.#measure().catch(() => undefined);
    return this.#wasFull;
  }

  get #wasFull(): boolean {
    return this.#refusedAtMs !== undefined || this.#leftBytes() < this.#beginningBytes();
  }

  /** Throws `StoreFull` when nothing new may be begun. */
  async check(): Promise<void> {
    if (this.#isRecent(this.#refusedAtMs)) throw full();
    if (!this.#isRecent(this.#measured?.atMs) || this.#wasFull) await this.#measure();
    if (this.#wasFull) throw full();
  }

  /**
   * Runs `write`, which takes up to `sizeBytes`; throws `StoreFull` instead if that is too much. What
   * may use the reserve is refused by nobody but the disk.
   */
  async spend(
    sizeBytes: number,
    write: () => Promise<void> = async () => {},
    { mayUseReserve = false } = {},
  ): Promise<void> {
    if (!this.#isRecent(this.#measured?.atMs)) await this.#measure();
    if (this.#leftBytes() < sizeBytes && !mayUseReserve) {
      await this.#measure();
      if (this.#leftBytes() < sizeBytes) throw full();
    }
    this.#underWayBytes += sizeBytes;
    try {
      await write();
    } catch (error) {
      if (isStoreError(writeFailure(error), 'StoreFull')) this.#refusedAtMs = this.#clock.now();
      throw error;
    } finally {
      this.#underWayBytes -= sizeBytes;
      this.#spentBytes += sizeBytes;
    }
  }

  #isRecent(atMs: number | undefined): boolean {
    // Nor is a measurement of the future any good: the clock was set back.
    const ageMs = this.#clock.now() - (atMs ?? Number.NEGATIVE_INFINITY);
    return ageMs >= 0 && ageMs < measureMs;
  }

  /** What may still be written. Less than nothing when the reserve itself is touched. */
  #leftBytes(): number {
    const { sizeBytes, freeBytes } = this.#measured ?? { sizeBytes: 0, freeBytes: 0 };
    // It does not tell: then the write itself has to find out.
    if (sizeBytes === 0) return Number.POSITIVE_INFINITY;
    return freeBytes - this.#reserveBytes() - this.#spentBytes - this.#underWayBytes;
  }

  #reserveBytes(): number {
    return reserveSizes({ sizeBytes: this.#measured?.sizeBytes ?? 0 }).reserveBytes;
  }

  #beginningBytes(): number {
    return this.#reserveBytes() * beginningPart;
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
    if (!this.#isRecent(this.#refusedAtMs)) this.#refusedAtMs = undefined;
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
