import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Worker } from './worker.ts';

const firstPauseMs = 1000;
const longestPauseMs = 60_000;

/** Runs workers until it is stopped. A step that fails is tried again after a pause that grows. */
export class WorkerRunner {
  readonly #workers: readonly Worker[];
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  #loops: Promise<void>[] = [];

  constructor(options: {
    readonly workers: readonly Worker[];
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#workers = options.workers;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  start(): void {
    this.#loops = this.#workers.map((worker) => this.#loop(worker));
  }

  /** Resolves when every worker stands still. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
  }

  async #loop(worker: Worker): Promise<void> {
    const { signal } = this.#stopping;
    let pauseMs = firstPauseMs;
    while (!signal.aborted) {
      try {
        if ((await worker.step(signal)) === 'idle') await worker.wake(signal);
        pauseMs = firstPauseMs;
      } catch (error) {
        if (signal.aborted) return;
        this.#log.error('worker.failed', { worker: worker.name, error, pauseMs });
        await this.#pause(pauseMs, signal);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
    }
  }

  /** Resolves after the pause, or at once when the runner stops. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(ms, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
