import type { DatabaseSync } from 'node:sqlite';
import type { Log } from '../../lib/log.ts';
import { isPassing, sqliteCode } from './database-errors.ts';

/**
 * Copies the whole write-ahead log into the database and leaves it empty, unless others are at work
 * there. Waits for the disk: only for when nothing else can be done meanwhile.
 */
export function emptyLog(database: Pick<DatabaseSync, 'exec'>, log: Log): void {
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch (error) {
    if (!isPassing(sqliteCode(error) ?? null)) throw error;
    // The log is as good as it was, and is copied when there is room.
    log.warn('database-log.retained', { error });
  }
}
