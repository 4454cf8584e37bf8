import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { StoreError } from '../errors.ts';
import type { MetadataStore, Rows, WritableRows } from '../metadata-store.ts';
import { accountWriter, factWriter } from './account-rows.ts';
import { archiveWriter, blobReferenceReader } from './archive-rows.ts';
import { Checkpointer } from './checkpointer.ts';
import { openDatabase } from './database.ts';
import { storeErrorFrom } from './database-errors.ts';
import { Durability, openLog, type SyncFile } from './durability.ts';
import { emptyLog } from './empty-log.ts';
import { jobWriter } from './job-rows.ts';
import { migrate } from './migrate.ts';
import { nodeSqliteDialect } from './node-sqlite-dialect.ts';
import type { Tables } from './schema.ts';
import { type Scope, statementCompiler } from './statements.ts';
import { Transactions } from './transactions.ts';
import { vaultWriter } from './vault-rows.ts';

export interface SqliteOptions {
  /** Where the database is, or shall be; its directory is there. `:memory:` keeps it nowhere. */
  readonly path: string;
  /** By whose time the log is copied while the store is quiet. Without it only a long log is. */
  readonly clock?: Clock;
  readonly log: Log;
  /** How the log is synced. */
  readonly sync?: SyncFile;
  /** How large the database may become. */
  readonly sizeBytesMax?: number;
  /** Told the text of each statement that the store will run. */
  readonly onCompiled?: (text: string) => void;
}

/**
 * Rows in a SQLite database, over one connection on the main thread. Its parts keep the promises:
 *
 * - `Transactions`: all or nothing, one after the other.
 * - `Durability`: no answer before what it rests on is durable.
 * - `Checkpointer`: a log that stays short, and holds no row alone for long.
 *
 * Nothing is kept in memory from one transaction to the next, so another process may write to the
 * same database, and is seen at once.
 */
export class SqliteMetadataStore implements MetadataStore {
  readonly #database: DatabaseSync;
  readonly #log: Log;
  readonly #durability: Durability;
  readonly #transactions: Transactions;
  readonly #checkpointer: Checkpointer | null;
  readonly #rows: WritableRows;
  #disposal: Promise<void> | null = null;

  /** Throws `StoreUnavailable` when there is no using the database, and says why. */
  static async open(options: SqliteOptions): Promise<SqliteMetadataStore> {
    try {
      return await openStore(options, (parts) => new SqliteMetadataStore(options, parts));
    } catch (error) {
      throw openingError(options.path, storeErrorFrom(error));
    }
  }

  private constructor(options: SqliteOptions, parts: Parts) {
    const { database, db, durability } = parts;
    const scope: Scope = { mode: 'closed' };
    this.#database = database;
    this.#log = options.log;
    this.#durability = durability;
    this.#rows = rowsOver({ ...options, database, db, scope });
    this.#transactions = new Transactions({
      database,
      durability,
      scope,
      onCommit: () => this.#checkpointer?.noteCommit(),
      onFull: () => this.#checkpointer?.noteFull(),
    });
    this.#checkpointer = isInMemory(options.path)
      ? null
      : new Checkpointer({
          database,
          path: options.path,
          gate: this.#transactions,
          log: options.log,
          onFailure: (error) => durability.fail(error),
          clock: options.clock,
          freeBytes: () => freeBytesAt(dirname(options.path)),
        });
  }

  read<T>(work: (rows: Rows) => Promise<T>): Promise<T> {
    return this.#transactions.add('read', () => work(this.#rows));
  }

  preview<T>(work: (rows: Rows) => Promise<T>): Promise<T> {
    return this.#transactions.add('preview', () => work(this.#rows));
  }

  write<T>(work: (rows: WritableRows) => Promise<T>): Promise<T> {
    return this.#transactions.add('write', () => work(this.#rows));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    await this.#transactions.close();
    await this.#checkpointer?.close();
    await this.#durability[Symbol.asyncDispose]();
    // What could not be made durable is not copied either. SQLite tries when it closes, but syncs
    // the log first, over a descriptor that learns of the failure as ours did; then it gives up.
    const isSound = this.#checkpointer !== null && this.#durability.failure === null;
    try {
      if (isSound) emptyLog(this.#database, this.#log);
    } finally {
      this.#database.close();
    }
  }
}

/** What a store is made of that has to be opened. */
interface Parts {
  readonly database: DatabaseSync;
  readonly db: Kysely<Tables>;
  readonly durability: Durability;
}

async function openStore<T>(options: SqliteOptions, make: (parts: Parts) => T): Promise<T> {
  const { path, sync } = options;
  const database = openDatabase(path, options.sizeBytesMax);
  try {
    // Before anything else: what an earlier process left in the log lies nowhere else.
    if (!isInMemory(path)) emptyLog(database, options.log);
    const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database) });
    await migrate(db);
    const log = isInMemory(path) ? null : await openLog(path);
    try {
      return make({ database, db, durability: new Durability(log, sync) });
    } catch (error) {
      await log?.close();
      throw error;
    }
  } catch (error) {
    database.close();
    throw error;
  }
}

function rowsOver(options: {
  readonly database: DatabaseSync;
  readonly db: Kysely<Tables>;
  readonly scope: Scope;
  readonly clock?: Clock;
  readonly onCompiled?: (text: string) => void;
}): WritableRows {
  const compile = statementCompiler(options);
  return {
    vaults: vaultWriter(compile),
    archives: archiveWriter(compile),
    jobs: jobWriter(compile),
    accounts: accountWriter(compile),
    facts: factWriter(compile),
    blobs: blobReferenceReader(compile),
  };
}

function freeBytesAt(directory: string): number {
  const { bsize, blocks, bavail } = statfsSync(directory);
  // Some file systems do not tell.
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
}

function isInMemory(path: string): boolean {
  return path === ':memory:';
}

function openingError(path: string, error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  return new StoreError(error.code, `Cannot open the database ${path}. ${error.message}`, {
    cause: error.cause ?? error,
  });
}
