import type { Clock } from '../lib/clock.ts';

/** Notices that one waits too long for the other side. Starting and ending a wait costs little. */
export interface IdleTimer {
  /** Starts a wait. One that is never ended has `onIdle` called, once, when it has lasted enough. */
  startWaiting(): void;
  endWaiting(): void;
}

interface Wait {
  sinceMs: number;
  readonly onIdle: () => void;
}

/** Given along, because an abort without a reason makes an error with a stack. */
const stopped = new Error('The timers were stopped.');

/**
 * The idle timers of a server. One sleep serves them all, and outlasts most waits: a timer of its
 * own, to be made and cleared for each request, costs as much as the request's signature.
 */
export class IdleTimers {
  readonly #clock: Clock;
  readonly #idleMs: number;
  /** In the order in which they began. They all may last as long: the first is the first to end. */
  readonly #waits = new Set<Wait>();
  readonly #stopped = new AbortController();
  #isAsleep = false;

  constructor({ clock, idleMs }: { readonly clock: Clock; readonly idleMs: number }) {
    this.#clock = clock;
    this.#idleMs = idleMs;
  }

  create(onIdle: () => void): IdleTimer {
    const wait: Wait = { sinceMs: 0, onIdle };
    return {
      startWaiting: () => this.#start(wait),
      endWaiting: () => this.#waits.delete(wait),
    };
  }

  /** Lets the process end. No wait is noticed any more. */
  stop(): void {
    this.#stopped.abort(stopped);
  }

  #start(wait: Wait): void {
    wait.sinceMs = this.#clock.elapsedMs();
    this.#waits.delete(wait);
    this.#waits.add(wait);
    if (!this.#isAsleep) this.#sleep(this.#idleMs);
  }

  #sleep(ms: number): void {
    this.#isAsleep = true;
    this.#clock.sleep(ms, this.#stopped.signal).then(
      () => this.#check(),
      () => {
        // Stopped: there is nothing left to notice.
      },
    );
  }

  #check(): void {
    this.#isAsleep = false;
    const nowMs = this.#clock.elapsedMs();
    const overdue: Wait[] = [];
    for (const wait of this.#waits) {
      const leftMs = wait.sinceMs + this.#idleMs - nowMs;
      if (leftMs > 0) {
        this.#sleep(leftMs);
        break;
      }
      this.#waits.delete(wait);
      overdue.push(wait);
    }
    for (const { onIdle } of overdue) onIdle();
  }
}
