import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { defined } from '../../lib/assert.ts';
import { storeErrorFrom } from './database-errors.ts';

/** Which batch of the journal is the last that the database contains: a row of its own table. */
export class JournalPosition {
  readonly #set: StatementSync;
  readonly #path: string | null;
  #sequence: number;

  constructor(database: DatabaseSync) {
    this.#set = database.prepare('UPDATE journal_position SET sequence = ?');
    this.#path = database.location();
    this.#sequence = journalPositionIn(database);
  }

  /** As it was last committed. */
  get sequence(): number {
    return this.#sequence;
  }

  /** In the open transaction. */
  set(sequence: number): void {
    try {
      this.#set.run(sequence);
    } catch (error) {
      throw storeErrorFrom(error, this.#path);
    }
  }

  noteCommit(sequence: number): void {
    this.#sequence = sequence;
  }
}

export function journalPositionIn(database: DatabaseSync): number {
  const row = database.prepare('SELECT sequence FROM journal_position').get();
  return Number(defined(row, 'the position in the journal')['sequence']);
}
