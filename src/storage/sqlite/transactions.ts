import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { isStoreError, StoreError } from '../errors.ts';
import { storeErrorFrom } from './database-errors.ts';
import type { Durability } from './durability.ts';
import type { Scope } from './statements.ts';

/** How many transactions run in one go, and how many reads among them, before others may run. */
const turnsMax = 64;
const readsMax = 8;

/** How many transactions may wait for their turn; more would only wait in vain. */
const waitingMax = 100_000;

export type TurnKind = 'read' | 'preview' | 'write';

/** A transaction that waits for its turn, and what it comes to. */
interface Turn {
  readonly kind: TurnKind;
  readonly work: () => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** How a turn ended. */
interface Outcome {
  /** Tells the caller of it. */
  readonly tell: () => void;
  /** Whether it may be told before what was seen is durable. */
  readonly isProvisional: boolean;
}

/**
 * Runs transactions on the one connection of the main thread, in the order of their arrival.
 *
 * 1. One at a time: each sees what those before it left, and nothing of those after it.
 * 2. Those that wait together share a commit. Each write is a savepoint in it, so that one that
 *    throws leaves nothing of itself and disturbs no other. When the commit fails, all the writes
 *    fail, and the reads among them are done again.
 * 3. Whatever a transaction came to, an error too, is told only once all that it can have seen is
 *    durable. Commits of other processes included: they may not have synced theirs yet. Only the
 *    answer of a preview is told at once.
 * 4. Between commits and snapshots the event loop turns.
 */
export class Transactions {
  readonly #database: DatabaseSync;
  readonly #durability: Durability;
  readonly #scope: Scope;
  readonly #onCommit: () => void;
  readonly #onFull: () => void;
  readonly #control: ReturnType<typeof controlStatements>;
  readonly #dataVersion: StatementSync;
  #seenDataVersion: unknown;
  readonly #waiting: Turn[] = [];
  #run: Promise<void> | null = null;
  #gate: { readonly promise: Promise<void>; readonly open: () => void } | null = null;
  #isClosed = false;

  constructor(options: {
    readonly database: DatabaseSync;
    readonly durability: Durability;
    readonly scope: Scope;
    readonly onCommit: () => void;
    /** Told when there was no room for what was to be committed. */
    readonly onFull: () => void;
  }) {
    this.#database = options.database;
    this.#durability = options.durability;
    this.#scope = options.scope;
    this.#onCommit = options.onCommit;
    this.#onFull = options.onFull;
    this.#control = controlStatements(options.database);
    this.#dataVersion = options.database.prepare('PRAGMA data_version');
    this.#seenDataVersion = this.#readDataVersion();
  }

