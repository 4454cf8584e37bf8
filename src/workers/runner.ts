import { defined } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Worker } from './worker.ts';

const firstPauseMs = 1000;
const longestPauseMs = 60_000;

/** How a worker is doing. */
export interface WorkerState {
  readonly name: string;
  /** `failing`: from a step that failed until one succeeds. */
  readonly state: 'working' | 'waiting' | 'failing' | 'stopped';
  /** What went wrong last, also when all went well since; null when nothing ever did. */
  readonly lastError: string | null;
  readonly lastErrorAtMs: number | null;
}

/** Runs workers until it is stopped. A step that fails is tried again after a pause that grows. */
export class WorkerRunner {
  readonly #workers: readonly Worker[];
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  readonly #states = new Map<Worker, WorkerState>();
  #loops: Promise<void>[] = [];

  constructor(options: {
    readonly workers: readonly Worker[];
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#workers = options.workers;
    this.#clock = options.clock;
    this.#log = options.log;
    for (const worker of options.workers) {
      const { name } = worker;
      this.#states.set(worker, { name, state: 'stopped', lastError: null, lastErrorAtMs: null });
    }
  }

  /** How each worker is doing, in the order in which they were given. */
  get states(): readonly WorkerState[] {
    return [...this.#states.values()];
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
    this.#note(worker, { state: 'working' });
    while (!signal.aborted) {
      try {
        const outcome = await worker.step(signal);
        this.#note(worker, { state: outcome === 'idle' ? 'waiting' : 'working' });
        if (outcome === 'idle') await worker.wake(signal);
        this.#note(worker, { state: 'working' });
        pauseMs = firstPauseMs;
      } catch (error) {
        if (signal.aborted) break;
        this.#note(worker, {
          state: 'failing',
          lastError: error instanceof Error ? error.message : String(error),
          lastErrorAtMs: this.#clock.now(),
        });
        this.#log.error('worker.failed', { worker: worker.name, error, pauseMs });
        await this.#pause(pauseMs, signal);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
    }
    this.#note(worker, { state: 'stopped' });
  }

  #note(worker: Worker, changes: Partial<WorkerState>): void {
    const state = defined(this.#states.get(worker), worker.name);
    this.#states.set(worker, { ...state, ...changes });
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
