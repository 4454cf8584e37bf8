import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { isStoreError, StoreError } from '../errors.ts';
import type { Journal } from '../journal.ts';
import type { WritableRows } from '../metadata-store.ts';
import { sqliteCode, storeErrorFrom } from './database-errors.ts';
import { JournalPosition, journalPositionIn, markOf, type Position } from './journal-position.ts';
import { applyCalls, decodePayload, encodePayload } from './payload.ts';
import { type Recording, recorded } from './recording.ts';
import type { Scope } from './statements.ts';
import type { Turn } from './turn-queue.ts';

/** A batch ends when its payload has become this long; a single transaction may make it longer. */
const payloadLengthMax = 4 * 1024 * 1024;

/** After as many transactions of a batch the event loop turns. */
const turnsAtOnce = 32;

/** How often a batch that is in the journal is tried again when it could not be committed. */
const triesMax = 3;

export interface WriteBatchesOptions {
  readonly database: DatabaseSync;
  readonly rows: WritableRows;
  readonly scope: Scope;
  readonly recording: Recording;
  readonly journal: Journal;
  /** To be called after each commit, outside of transactions. */
  readonly onCommit: () => void;
  /** Told that there was no room for the database. */
  readonly onFull: () => Promise<void>;
  /** Makes room for a commit that cannot be given up any more. */
  readonly makeRoom: () => Promise<void>;
  /** Told why nothing is written any more. */
  readonly onFailure: (error: StoreError) => void;
  /** Called before each commit. A value, so that a test can fail it. */
  readonly beforeCommit?: (() => void) | undefined;
}

/**
 * Runs writes, on the one connection that writes.
 *
 * 1. One at a time: each sees what those before it left, and nothing of those after it.
 * 2. Those that wait together are a batch: one transaction of SQLite, one batch of the journal. Each
 *    is a savepoint in it, so that one that throws leaves nothing of itself and disturbs no other.
 * 3. A batch is committed only when it is in the journal, and with the number that it has there.
 *    Nobody is told of it before, also not what a transaction threw: it may rest on the others.
 * 4. When the journal does not take the batch, nothing of it stays: all of its writes fail.
 * 5. When a batch that is in the journal cannot be committed, it is applied again. If that fails
 *    too, or the journal is in doubt, nothing is written any more: what is in the journal comes
 *    back when the store is opened again, and nothing may be built on a state without it.
 */
export class WriteBatches {
  readonly #options: WriteBatchesOptions;
  readonly #database: DatabaseSync;
  readonly #control: ReturnType<typeof controlStatements>;
  readonly #position: JournalPosition;
  readonly #recordedRows: WritableRows;
  #failure: StoreError | null = null;

  constructor(options: WriteBatchesOptions) {
    this.#options = options;
    this.#database = options.database;
    this.#control = controlStatements(options.database);
    this.#position = new JournalPosition(options.database);
    this.#recordedRows = recorded(options.rows, options.recording);
  }

  /** What transactions work with. */
  get rows(): WritableRows {
    return this.#recordedRows;
  }

  /** Why every write is refused; null when none is. */
  get failure(): StoreError | null {
    return this.#failure;
  }

  /** Throws when every write is refused. */
  checkSound(): void {
    const cause = this.#failure;
    if (cause === null) return;
    throw new StoreError(cause.code, cause.message, { cause, isRefusal: true });
  }

  /** Refuses everything from now on, because of `error`. */
  fail(error: unknown): StoreError {
    if (this.#failure === null) {
      this.#failure = unavailable(error);
      this.#options.onFailure(this.#failure);
    }
    return this.#failure;
  }

  /** Runs the first turns as one batch, and answers how many those were. */
  async run(turns: readonly Turn[]): Promise<number> {
    const { scope, onCommit } = this.#options;
    const batch: Batch = { begun: [], tellings: [], changes: [] };
    try {
      this.checkSound();
      this.#control.begin.run();
      scope.mode = 'writing';
      await this.#runInOrder(turns, batch);
      scope.mode = 'closed';
      if (batch.changes.length === 0) this.#control.rollback.run();
      else await this.#keep(encodePayload(batch.changes, this.#position.mark));
    } catch (error) {
      return await this.#abandon(batch.begun.length === 0 ? turns : batch.begun, error);
    }
    for (const tell of batch.tellings) tell();
    if (batch.changes.length > 0) onCommit();
    return batch.begun.length;
  }

