import { chmodSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../../lib/node/sync-directory.ts';
import { StoreError } from '../errors.ts';
import { unavailableFrom } from './database-errors.ts';

/** Makes what was written to a file so far durable. A value, so that a test can slow or fail it. */
export type SyncFile = (file: FileHandle) => Promise<void>;

/** Flushes the file's bytes, and what is needed to find them again, on the thread pool. */
export const syncFileData: SyncFile = (file) => file.datasync();

/**
 * Knows which commits no crash can take back.
 *
 * SQLite appends a commit to the write-ahead log without a sync (`synchronous=NORMAL`), so that the
 * event loop never waits for the disk. This syncs the log through a descriptor of its own.
 *
 * 1. `settled` resolves only after a sync that began after the last commit before the call.
 * 2. At most one sync runs at a time; all who commit meanwhile share the next.
 * 3. Once a sync failed, nothing is synced any more: what the kernel dropped, a second sync would
 *    report as durable. All who waited for it fail, and `failure` says why from then on. Nobody
 *    waits any more, so that reads go on; they see the commits whose fate is unknown.
 */
export class Durability implements AsyncDisposable {
  readonly #log: FileHandle | null;
  readonly #syncFile: SyncFile;
  #committedCount = 0;
  #syncedCount = 0;
  #failure: StoreError | null = null;
  #running: { readonly covers: number; readonly done: Promise<void> } | null = null;
  #next: Promise<void> | null = null;

  /** Without a log, as for a database in memory, there is nothing to wait for. */
  constructor(log: FileHandle | null, syncFile: SyncFile = syncFileData) {
    this.#log = log;
    this.#syncFile = syncFile;
  }

  get failure(): StoreError | null {
    return this.#failure;
  }

  /** To be called after each commit: what was durable so far is not all any more. */
  noteCommit(): void {
    if (this.#log !== null) this.#committedCount += 1;
  }

  /** Refuses everything from now on, because of `error`. */
  fail(error: unknown): void {
    this.#failure ??= new StoreError(
      'StoreUnavailable',
      'The database is not written any more, since it could not be made durable.',
      { cause: error },
    );
  }

  /**
   * Resolves when all that was committed before the call is durable, rejects when it cannot be.
   * `undefined` when there is nothing to wait for.
   */
  settled(): Promise<void> | undefined {
    if (this.#failure !== null || this.#syncedCount === this.#committedCount) return undefined;
    if (this.#next !== null) return this.#next;
    if (this.#running === null) return this.#sync();
    if (this.#running.covers === this.#committedCount) return this.#running.done;
    this.#next = this.#running.done.then(() => this.#sync());
    return this.#next;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever waits for these has been told of their failure.
    await Promise.allSettled([this.#running?.done, this.#next]);
    await this.#log?.close();
  }

  #sync(): Promise<void> {
    const covers = this.#committedCount;
    this.#next = null;
    const done = this.#syncLog(covers);
    this.#running = { covers, done };
    return done;
  }

  async #syncLog(covers: number): Promise<void> {
    try {
      if (this.#failure !== null) throw this.#failure;
      if (this.#log !== null) await this.#syncFile(this.#log);
      this.#syncedCount = covers;
    } catch (error) {
      this.fail(error);
      throw unavailableFrom(this.#failure ?? error);
    } finally {
      this.#running = null;
    }
  }
}

/**
 * Opens the write-ahead log of the database at `path` for syncing, once SQLite has made it. That is
 * harmless to SQLite's locks, which lie on the database and on its `-shm` file: POSIX drops a
 * process's locks on a file when it closes any descriptor of it, so never open those two.
 */
export async function openLog(path: string): Promise<FileHandle> {
  chmodSync(`${path}-wal`, 0o600);
  chmodSync(`${path}-shm`, 0o600);
  const log = await open(`${path}-wal`, 'r+');
  try {
    await log.sync();
    await syncDirectory(dirname(path));
  } catch (error) {
    await log.close();
    throw unavailableFrom(error);
  }
  return log;
}
