import { setImmediate } from 'node:timers/promises';
import { isStoreError } from '../errors.ts';
import type { Journal, JournalBatch, JournalDamage } from '../journal.ts';
import type { WritableRows } from '../metadata-store.ts';
import type { Connection } from './connection.ts';
import { storeErrorFrom } from './database-errors.ts';
import { isOfHistory, JournalPosition, markOf, type Position } from './journal-position.ts';
import { applyCalls, decodePayload } from './payload.ts';

/** How many transactions are applied in one transaction of SQLite, before the event loop turns. */
const transactionsAtOnce = 1_000;

/** When SQLite's log has as many pages, a commit of the replay copies it. */
export const replayLogPages = 4_000;

export interface Replayed {
  readonly batchCount: number;
  /** What is damaged in the journal, though nothing was missing. */
  readonly damages: readonly string[];
}

/** The journal does not lead on from the database: something between them is missing or wrong. */
export class NotReplayable extends Error {
  override readonly name = 'NotReplayable';
}

/**
 * Applies what the journal has after the database's position. Throws `NotReplayable` when anything
 * of it is missing; the database then has what came before that.
 */
export async function replayJournal(
  { database, rows, scope }: Connection<WritableRows>,
  journal: Journal,
): Promise<Replayed> {
  const position = new JournalPosition(database);
  const replay = new Replay(rows, position);
  const isAhead = journal.lastSequence < position.sequence;
  database.exec(`PRAGMA wal_autocheckpoint = ${replayLogPages}`);
  const batches = journal.read(position.sequence)[Symbol.asyncIterator]();
  try {
    for (let isOver = false; !isOver; ) {
      database.exec('BEGIN IMMEDIATE');
      scope.mode = 'writing';
      isOver = await replay.applySome(batches);
      scope.mode = 'closed';
      database.exec('COMMIT');
      position.noteCommit(replay.position);
      await setImmediate();
    }
  } catch (error) {
    throw storeErrorFrom(error, database.location());
  } finally {
    scope.mode = 'closed';
    if (database.isTransaction) database.exec('ROLLBACK');
    database.exec('PRAGMA wal_autocheckpoint = 0');
    await batches.return?.();
  }
  return replay.end(isAhead);
}

class Replay {
  readonly #rows: WritableRows;
  readonly #target: JournalPosition;
  readonly #damages: string[] = [];
  /** Found since the last batch: it is not known yet whether that is missed. */
  #damage: string | null = null;
  #batchCount = 0;
  #position: Position;

  constructor(rows: WritableRows, target: JournalPosition) {
    this.#rows = rows;
    this.#target = target;
    this.#position = { sequence: target.sequence, mark: target.mark };
  }

  get position(): Position {
    return this.#position;
  }

  /** Within a transaction. Answers whether there is no more. */
  async applySome(batches: AsyncIterator<JournalBatch | JournalDamage>): Promise<boolean> {
    for (let count = 0; count < transactionsAtOnce; ) {
      const { done, value } = await batches.next();
      if (done === true) return true;
      if ('damage' in value) this.#noteDamage(value.damage);
      else if (value.sequence > this.#position.sequence) count += await this.#apply(value);
    }
    return false;
  }

  end(isAhead: boolean): Replayed {
    // At the end of the journal there is no telling how much is gone, unless the database is ahead.
    if (this.#damage !== null && !isAhead) {
      throw new NotReplayable(
        `The journal is damaged after batch ${this.#position.sequence}: ${this.#damage}.`,
      );
    }
    if (this.#damage !== null) this.#damages.push(this.#damage);
    return { batchCount: this.#batchCount, damages: this.#damages };
  }

  #noteDamage(damage: string): void {
    if (this.#damage !== null) this.#damages.push(this.#damage);
    this.#damage = damage;
  }

  /** Answers how many transactions it has. */
  async #apply({ sequence, payload }: JournalBatch): Promise<number> {
    const before = this.#position;
    if (sequence !== before.sequence + 1) {
      throw new NotReplayable(
        this.#damage === null
          ? `The batches after ${before.sequence} and before ${sequence} are missing.`
          : `The journal is damaged: ${this.#damage}.`,
      );
    }
    // What is damaged lies before: the database has that already.
    if (this.#damage !== null) this.#damages.push(this.#damage);
    this.#damage = null;
    const { previous, transactions } = decodePayload(payload);
    if (!isOfHistory(previous, before)) throw ofAnotherHistory(sequence, before);
    try {
      for (const calls of transactions) await applyCalls(this.#rows, calls);
    } catch (error) {
      if (isStoreError(error) && error.code !== 'Conflict') throw error;
      throw new NotReplayable(`Batch ${sequence} does not fit the database.`, { cause: error });
    }
    this.#position = { sequence, mark: markOf(payload) };
    this.#target.set(this.#position);
    this.#batchCount += 1;
    return transactions.length;
  }
}

function ofAnotherHistory(sequence: number, { sequence: last }: Position): NotReplayable {
  return new NotReplayable(
    `Batch ${sequence} of the journal does not follow on batch ${last} of the database: they are of ` +
      'two histories that part before.',
  );
}
