import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

/** By so much a clock is corrected without a word. */
const jumpMsMin = 5 * 60 * 1000;
/** A jump that has lasted so long is believed. */
const settlingMsMin = 24 * 60 * 60 * 1000;

interface Jump {
  /** How far the clock was before what had elapsed, from then on. */
  readonly offsetMs: number;
  readonly sinceMs: number;
}

/**
 * What the time is at least, and at most, on a machine whose clock may be set to another time.
 *
 * What must not end too early asks for the earliest: it goes no faster than time elapses, until a
 * clock that was set forward has kept to it for a day. What must not be kept waiting asks for the
 * latest: it never goes back. While nobody touches the clock both are what it says.
 *
 * It knows nothing of what was before its process: the time that it is made at is believed.
 */
export class TimeBounds {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #settlingMs: number;
  /** How far the clock is before what has elapsed, as far as it is believed. */
  #offsetMs: number;
  #latestOffsetMs: number;
  /** A jump forward that is not believed yet. */
  #jump: Jump | undefined;

  /** `longestMs`: as long lasts what ends by the earliest time. A jump is not believed sooner. */
  constructor(options: { readonly clock: Clock; readonly log: Log; readonly longestMs: number }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#settlingMs = Math.max(settlingMsMin, options.longestMs);
    this.#offsetMs = options.clock.now() - options.clock.elapsedMs();
    this.#latestOffsetMs = this.#offsetMs;
  }

  earliest(): number {
    const { nowMs, elapsedMs } = this.#look();
    return this.#jump === undefined ? nowMs : Math.floor(elapsedMs + this.#offsetMs);
  }

  latest(): number {
    const { nowMs, elapsedMs } = this.#look();
    return Math.max(nowMs, Math.floor(elapsedMs + this.#latestOffsetMs));
  }

  /** Compares the clock with what has elapsed. Whoever asks for the time does it now and then. */
  #look(): { readonly nowMs: number; readonly elapsedMs: number } {
    const nowMs = this.#clock.now();
    const elapsedMs = this.#clock.elapsedMs();
    const offsetMs = nowMs - elapsedMs;
    this.#latestOffsetMs = Math.max(this.#latestOffsetMs, offsetMs);
    const before = this.#jump?.offsetMs ?? this.#offsetMs;
    const aheadMs = offsetMs - this.#offsetMs;
    if (Math.abs(offsetMs - before) > jumpMsMin) {
      this.#tell('clock.jumped', { fromMs: before + elapsedMs, toMs: nowMs });
      if (aheadMs > jumpMsMin) this.#jump = { offsetMs, sinceMs: elapsedMs };
    }
    if (aheadMs <= jumpMsMin) {
      this.#believe(offsetMs);
    } else if (this.#jump !== undefined && elapsedMs - this.#jump.sinceMs >= this.#settlingMs) {
      this.#tell('clock.believed', { fromMs: this.#offsetMs + elapsedMs, toMs: nowMs });
      this.#believe(offsetMs);
    }
    return { nowMs, elapsedMs };
  }

  #believe(offsetMs: number): void {
    this.#offsetMs = offsetMs;
    this.#jump = undefined;
  }

  /** `fromMs`: what the clock would say if nobody had set it. */
  #tell(event: string, { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): void {
    this.#log.warn(event, { from: dateOf(fromMs), to: dateOf(toMs) });
  }
}

function dateOf(ms: number): string {
  return new Date(Math.floor(ms)).toISOString();
}
