/** Where the time comes from, and how one waits: a value, so that tests can turn it by hand. */
export interface Clock {
  /** The time now, in milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;

  /**
   * Milliseconds since some moment before the process asked first. Goes forward at its pace whatever
   * `now` is set to, so that what lasts as long as a process is measured with it: rests, grace
   * periods, how long something took. It says nothing to another process.
   */
  elapsedMs(): number;

  /**
   * Resolves after `ms` milliseconds, or after 24 days when that is sooner: who waits for a time
   * looks at the clock again. Rejects with the signal's reason when it is aborted first.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** `setTimeout` fires at once when asked to wait longer than this many milliseconds. */
const timeoutMsMax = 2 ** 31 - 1;

/** The machine's own clock. */
export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  elapsedMs(): number {
    return performance.now();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const abort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
        Math.min(Math.max(ms, 0), timeoutMsMax),
      );
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** A clock that stands still until somebody turns it. */
export class SimulatedClock implements Clock {
  #nowMs: number;
  #elapsedMs = 0;
  readonly #sleepers = new Set<Sleeper>();

  constructor(nowMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  elapsedMs(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      if (ms <= 0) {
        resolve();
        return;
      }
      const abort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        dueMs: this.#elapsedMs + ms,
        wake: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Moves the time forward by `ms` milliseconds and wakes all whose time has come. */
  advance(ms: number): void {
    this.#nowMs += ms;
    this.#elapsedMs += ms;
    for (const sleeper of [...this.#sleepers].sort((a, b) => a.dueMs - b.dueMs)) {
      if (sleeper.dueMs > this.#elapsedMs) break;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }

  /** Sets the clock forward, or back when `ms` is negative, as somebody may: no time passes. */
  jump(ms: number): void {
    this.#nowMs += ms;
  }
}
