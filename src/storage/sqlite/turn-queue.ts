import { setImmediate } from 'node:timers/promises';
import { StoreError } from '../errors.ts';

/** How many transactions may wait for their turn; more would only wait in vain. */
const waitingMax = 100_000;

/** A transaction that waits for its turn. */
export interface Turn {
  readonly work: () => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Runs the first few of the turns, and answers how many. Every one of those is settled then. */
export type RunTurns = (turns: readonly Turn[]) => Promise<number>;

/**
 * Transactions that wait for a connection, in the order of their arrival. Those that wait together
 * run together; then the event loop turns.
 */
export class TurnQueue {
  readonly #countMax: number;
  readonly #runTurns: RunTurns;
  readonly #waiting: Turn[] = [];
  #loop: Promise<void> | null = null;
  #running: Promise<unknown> | null = null;
  #gate: { readonly promise: Promise<void>; readonly open: () => void } | null = null;
  #isClosed = false;

  constructor(options: {
    /** How many are handed over at once. */
    readonly countMax: number;
    readonly run: RunTurns;
  }) {
    this.#countMax = options.countMax;
    this.#runTurns = options.run;
  }

  /** Runs `work` when its turn comes. */
  add<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(closed());
    if (this.#waiting.length >= waitingMax) return Promise.reject(overloaded());
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject });
      this.#loop ??= this.#runAll();
    }) as Promise<T>;
  }

  /** Lets no turn begin until `resume`; those that run go on. Twice is as good as once. */
  pause(): void {
    if (this.#gate !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = { promise, open: resolve };
  }

  resume(): void {
    this.#gate?.open();
    this.#gate = null;
  }

  /** Resolves when what runs at the moment has ended. */
  async ended(): Promise<void> {
    await this.#running;
  }

  /** Lets those that wait finish; whoever comes from now on is refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#loop;
  }

  async #runAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#gate !== null) await this.#gate.promise;
      const running = this.#runFirst(this.#waiting.slice(0, this.#countMax));
      this.#running = running;
      this.#waiting.splice(0, await running);
      this.#running = null;
      await setImmediate();
    }
    this.#loop = null;
  }

  async #runFirst(turns: readonly Turn[]): Promise<number> {
    try {
      return await this.#runTurns(turns);
    } catch (error) {
      // A defect of whoever runs them. Those that were told already take no notice.
      for (const turn of turns) turn.reject(error);
      return turns.length;
    }
  }
}

function closed(): StoreError {
  return new StoreError('StoreUnavailable', 'The database is closed.');
}

function overloaded(): StoreError {
  return new StoreError('StoreUnavailable', 'Too many transactions wait for the database.');
}
