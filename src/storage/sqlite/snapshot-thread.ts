import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { defined } from '../../lib/assert.ts';
import { busyTimeoutMs } from './database.ts';
import { DatabaseDamaged } from './database-errors.ts';
import { problemsIn } from './integrity.ts';
import { journalPositionIn } from './journal-position.ts';
import { failureFrom, type ThreadFailure } from './thread-failure.ts';

/** How the copying went. */
export interface CopyReply {
  /** The last batch that the copy contains. */
  readonly sequence: number;
  readonly failure: ThreadFailure | null;
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
    // Indexes are copied as they are. One that differs from its table answers wrongly, and nothing
    // else would ever notice.
    const [problem] = problemsIn(result, 1);
    if (problem !== undefined) {
      throw new DatabaseDamaged(`The database ${path} is damaged: ${problem}`);
    }
    return { sequence: journalPositionIn(result).sequence, failure: null };
  } catch (error) {
    return { sequence: 0, failure: failureFrom(error) };
  }
}

copyDatabase();
