import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { defined } from '../../lib/assert.ts';
import { busyTimeoutMs } from './database.ts';
import { sqliteCode } from './database-errors.ts';
import { journalPositionIn } from './journal-position.ts';

/** How the copying went. Errors lose SQLite's code on their way from thread to thread. */
export interface CopyReply {
  /** The last batch that the copy contains. */
  readonly sequence: number;
  readonly failure: { readonly message: string; readonly code: number | null } | null;
}

/**
 * The thread that copies the database in one transaction, over a connection of its own, so that the
 * main thread goes on meanwhile. Only ever run by `Snapshotter`, and only in a thread.
 */
function copyDatabase(): void {
  const port = defined(parentPort, 'the parent of the snapshot thread');
  const [path, copy] = workerData as readonly [string, string];
  port.postMessage(copied(path, copy));
}

function copied(path: string, copy: string): CopyReply {
  try {
    using database = new DatabaseSync(path, { timeout: busyTimeoutMs, readOnly: true });
    database.prepare('VACUUM INTO ?').run(copy);
    // Read from the copy: the database may have gone on.
    using result = new DatabaseSync(copy, { readOnly: true });
    return { sequence: journalPositionIn(result), failure: null };
  } catch (error) {
    const failure = { message: String(error), code: sqliteCode(error) ?? null };
    return { sequence: 0, failure };
  }
}

copyDatabase();