  /** Runs `work` when its turn comes. */
  add<T>(kind: TurnKind, work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) return Promise.reject(closed());
    if (this.#waiting.length >= waitingMax) return Promise.reject(overloaded());
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.push({ kind, work, resolve, reject });
      this.#run ??= this.#runAll();
    }) as Promise<T>;
  }

  /** Lets no transaction begin until `resume`; one that runs goes on. Twice is as good as once. */
  pause(): void {
    if (this.#gate !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = { promise, open: resolve };
  }

  resume(): void {
    this.#gate?.open();
    this.#gate = null;
  }

  /** Lets those that wait finish; whoever comes from now on is refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#run;
  }

  async #runAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#gate !== null) await this.#gate.promise;
      const turns = this.#take();
      await (turns.some(isWrite) ? this.#runWrites(turns) : this.#runReads(turns));
      await setImmediate();
    }
    this.#run = null;
  }

  async #runReads(turns: readonly Turn[]): Promise<void> {
    const outcomes: Outcome[] = [];
    try {
      this.#control.begin.run();
      this.#noteForeignCommits();
      this.#scope.mode = 'reading';
      for (const turn of turns) outcomes.push(await outcomeOf(turn));
      this.#scope.mode = 'closed';
      this.#control.commit.run();
    } catch (error) {
      this.#abandon(turns, error);
      return;
    }
    this.#tell(turns, outcomes);
  }

  /** Runs turns of which some write. */
  async #runWrites(turns: readonly Turn[]): Promise<void> {
    const outcomes: Outcome[] = [];
    try {
      this.#refuseAfterFailure();
      this.#control.beginWriting.run();
      for (const turn of turns) {
        this.#scope.mode = isWrite(turn) ? 'writing' : 'reading';
        outcomes.push(await (isWrite(turn) ? this.#runInSavepoint(turn) : outcomeOf(turn)));
      }
      this.#scope.mode = 'closed';
      this.#control.commit.run();
      this.#durability.noteCommit();
      this.#refuseAfterFailure();
    } catch (error) {
      this.#abandon(turns.filter(isWrite), error);
      const reads = turns.filter((turn) => !isWrite(turn));
      if (reads.length > 0) await this.#runReads(reads);
      return;
    }
    this.#tell(turns, outcomes);
    this.#onCommit();
  }

  async #runInSavepoint(turn: Turn): Promise<Outcome> {
    this.#control.savepoint.run();
    const outcome = await outcomeOf(turn, (error) => {
      // When there was no room, SQLite has rolled back everything already.
      if (!this.#database.isTransaction) throw error;
      this.#control.rollbackTo.run();
    });
    // Not even a turn that took the failure for its own affair may go on as if nothing was.
    if (!this.#database.isTransaction) throw rolledBack();
    this.#control.release.run();
    return outcome;
  }

  #refuseAfterFailure(): void {
    if (this.#durability.failure !== null) throw this.#durability.failure;
  }

  /** The turns that come next, in their order. */
  #take(): Turn[] {
    let reads = 0;
    const end = this.#waiting.findIndex((turn, index) => {
      if (!isWrite(turn)) reads += 1;
      return index === turnsMax || reads > readsMax;
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  /** Rolls everything back and tells all: what they share has failed. */
  #abandon(turns: readonly Turn[], error: unknown): void {
    this.#scope.mode = 'closed';
    if (this.#database.isTransaction) this.#control.rollback.run();
    const failure = storeErrorFrom(error, this.#database.location());
    for (const turn of turns) turn.reject(failure);
    if (isStoreError(failure, 'StoreFull')) this.#onFull();
  }

  #tell(turns: readonly Turn[], outcomes: readonly Outcome[]): void {
    const durable = this.#durability.settled();
    for (const { tell, isProvisional } of outcomes) {
      if (durable === undefined || isProvisional) tell();
    }
    // Those that were told already take no notice.
    durable?.then(
      () => {
        for (const { tell } of outcomes) tell();
      },
      (error: unknown) => {
        for (const turn of turns) turn.reject(error);
      },
    );
  }

  /** Within a snapshot: whether it shows commits that are not ours, and perhaps not synced. */
  #noteForeignCommits(): void {
    const dataVersion = this.#readDataVersion();
    if (dataVersion === this.#seenDataVersion) return;
    this.#seenDataVersion = dataVersion;
    this.#durability.noteCommit();
  }

  #readDataVersion(): unknown {
    return this.#dataVersion.get()?.['data_version'];
  }
}

function isWrite({ kind }: Turn): boolean {
  return kind === 'write';
}

/** Runs the turn's work, and `undo` if that throws. What it came to is told later. */
async function outcomeOf(turn: Turn, undo?: (error: unknown) => void): Promise<Outcome> {
  try {
    const value = await turn.work();
    return { tell: () => turn.resolve(value), isProvisional: turn.kind === 'preview' };
  } catch (error) {
    undo?.(error);
    return { tell: () => turn.reject(error), isProvisional: false };
  }
}

/** What begins and ends transactions, prepared once. */
function controlStatements(database: DatabaseSync) {
  return {
    begin: database.prepare('BEGIN'),
    beginWriting: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    savepoint: database.prepare('SAVEPOINT turn'),
    rollbackTo: database.prepare('ROLLBACK TO turn'),
    release: database.prepare('RELEASE turn'),
  };
}

function rolledBack(): StoreError {
  return new StoreError('StoreUnavailable', 'The database rolled the transaction back.');
}

function closed(): StoreError {
  return new StoreError('StoreUnavailable', 'The database is closed.');
}

function overloaded(): StoreError {
  return new StoreError('StoreUnavailable', 'Too many transactions wait for the database.');
}
