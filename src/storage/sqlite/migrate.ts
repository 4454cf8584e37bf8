import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import { StoreError } from '../errors.ts';
import { first } from './migrations/0001-first.ts';

/** Every migration there ever was, in order. They only go forward, and never change. */
const migrations: Readonly<Record<string, Migration>> = {
  '0001-first': first,
};

/**
 * Brings the schema up to date, all of it or nothing. Throws `StoreUnavailable` when a newer
 * version of this software has already changed the schema in ways that this one does not know.
 */
export async function migrate<T>(db: Kysely<T>): Promise<void> {
  await refuseNewerSchema(db);
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}

async function refuseNewerSchema<T>(db: Kysely<T>): Promise<void> {
  const table = await sql`SELECT 1 FROM sqlite_schema WHERE name = 'kysely_migration'`.execute(db);
  if (table.rows.length === 0) return;
  const done = await sql<{ name: string }>`SELECT name FROM kysely_migration`.execute(db);
  const unknown = done.rows.map((row) => row.name).filter((name) => !(name in migrations));
  if (unknown.length === 0) return;
  throw new StoreError(
    'StoreUnavailable',
    `The database was written by a newer version of this software: it has the migration ` +
      `${unknown.join(', ')}, which this version does not know. Run that version or a later one.`,
  );
}
