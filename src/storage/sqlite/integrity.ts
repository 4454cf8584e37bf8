import type { DatabaseSync } from 'node:sqlite';

/**
 * What is wrong with the database, in a few words each, the first `countMax`. Reads all of it, and
 * compares its indexes with their tables: takes seconds for each gigabyte, during which nothing else
 * happens on the thread.
 */
export function problemsIn(database: DatabaseSync, countMax: number): string[] {
  return database
    .prepare(`PRAGMA integrity_check(${countMax})`)
    .all()
    .map((row) => String(row['integrity_check']))
    .filter((found) => found !== 'ok');
}
