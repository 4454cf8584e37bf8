import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { defined } from '../../lib/assert.ts';
import { busyTimeoutMs } from './database.ts';
import { failureFrom, type ThreadFailure } from './thread-failure.ts';

/** What the thread is asked for: to copy the log, to copy it and begin it anew, or to end. */
export type CheckpointRequest = 'copy' | 'restart' | 'close';

/** What a checkpoint came to. */
export interface Checkpointed {
  readonly frames: number;
  readonly copiedFrames: number;
}

export type CheckpointReply = Checkpointed | ThreadFailure;

/**
 * The thread that copies the write-ahead log into the database, over a connection of its own, so
 * that the main thread never waits for it. Only ever run by `Checkpointer`, and only in a thread.
 */
function serveCheckpoints(): void {
  const port = defined(parentPort, 'the parent of the checkpoint thread');
  let database: DatabaseSync | undefined;
  port.on('message', (request: CheckpointRequest) => {
    if (request === 'close') {
      database?.close();
      port.close();
      return;
    }
    try {
      // Where it fails, for want of file descriptors say, the next request tries again.
      database ??= open(String(workerData));
      port.postMessage(replyTo(database, request));
    } catch (error) {
      port.postMessage(failureFrom(error));
    }
  });
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    // With NORMAL a checkpoint syncs the log before it copies, and the database after.
    database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function replyTo(database: DatabaseSync, request: CheckpointRequest): CheckpointReply {
  const result = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get();
  const frames = Number(result?.['log']);
  const copiedFrames = Number(result?.['checkpointed']);
  if (request === 'restart' && copiedFrames === frames) beginLogAnew(database);
  return { frames, copiedFrames };
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
