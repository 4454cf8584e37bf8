import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { defined } from '../../lib/assert.ts';
import { sha256 } from '../../lib/node/sha256.ts';
import { storeErrorFrom } from './database-errors.ts';

/** A place in a history of changes. */
export interface Position {
  /** Of the last batch before it. */
  readonly sequence: number;
  /** Of that batch, so that one of another history is told from it. Empty where it is not known. */
  readonly mark: string;
}

/** What tells a batch, and with it all that came before it, from others of the same number. */
export function markOf(payload: Uint8Array): string {
  return Buffer.from(sha256(payload)).toString('hex', 0, 8);
}

/** Whether a batch that names `previous` can follow on `position`. */
export function isOfHistory(previous: string, { mark }: Position): boolean {
  return previous === '' || mark === '' || previous === mark;
}

/** Which batch of the journal is the last that the database contains: a row of its own table. */
export class JournalPosition implements Position {
  readonly #set: StatementSync;
  readonly #path: string | null;
  #committed: Position;

  constructor(database: DatabaseSync) {
    this.#set = database.prepare('UPDATE journal_position SET sequence = ?, mark = ?');
    this.#path = database.location();
    this.#committed = journalPositionIn(database);
  }

  /** As it was last committed. */
  get sequence(): number {
    return this.#committed.sequence;
  }

  get mark(): string {
    return this.#committed.mark;
  }

  /** In the open transaction. */
  set({ sequence, mark }: Position): void {
    try {
      this.#set.run(sequence, mark);
    } catch (error) {
      throw storeErrorFrom(error, this.#path);
    }
  }

  noteCommit({ sequence, mark }: Position): void {
    this.#committed = { sequence, mark };
  }
}

export function journalPositionIn(database: DatabaseSync): Position {
  const row = defined(
    database.prepare('SELECT sequence, mark FROM journal_position').get(),
    'the position in the journal',
  );
  return { sequence: Number(row['sequence']), mark: String(row['mark']) };
}
