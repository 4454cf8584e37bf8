import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';
import type { MetadataStore } from '../metadata-store.ts';
import { connectForReading } from './connection.ts';
import { openForReading } from './database.ts';
import { isDamage, storeErrorFrom } from './database-errors.ts';
import { isThere } from './database-files.ts';
import { problemsIn } from './integrity.ts';
import { journalPositionIn, type Position } from './journal-position.ts';
import { ReadTransactions } from './read-transactions.ts';

/** Rows to read, and nothing else. */
export interface ReadOnlyStore extends Pick<MetadataStore, 'read'>, AsyncDisposable {
  /** Where in the journal the rows are. */
  position(): Promise<Position>;
  /** What is wrong with the database, as far as it can tell by itself. Reads all of it, at once. */
  integrityProblems(): Promise<readonly string[]>;
}

const problemsMax = 20;

/**
 * Opens the database for reading, also while a server runs on it: reads see what is committed then.
 * What a crash left in the journal alone is not in it before the server was started again. Throws
 * `StoreUnavailable` when there is no database, or when it is not of this version.
 */
export async function openReadOnly(path: string): Promise<ReadOnlyStore> {
  try {
    if (!(await isThere(path))) {
      throw new StoreError('StoreUnavailable', `There is no database ${path}.`);
    }
    const connection = await connectForReading({ path });
    const { database, rows } = connection;
    const reads = new ReadTransactions(connection);
    return {
      read: (work) => reads.add(() => work(rows)),
      position: () => reads.add(async () => journalPositionIn(database)),
      integrityProblems: () => reads.add(async () => problemsOf(database)),
      async [Symbol.asyncDispose]() {
        await reads.close();
        if (database.isOpen) database.close();
      },
    };
  } catch (error) {
    throw storeErrorFrom(error, path);
  }
}

/**
 * Whether the database holds anything that was ever written to the store: one that is missing, or
 * that a start has made and no more, does not. What cannot be read is taken for something.
 */
export async function holdsRows(path: string): Promise<boolean> {
  if (!(await isThere(path))) return false;
  try {
    using database = new DatabaseSync(path, { readOnly: true });
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    if (!tables.some(({ name }) => name === 'journal_position')) return tables.length > 0;
    const position = database.prepare('SELECT sequence FROM journal_position').get();
    return Number(position?.['sequence'] ?? 0) > 0;
  } catch {
    // Opening it to write tells what is wrong, and what to do.
    return true;
  }
}

/**
 * A fact in the database at `path`, of whatever version its schema is; nothing where there is none
 * that can be read.
 */
export async function factIn(path: string, name: string): Promise<string | undefined> {
  try {
    if (!(await isThere(path))) return undefined;
    using database = openForReading(path);
    const row = database.prepare('SELECT value FROM facts WHERE name = ?').get(name);
    return row === undefined ? undefined : String(row['value']);
  } catch {
    // New, damaged, or no database: opening it to write tells which, and what to do.
    return undefined;
  }
}

function problemsOf(database: DatabaseSync): string[] {
  try {
    return problemsIn(database, problemsMax);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return [String(error)];
  }
}
