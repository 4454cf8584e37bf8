import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';

/** How long a connection waits for another process to end its write, in milliseconds. */
export const busyTimeoutMs = 2_000;

const pageSizeBytes = 4096;
const cacheSizeKib = 64 * 1024;

/** The first version of SQLite that can tell the length of its log without copying it. */
const versionMin = '3.51.0';

/**
 * Opens the main thread's connection to the database at `path`, and makes the database if there is
 * none, readable by its owner alone, for it holds secrets.
 */
export function openDatabase(path: string, sizeBytesMax: number | undefined): DatabaseSync {
  if (path !== ':memory:') makePrivate(path);
  const database = new DatabaseSync(path, {
    timeout: busyTimeoutMs,
    enableForeignKeyConstraints: true,
  });
  try {
    refuseOldSqlite(database);
    configure(database, path);
    if (sizeBytesMax !== undefined) {
      database.exec(`PRAGMA max_page_count = ${Math.ceil(sizeBytesMax / pageSizeBytes)}`);
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function configure(database: DatabaseSync, path: string): void {
  database.exec(`PRAGMA page_size = ${pageSizeBytes}; PRAGMA cache_size = -${cacheSizeKib};
    PRAGMA temp_store = MEMORY`);
  if (path === ':memory:') return;
  const journal = database.prepare('PRAGMA journal_mode = WAL').get();
  if (journal?.['journal_mode'] !== 'wal') {
    throw new StoreError('StoreUnavailable', `The database ${path} does not take a log.`);
  }
  // Commits do not sync: `Durability` does. Nor do they copy the log: `Checkpointer` does.
  database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');
}

/** SQLite makes the log and its index with the mode of the database. */
function makePrivate(path: string): void {
  try {
    // Made here or not touched at all: closing a file that SQLite has locked would unlock it.
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    if (!isThere) throw error;
    chmodSync(path, 0o600);
  }
}

function refuseOldSqlite(database: DatabaseSync): void {
  const version = String(database.prepare('SELECT sqlite_version() AS version').get()?.['version']);
  if (version.localeCompare(versionMin, 'en', { numeric: true }) >= 0) return;
  throw new StoreError(
    'StoreUnavailable',
    `This Node.js carries SQLite ${version}, and ${versionMin} or later is needed: run a later one.`,
  );
}
