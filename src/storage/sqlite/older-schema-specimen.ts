import { rename } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, Migrator } from 'kysely';
import { removeDatabase } from './database-files.ts';
import { migrations } from './migrate.ts';
import { nodeSqliteDialect } from './node-sqlite-dialect.ts';

/**
 * Makes of the closed database at `path` one as an earlier version of this software would have left
 * it, whose last migration was `last`: with the same rows, as far as it had tables and columns for
 * them. Answers the names of those tables. For tests.
 */
export async function takeBackSchema(path: string, last: string): Promise<string[]> {
  const older = `${path}.older`;
  const tables: string[] = [];
  {
    using database = new DatabaseSync(older, { enableForeignKeyConstraints: false });
    const db = new Kysely({ dialect: nodeSqliteDialect(database) });
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    const { error } = await migrator.migrateTo(last);
    if (error !== undefined) throw error;
    database.prepare('ATTACH ? AS newer').run(path);
    tables.push(...tablesIn(database));
    for (const table of tables) {
      const columns = database.prepare(`PRAGMA main.table_info("${table}")`).all();
      const names = columns.map(({ name }) => String(name)).join(', ');
      database.exec(`DELETE FROM main."${table}"`);
      database.exec(`INSERT INTO main."${table}" (${names}) SELECT ${names} FROM newer."${table}"`);
    }
  }
  await removeDatabase(path);
  await rename(older, path);
  return tables;
}

/** The one with the numbers last: filling another may change it. */
function tablesIn(database: DatabaseSync): string[] {
  return database
    .prepare(
      `SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'kysely%'
        ORDER BY name = 'sqlite_sequence'`,
    )
    .all()
    .map(({ name }) => String(name));
}
