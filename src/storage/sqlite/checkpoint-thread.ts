import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { defined } from '../../lib/assert.ts';
import { busyTimeoutMs } from './database.ts';
import { sqliteCode } from './database-errors.ts';

/** What the thread is asked for: to copy the log, to copy it and begin it anew, or to end. */
export type CheckpointRequest = 'copy' | 'restart' | 'close';

/** What a checkpoint came to. */
export interface Checkpointed {
  readonly frames: number;
  readonly copiedFrames: number;
}

/** Why a checkpoint failed; errors lose SQLite's code on their way from thread to thread. */
export interface CheckpointFailure {
  readonly message: string;
  readonly code: number | null;
}

export type CheckpointReply = Checkpointed | CheckpointFailure;

/**
 * The thread that copies the write-ahead log into the database, over a connection of its own, so
 * that the main thread never waits for it. Only ever run by `Checkpointer`, and only in a thread.
 */
function serveCheckpoints(): void {
  const port = defined(parentPort, 'the parent of the checkpoint thread');
  const database = new DatabaseSync(String(workerData), { timeout: busyTimeoutMs });
  // With NORMAL a checkpoint syncs the log before it copies, and the database after.
  database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');
  port.on('message', (request: CheckpointRequest) => {
    if (request === 'close') {
      database.close();
      port.close();
      return;
    }
    port.postMessage(replyTo(database, request));
  });
}

function replyTo(database: DatabaseSync, request: CheckpointRequest): CheckpointReply {
  try {
    const result = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get();
    const frames = Number(result?.['log']);
    const copiedFrames = Number(result?.['checkpointed']);
    if (request === 'restart' && copiedFrames === frames) beginLogAnew(database);
    return { frames, copiedFrames };
  } catch (error) {
    return { message: String(error), code: sqliteCode(error) ?? null };
  }
}

/**
 * The first commit after a complete checkpoint begins the log anew, from the start of its file, and
 * syncs the new header before anything else. This thread does that, lest the main thread has to.
 * The log keeps its size: overwriting a file is much cheaper to sync than growing one.
 */
function beginLogAnew(database: DatabaseSync): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  database.exec(`PRAGMA user_version = ${(version + 1) % 2 ** 31}`);
}

serveCheckpoints();
