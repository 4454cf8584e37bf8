import { DatabaseSync } from 'node:sqlite';
import { repairFact } from '../repair-state.ts';

/**
 * Every row of every table of the database at `path`, in an order of its own. Two databases whose
 * dumps are equal say the same. For tests.
 */
export function dumpTables(path: string): Readonly<Record<string, readonly string[]>> {
  using database = new DatabaseSync(path, { readOnly: true });
  const tables = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'kysely%'")
    .all()
    .map(({ name }) => String(name));
  return Object.fromEntries(
    tables.map((table) => {
      const rows = database.prepare(`SELECT * FROM "${table}"`).all();
      return [table, rows.map((row) => JSON.stringify(row)).sort()];
    }),
  );
}

/**
 * The same of a database that may have been made again: without the batch by which that is noted,
 * and where in the journal it stands.
 */
export function dumpRows(path: string): Readonly<Record<string, readonly string[]>> {
  const { facts = [], journal_position: _, ...others } = dumpTables(path);
  return { ...others, facts: facts.filter((fact) => !fact.includes(repairFact.name)) };
}
