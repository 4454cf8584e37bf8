import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';

/** How long a connection waits for another process to end its write, in milliseconds. */
export const busyTimeoutMs = 2_000;

const pageSizeBytes = 4096;

/** What the connections keep in memory. A reader's cache is good only until the next commit. */
const cacheKib = { writing: 20 * 1024, reading: 8 * 1024 } as const;

/** The first version of SQLite that can tell the length of its log without copying it. */
const versionMin = '3.51.0';

/**
 * Opens the connection that writes to the database at `path`, and makes the database if there is
 * none, readable by its owner alone, for it holds secrets.
 */
export function openDatabase(path: string, sizeBytesMax?: number): DatabaseSync {
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

/** Opens a connection that cannot write to the database at `path`, which is there. */
export function openForReading(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs, readOnly: true });
  try {
    refuseOldSqlite(database);
    database.exec(`PRAGMA cache_size = -${cacheKib.reading}; PRAGMA temp_store = MEMORY;
      PRAGMA mmap_size = 0`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function configure(database: DatabaseSync, path: string): void {
  database.exec(`PRAGMA page_size = ${pageSizeBytes}; PRAGMA cache_size = -${cacheKib.writing};
    PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0`);
  if (path === ':memory:') return;
  const journal = database.prepare('PRAGMA journal_mode = WAL').get();
  if (journal?.['journal_mode'] !== 'wal') {
    throw new StoreError('StoreUnavailable', `The database ${path} does not take a log.`);
  }
  // Commits do not sync: what they hold is in the journal. Nor do they copy the log: `Checkpointer`
  // does. Copying syncs the log before and the database after.
  database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');
  // Reads it, so that the log and its index are there.
  database.prepare('PRAGMA schema_version').get();
  for (const suffix of ['-wal', '-shm']) chmodSync(path + suffix, 0o600);
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
