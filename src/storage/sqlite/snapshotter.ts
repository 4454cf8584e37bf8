import { createReadStream } from 'node:fs';
import { stat, statfs, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { isStoreError, StoreError } from '../errors.ts';
import type { Journal } from '../journal.ts';
import type { SnapshotRequests, SnapshotTaker } from '../snapshot-taker.ts';
import type { Snapshot, Snapshots } from '../snapshots.ts';
import { isDamage, isPassing } from './database-errors.ts';
import { copyPath, removeDatabase } from './database-files.ts';
import type { CopyReply } from './snapshot-thread.ts';
import { FailedInThread, nextReply } from './thread-failure.ts';

const mebibyte = 1024 * 1024;

/** How much journal is not worth a snapshot, however small the database is. */
const growthBytesMin = 64 * mebibyte;
/** A database that is larger is copied only when the journal has grown by this part of it. */
const growthPart = 1 / 4;

const dayMs = 24 * 60 * 60 * 1000;

/** The newest, and one more in case that is damaged. */
const keptCount = 2;

export interface SnapshotterOptions {
  /** Of the database. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
  readonly snapshots: Snapshots;
  /** Rejects with `StoreFull` when there is no room for anything new beside the blobs. */
  readonly checkRoom: () => Promise<void>;
  /** Whether a snapshot is wanted as soon as there can be one. */
  readonly isAskedFor: boolean;
  /** Told of damage in the database. */
  readonly onDamage: (error: unknown) => void;
  /** A value, so that a test can let it fail. */
  readonly startThread?: (path: string, copy: string) => Worker;
}

/**
 * Copies the database to its snapshots, and lets go of the journal that is not needed any more.
 *
 * A snapshot is due when something changed since the last one, and there is none, or that is a day
 * old, or the journal since then is long: more than 64 MiB, and more than a quarter of the database.
 * So a rebuild reads little more than the database is large, and copying costs little more than the
 * changes did. Where one was asked for, it is due at once.
 *
 * A copy is kept only when its indexes and tables agree, so that a rebuild gives back what was.
 */
export class Snapshotter implements SnapshotTaker, SnapshotRequests {
  readonly #options: SnapshotterOptions;
  #isAskedFor: boolean;
  #running: Promise<void> | null = null;

  constructor(options: SnapshotterOptions) {
    this.#options = options;
    this.#isAskedFor = options.isAskedFor;
  }

  askForSnapshot(): void {
    this.#isAskedFor = true;
  }

  async isSnapshotDue(): Promise<boolean> {
    if (this.#isAskedFor) return true;
    const { clock, journal, path, snapshots } = this.#options;
    const { lastSequence } = journal;
    const [newest, older] = await snapshots.list();
    if (newest === undefined) return lastSequence > 0;
    if (lastSequence <= newest.sequence) return false;
    if (clock.now() - newest.takenAtMs >= dayMs) return true;
    // The journal reaches back to the older one. Of its batches this part came since the newest.
    const part = (lastSequence - newest.sequence) / (lastSequence - (older?.sequence ?? 0));
    const { size } = await stat(path);
    return journal.sizeBytes * part > Math.max(growthBytesMin, size * growthPart);
  }

  async takeSnapshot(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#running ??= this.#take(signal);
    try {
      await this.#running;
    } finally {
      this.#running = null;
    }
  }

  /** Waits for the one that is being taken. */
  async close(): Promise<void> {
    // Whoever asked for it is told how it went.
    await Promise.allSettled([this.#running]);
  }

  async #take(signal: AbortSignal): Promise<void> {
    const { log, path } = this.#options;
    const copy = copyPath(path);
    try {
      await this.#options.checkRoom();
      await checkRoomBeside(path);
      await removeDatabase(copy);
      const sequence = await copyDatabase(path, copy, this.#options.startThread ?? startThread);
      signal.throwIfAborted();
      // A store that nobody wrote to is new, and has to look like that.
      if (sequence === 0) return;
      const snapshot = await this.#options.snapshots.write(chunksOf(copy, signal), sequence);
      this.#isAskedFor = false;
      await this.#letGo(snapshot);
      log.info('snapshot.taken', { ...snapshot });
    } catch (error) {
      if (isDamage(error)) this.#options.onDamage(error);
      if (!isStoreError(error, 'StoreFull')) throw error;
      log.warn('snapshot.postponed', { error });
    } finally {
      await removeDatabase(copy);
    }
  }

  async #letGo(newest: Snapshot): Promise<void> {
    const { journal, snapshots } = this.#options;
    const all = await snapshots.list();
    // One that is ahead is of a history that this one does not know: nobody here may judge it.
    const older = all.filter(
      ({ name, sequence }) => name !== newest.name && sequence <= newest.sequence,
    );
    for (const { name } of older.slice(keptCount - 1)) await snapshots.remove(name);
    // Nobody can tell any more what is in these.
    for (const name of await snapshots.damaged()) await snapshots.remove(name);
    const oldest = older[keptCount - 2];
    if (oldest === undefined) return;
    // The last batch stays in any case: it tells at the next start that the journal is all there.
    await journal.forget(Math.min(oldest.sequence, newest.sequence - 1));
  }
}

/** The copy has no more pages than the database, whose log may hold some more. */
async function checkRoomBeside(path: string): Promise<void> {
  const { bsize, blocks, bavail } = await statfs(dirname(path));
  const [database, log] = await Promise.all([stat(path), stat(`${path}-wal`)]);
  // Some file systems do not tell. As much again is left for the database itself.
  if (blocks === 0 || bavail * bsize >= 2 * (database.size + log.size)) return;
  throw new StoreError('StoreFull', 'There is no room beside the database for a copy of it.');
}

/** Copies the database on a thread of its own. Answers which batch is the last in the copy. */
async function copyDatabase(
  path: string,
  copy: string,
  start: typeof startThread,
): Promise<number> {
  // SQLite takes a file that is empty, with its mode.
  await writeFile(copy, '', { mode: 0o600, flag: 'wx' });
  const thread = start(path, copy);
  const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  try {
    const { sequence, failure } = await nextReply<CopyReply>(thread);
    if (failure === null) return sequence;
    if (isPassing(failure.code)) throw new StoreError('StoreFull', failure.message);
    throw new FailedInThread(failure);
  } catch (cause) {
    if (isStoreError(cause)) throw cause;
    const reason = cause instanceof Error ? cause.message : cause;
    const message = `The database cannot be copied: ${reason}`;
    throw new StoreError('StoreUnavailable', message, { cause });
  } finally {
    // What it wrote is removed next.
    await ended;
  }
}

function startThread(path: string, copy: string): Worker {
  // What runs from source is TypeScript, what was built is not.
  const name = import.meta.url.endsWith('.ts') ? './snapshot-thread.ts' : './snapshot-thread.js';
  return new Worker(new URL(name, import.meta.url), {
    workerData: [path, copy],
    // Options of the process, such as where its main module comes from, are not meant for it.
    execArgv: [],
  });
}

async function* chunksOf(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(path, { highWaterMark: mebibyte, signal })) {
    yield chunk;
  }
}
