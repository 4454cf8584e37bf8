import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { DatabaseDamaged } from './database-errors.ts';

/** A database that is not larger than this is looked through as a whole. */
const wholeBytesMax = 64 * 1024 * 1024;

/**
 * Throws when the database is damaged in a way that shows without reading all of it: a start must
 * not take longer the more there is. What is not found here is found when it is read.
 */
export function checkStructure(database: DatabaseSync, path: string): void {
  const bytes = numberOf(database, 'page_count') * numberOf(database, 'page_size');
  // With a log that could not be copied, some pages may lie there alone.
  if (statSync(`${path}-wal`).size === 0 && statSync(path).size < bytes) {
    throw new DatabaseDamaged(`The database ${path} is shorter than it says.`);
  }
  if (bytes <= wholeBytesMax) checkWhole(database, path);
  else readBeginnings(database);
}

function checkWhole(database: DatabaseSync, path: string): void {
  const found = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (found !== 'ok') throw new DatabaseDamaged(`The database ${path} is damaged: ${found}`);
}

function readBeginnings(database: DatabaseSync): void {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  for (const { name } of tables) database.prepare(`SELECT * FROM "${name}" LIMIT 1`).get();
}

function numberOf(database: DatabaseSync, pragma: string): number {
  return Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}
