import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import { StoreError } from '../errors.ts';
import { first } from './migrations/0001-first.ts';
import { history } from './migrations/0002-history.ts';
import { uploads } from './migrations/0003-uploads.ts';
import { settings } from './migrations/0004-settings.ts';
import { jobLists } from './migrations/0005-job-lists.ts';

/** Every migration there ever was, in order. They only go forward, and never change. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-first': first,
  '0002-history': history,
  '0003-uploads': uploads,
  '0004-settings': settings,
  '0005-job-lists': jobLists,
};

/**
 * Brings the schema up to date, all of it or nothing. Answers whether it was not. Throws `StoreUnavailable` when a newer
 * version of this software has already changed the schema in ways that this one does not know.
 */
export async function migrate<T>(db: Kysely<T>): Promise<boolean> {
  await refuseNewerSchema(db);
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  return results.length > 0;
}

/** Throws `StoreUnavailable` unless the schema is the one that this version makes. */
export async function requireLatestSchema<T>(db: Kysely<T>): Promise<void> {
  await refuseNewerSchema(db);
  const done = await doneMigrations(db);
  const missing = Object.keys(migrations).filter((name) => !done.includes(name));
  if (missing.length === 0) return;
  throw new StoreError(
    'StoreUnavailable',
    `The database lacks the migration ${missing.join(', ')}: start the server once, which makes it.`,
  );
}

async function refuseNewerSchema<T>(db: Kysely<T>): Promise<void> {
  const unknown = (await doneMigrations(db)).filter((name) => !(name in migrations));
  if (unknown.length === 0) return;
  throw new StoreError(
    'StoreUnavailable',
    `The database was written by a newer version of this software: it has the migration ` +
      `${unknown.join(', ')}, which this version does not know. Run that version or a later one.`,
  );
}

async function doneMigrations<T>(db: Kysely<T>): Promise<string[]> {
  const table = await sql`SELECT 1 FROM sqlite_schema WHERE name = 'kysely_migration'`.execute(db);
  if (table.rows.length === 0) return [];
  const done = await sql<{ name: string }>`SELECT name FROM kysely_migration`.execute(db);
  return done.rows.map((row) => row.name);
}
