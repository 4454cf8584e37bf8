import type { Clock } from '../lib/clock.ts';

export interface IdleTimerOptions {
  readonly clock: Clock;
  readonly idleMs: number;
  /** Called once, when a wait has lasted `idleMs`. */
  readonly onIdle: () => void;
}

/** Given along, because an abort without a reason makes an error with a stack for each. */
const stopped = new Error('The timer was stopped.');

/**
 * Notices that one waits too long for the other side. Starting and ending a wait costs a reading
 * of the clock: one sleep runs at a time, and is renewed only when it ends.
 */
export class IdleTimer {
  readonly #options: IdleTimerOptions;
  readonly #stopped = new AbortController();
  #waitingSinceMs: number | undefined;
  #isArmed = false;

  constructor(options: IdleTimerOptions) {
    this.#options = options;
  }

  startWaiting(): void {
    this.#waitingSinceMs = this.#options.clock.now();
    if (!this.#isArmed) this.#arm(this.#options.idleMs);
  }

  endWaiting(): void {
    this.#waitingSinceMs = undefined;
  }

  stop(): void {
    this.#waitingSinceMs = undefined;
    this.#stopped.abort(stopped);
  }

  #arm(ms: number): void {
    this.#isArmed = true;
    this.#options.clock.sleep(ms, this.#stopped.signal).then(
      () => this.#check(),
      () => {
        // Stopped: there is nothing left to notice.
      },
    );
  }

  #check(): void {
    this.#isArmed = false;
    if (this.#waitingSinceMs === undefined) return;
    const waitedMs = this.#options.clock.now() - this.#waitingSinceMs;
    if (waitedMs >= this.#options.idleMs) {
      this.#waitingSinceMs = undefined;
      this.#options.onIdle();
    } else {
      this.#arm(this.#options.idleMs - waitedMs);
    }
  }
}