  async #runInOrder(turns: readonly Turn[], batch: Batch): Promise<void> {
    let length = 0;
    for (const turn of turns) {
      batch.begun.push(turn);
      const calls = await this.#runInSavepoint(turn, batch);
      if (calls !== '') batch.changes.push(calls);
      length += calls.length;
      if (length >= payloadLengthMax) break;
      if (batch.begun.length % turnsAtOnce === 0) await setImmediate();
    }
  }

  /** Answers the text of its calls. */
  async #runInSavepoint(turn: Turn, batch: Batch): Promise<string> {
    const { recording } = this.#options;
    this.#control.savepoint.run();
    let isKept = false;
    try {
      const value = await turn.work();
      isKept = recording.failure === null;
      batch.tellings.push(() => turn.resolve(value));
    } catch (error) {
      batch.tellings.push(() => turn.reject(error));
    }
    const { failure } = recording;
    const calls = recording.take();
    // When there was no room, SQLite may have rolled back everything already.
    if (!this.#database.isTransaction) throw failure?.error ?? rolledBack();
    if (!isKept) this.#control.rollbackTo.run();
    this.#control.release.run();
    if (isKept) return calls;
    // Not even a turn that took the failure for its own affair may go on as if nothing was.
    if (failure !== null) batch.tellings.splice(-1, 1, () => turn.reject(failure.error));
    return '';
  }

  /** Makes the open transaction durable, and commits it. */
  async #keep(payload: Uint8Array): Promise<void> {
    // Damage was met by what the batch is made of.
    if (this.#failure !== null) throw this.#failure;
    const position = { sequence: this.#position.sequence + 1, mark: markOf(payload) };
    this.#position.set(position);
    await this.#append(position.sequence, payload);
    try {
      this.#commit();
    } catch {
      // The journal has it: it must not fail now and then come back at the next start.
      await this.#applyAgain(position, payload);
    }
    this.#position.noteCommit(position);
  }

  async #append(sequence: number, payload: Uint8Array): Promise<void> {
    try {
      await this.#options.journal.append({ sequence, payload });
    } catch (error) {
      // It may be there or not: that shows only when the journal is opened again.
      throw isStoreError(error, 'StoreFull') ? error : this.fail(error);
    }
  }

  #commit(): void {
    this.#options.beforeCommit?.();
    this.#control.commit.run();
  }

  async #applyAgain(position: Position, payload: Uint8Array): Promise<void> {
    const { rows, scope } = this.#options;
    let failure: unknown;
    for (let tries = 0; tries < triesMax; tries += 1) {
      try {
        this.#rollBack();
        await this.#options.makeRoom();
        this.#control.begin.run();
        // It was committed after all.
        if (journalPositionIn(this.#database).sequence === position.sequence) {
          this.#rollBack();
          return;
        }
        scope.mode = 'writing';
        const { transactions } = decodePayload(payload);
        for (const calls of transactions) await applyCalls(rows, calls);
        this.#position.set(position);
        scope.mode = 'closed';
        this.#commit();
        return;
      } catch (error) {
        failure = error;
      }
    }
    throw this.fail(failure);
  }

  /** Rolls everything back and tells all: what they share has failed. Answers how many they are. */
  async #abandon(turns: readonly Turn[], error: unknown): Promise<number> {
    this.#rollBack();
    this.#options.recording.take();
    const failure = storeErrorFrom(error, this.#database.location());
    for (const turn of turns) turn.reject(failure);
    // When it is the journal that is full, those who keep it know.
    if (isFull(failure)) await this.#options.onFull();
    return turns.length;
  }

  #rollBack(): void {
    this.#options.scope.mode = 'closed';
    try {
      if (this.#database.isTransaction) this.#control.rollback.run();
    } catch (error) {
      this.fail(error);
    }
  }
}

/** What has become of a batch so far. */
interface Batch {
  readonly begun: Turn[];
  /** Each tells a caller what its transaction came to. */
  readonly tellings: (() => void)[];
  /** Of each transaction that changed something, the text of its calls. */
  readonly changes: string[];
}

/** What begins and ends transactions, prepared once. */
function controlStatements(database: DatabaseSync): Readonly<Record<ControlName, StatementSync>> {
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    rollback: database.prepare('ROLLBACK'),
    savepoint: database.prepare('SAVEPOINT turn'),
    rollbackTo: database.prepare('ROLLBACK TO turn'),
    release: database.prepare('RELEASE turn'),
  };
}

type ControlName = 'begin' | 'commit' | 'rollback' | 'savepoint' | 'rollbackTo' | 'release';

function unavailable(cause: unknown): StoreError {
  if (isStoreError(cause, 'StoreUnavailable')) return cause;
  const message = 'The database is not written any more, since it could not be made durable.';
  return new StoreError('StoreUnavailable', message, { cause });
}

/** Whether it was SQLite that found no room. */
function isFull(failure: unknown): boolean {
  return isStoreError(failure, 'StoreFull') && sqliteCode(failure.cause) !== undefined;
}

function rolledBack(): StoreError {
  return new StoreError('StoreUnavailable', 'The database rolled the transaction back.');
}
