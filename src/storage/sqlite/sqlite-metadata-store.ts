import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonText } from '../../lib/reason-text.ts';
import { StoreError } from '../errors.ts';
import type { MetadataStore, Rows, WritableRows } from '../metadata-store.ts';
import type { SnapshotRequests, SnapshotTaker } from '../snapshot-taker.ts';
import { Checkpointer } from './checkpointer.ts';
import { isDamage, storeErrorFrom } from './database-errors.ts';
import { markDamaged } from './database-files.ts';
import { emptyLog } from './empty-log.ts';
import { OneAtATime } from './one-at-a-time.ts';
import { ReadTransactions } from './read-transactions.ts';
import { changeCounter, Recording } from './recording.ts';
import { Snapshotter } from './snapshotter.ts';
import { closeParts, openParts, type SqliteOptions, type StoreParts } from './store-parts.ts';
import { type RunTurns, TurnQueue } from './turn-queue.ts';
import { WriteBatches } from './write-batches.ts';

export type { SqliteOptions } from './store-parts.ts';

/** How many writes a batch has at most. */
const batchTurnsMax = 1_000;

/**
 * Rows in a SQLite database that follows a journal: it knows nothing that the journal does not, and
 * can be made again from it. Its parts keep the promises:
 *
 * - `openParts`: what the database lacks is replayed, and a damaged one made again.
 * - `WriteBatches`: all or nothing, one after the other, journalled before it is committed.
 * - `ReadTransactions`: what is committed, on a connection of their own; they wait for no write.
 * - `Checkpointer`: a log of SQLite's that stays short.
 * - `Snapshotter`: a journal that does not grow for ever.
 *
 * Both connections are used on the main thread, and nobody else writes to the database.
 */
export class SqliteMetadataStore implements MetadataStore, SnapshotTaker, SnapshotRequests {
  readonly #options: SqliteOptions;
  readonly #parts: StoreParts;
  readonly #batches: WriteBatches;
  readonly #writes: TurnQueue;
  readonly #reads: ReadTransactions;
  readonly #checkpointer: Checkpointer | null;
  readonly #snapshotter: Snapshotter | null;
  #marking: Promise<void> | null = null;
  #disposal: Promise<void> | null = null;

  /**
   * Opens the database, with all that the journal has. Throws `StoreUnavailable` when there is no
   * using it, and says why.
   */
  static async open(options: SqliteOptions): Promise<SqliteMetadataStore> {
    try {
      const parts = await openParts(options);
      try {
        return new SqliteMetadataStore(options, parts);
      } catch (error) {
        closeParts(parts);
        throw error;
      }
    } catch (error) {
      throw openingError(options.path, storeErrorFrom(error));
    }
  }

  private constructor(options: SqliteOptions, parts: StoreParts) {
    const { writing, reading } = parts;
    this.#options = options;
    this.#parts = parts;
    this.#batches = this.#makeBatches();
    const exclusive = reading === null ? new OneAtATime() : null;
    const run: RunTurns = (turns) => this.#batches.run(turns);
    this.#writes = new TurnQueue({
      countMax: batchTurnsMax,
      run: exclusive === null ? run : (turns) => exclusive.run(() => run(turns)),
    });
    this.#reads = new ReadTransactions({ ...(reading ?? writing), exclusive });
    this.#checkpointer = reading === null ? null : this.#makeCheckpointer();
    this.#snapshotter = reading === null ? null : makeSnapshotter(options, parts);
    parts.watch.onDamage = (error) => {
      this.#marking ??= this.#markDamaged(error);
    };
  }

  read<T>(work: (rows: Rows) => Promise<T>): Promise<T> {
    const { rows } = this.#parts.reading ?? this.#parts.writing;
    return this.#reads.add(() => work(rows));
  }

  preview<T>(work: (rows: Rows) => Promise<T>): Promise<T> {
    return this.read(work);
  }

  write<T>(work: (rows: WritableRows) => Promise<T>): Promise<T> {
    return this.#writes.add(() => work(this.#batches.rows));
  }

  async checkWritable(): Promise<void> {
    this.#batches.checkSound();
  }

  /** Whether every write is refused until the store is opened again. */
  get isStopped(): boolean {
    return this.#batches.failure !== null;
  }

  askForSnapshot(): void {
    this.#snapshotter?.askForSnapshot();
  }

  async isSnapshotDue(): Promise<boolean> {
    return !this.isStopped && (await this.#snapshotter?.isSnapshotDue()) === true;
  }

  async takeSnapshot(signal: AbortSignal): Promise<void> {
    await this.#snapshotter?.takeSnapshot(signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    await this.#writes.close();
    await this.#reads.close();
    await this.#snapshotter?.close();
    await this.#checkpointer?.close();
    await this.#marking;
    try {
      const isOnDisk = this.#checkpointer !== null;
      if (isOnDisk && !this.isStopped) this.#emptyLog();
    } finally {
      closeParts(this.#parts);
    }
  }

  #emptyLog(): void {
    emptyLog(this.#parts.writing.database, this.#options.log);
  }

  async #noteFull(): Promise<void> {
    await this.#options.onFull?.();
    // What is copied makes room in the log.
    this.#checkpointer?.noteFull();
  }

  async #makeRoom(): Promise<void> {
    await this.#options.onFull?.();
    // At once, though the main thread waits for it: what is to be committed waits, too.
    if (this.#checkpointer !== null) this.#emptyLog();
  }

  async #markDamaged(error: unknown): Promise<void> {
    const { log, path } = this.#options;
    this.#batches.fail(error);
    log.error('metadata.damaged', { database: path, reason: reasonText(error) });
    try {
      await markDamaged(path, String(error));
    } catch (cause) {
      // Then the next start finds the damage itself, or runs into it again.
      log.error('metadata.unmarked', { database: path, error: cause });
    }
  }

  #noteFailure(error: unknown): void {
    if (isDamage(error)) this.#parts.watch.onDamage(error);
    else this.#batches.fail(error);
  }

  #makeBatches(): WriteBatches {
    const { journal, log, beforeCommit } = this.#options;
    return new WriteBatches({
      ...this.#parts.writing,
      recording: new Recording(changeCounter(this.#parts.writing.database)),
      journal,
      beforeCommit,
      onCommit: () => this.#checkpointer?.noteCommit(),
      onFull: () => this.#noteFull(),
      makeRoom: () => this.#makeRoom(),
      onFailure: (error) => log.error('metadata.failed', { error }),
    });
  }

  #makeCheckpointer(): Checkpointer {
    const { path, log, clock } = this.#options;
    return new Checkpointer({
      database: this.#parts.writing.database,
      path,
      gate: this.#writes,
      log,
      onFailure: (error) => this.#noteFailure(error),
      clock,
      freeBytes: () => freeBytesAt(dirname(path)),
    });
  }
}

function makeSnapshotter(
  options: SqliteOptions,
  { isSnapshotNeeded, watch }: StoreParts,
): Snapshotter | null {
  const { snapshots, checkRoom = async () => undefined } = options;
  if (snapshots === undefined) return null;
  return new Snapshotter({
    ...{ ...options, snapshots, checkRoom, isAskedFor: isSnapshotNeeded },
    onDamage: (error) => watch.onDamage(error),
  });
}

function freeBytesAt(directory: string): number {
  const { bsize, blocks, bavail } = statfsSync(directory);
  // Some file systems do not tell.
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
}

function openingError(path: string, error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  return new StoreError(error.code, `Cannot open the database ${path}. ${error.message}`, {
    cause: error.cause ?? error,
  });
}
