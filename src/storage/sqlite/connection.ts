import type { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import type { Log } from '../../lib/log.ts';
import type { Rows, WritableRows } from '../metadata-store.ts';
import { rowsOver, writableRowsOver } from './all-rows.ts';
import { openDatabase, openForReading } from './database.ts';
import { emptyLog } from './empty-log.ts';
import { migrate, requireLatestSchema } from './migrate.ts';
import { nodeSqliteDialect } from './node-sqlite-dialect.ts';
import type { Tables } from './schema.ts';
import { type Scope, statementCompiler } from './statements.ts';
import { checkStructure } from './structure.ts';

/** A connection to a database, and what one does with it. */
export interface Connection<R extends Rows> {
  readonly database: DatabaseSync;
  readonly rows: R;
  readonly scope: Scope;
}

export interface StatementObserver {
  /** Told the text of each statement that the connection will run. */
  readonly onCompiled?: ((text: string) => void) | undefined;
  /** Told what a statement failed with, and of damage that shows in what it answers. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface WritingConnection extends Connection<WritableRows> {
  /** Whether its schema was brought up to date. */
  readonly isMigrated: boolean;
}

/**
 * Opens the database at `path` for writing, makes it if there is none, and brings its schema up to
 * date. What it throws satisfies `isDamage` when the database is damaged and that shows.
 */
export async function connectForWriting(
  options: StatementObserver & {
    readonly path: string;
    readonly log: Log;
    readonly sizeBytesMax?: number | undefined;
  },
): Promise<WritingConnection> {
  const { path } = options;
  const database = openDatabase(path, options.sizeBytesMax);
  try {
    if (!isInMemory(path)) {
      // Before anything else, so that the structure is that of one file.
      emptyLog(database, options.log);
      checkStructure(database, path);
    }
    const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database) });
    const isMigrated = await migrate(db);
    const scope: Scope = { mode: 'closed' };
    const compile = statementCompiler({ ...options, database, db, scope });
    const rows = writableRowsOver(compile, (damage) => options.onError?.(damage));
    return { database, rows, scope, isMigrated };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens a database for reading whose schema is up to date. */
export async function connectForReading(
  options: StatementObserver & { readonly path: string },
): Promise<Connection<Rows>> {
  const database = openForReading(options.path);
  try {
    const db = new Kysely<Tables>({ dialect: nodeSqliteDialect(database) });
    await requireLatestSchema(db);
    const scope: Scope = { mode: 'closed' };
    const compile = statementCompiler({ ...options, database, db, scope });
    const rows = rowsOver(compile, (damage) => options.onError?.(damage));
    return { database, rows, scope };
  } catch (error) {
    database.close();
    throw error;
  }
}

export function isInMemory(path: string): boolean {
  return path === ':memory:';
}
