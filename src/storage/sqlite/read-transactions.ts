import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';
import { storeErrorFrom } from './database-errors.ts';
import type { OneAtATime } from './one-at-a-time.ts';
import type { Scope } from './statements.ts';
import { type Turn, TurnQueue } from './turn-queue.ts';

/** How many run in one go, on one snapshot: each may take a while. */
const turnsMax = 16;

/**
 * Runs reads on a connection that nobody writes with. Those that wait together see one snapshot,
 * taken after the last of them came: so whoever was told of a write sees it. Nothing of a batch that
 * is not committed is in it, and nobody waits for that. When one fails in a way that makes SQLite end
 * the transaction, those behind it run again, in another.
 */
export class ReadTransactions {
  readonly #database: DatabaseSync;
  readonly #scope: Scope;
  readonly #path: string | null;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #queue: TurnQueue;

  constructor(options: {
    readonly database: DatabaseSync;
    readonly scope: Scope;
    /** Who else uses the connection; null when nobody does. */
    readonly exclusive?: OneAtATime | null;
  }) {
    const { exclusive = null } = options;
    this.#database = options.database;
    this.#scope = options.scope;
    this.#path = options.database.location();
    this.#begin = options.database.prepare('BEGIN');
    this.#end = options.database.prepare('ROLLBACK');
    this.#queue = new TurnQueue({
      countMax: turnsMax,
      run:
        exclusive === null
          ? (turns) => this.#run(turns)
          : (turns) => exclusive.run(() => this.#run(turns)),
    });
  }

  add<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.add(work);
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  /** Runs the first turns on one snapshot, all unless it is lost. Answers how many those were. */
  async #run(turns: readonly Turn[]): Promise<number> {
    const tellings: (() => void)[] = [];
    try {
      this.#begin.run();
      this.#scope.mode = 'reading';
      for (const turn of turns) {
        tellings.push(await this.#outcomeOf(turn));
        if (!this.#database.isTransaction) break;
      }
      this.#scope.mode = 'closed';
      if (this.#database.isTransaction) this.#end.run();
      for (const tell of tellings) tell();
      return tellings.length;
    } catch (error) {
      this.#scope.mode = 'closed';
      const failure = storeErrorFrom(error, this.#path);
      for (const turn of turns) turn.reject(failure);
      return turns.length;
    }
  }

  /** Runs the turn's work. What it answers tells the caller what that came to. */
  async #outcomeOf(turn: Turn): Promise<() => void> {
    try {
      const value = await turn.work();
      if (this.#database.isTransaction) return () => turn.resolve(value);
      // It took the failure for its own affair, and what it read may be of two snapshots.
      return () =>
        turn.reject(new StoreError('StoreUnavailable', 'The snapshot of a read is lost.'));
    } catch (error) {
      return () => turn.reject(error);
    }
  }
}
