import { once } from 'node:events';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { Log } from '../../lib/log.ts';
import type { Checkpointed, CheckpointReply, CheckpointRequest } from './checkpoint-thread.ts';
import { isPassing } from './database-errors.ts';

/** A frame of the log holds a page and its header. */
const frameSizeBytes = 4096 + 24;
const framesIn = (mebibytes: number) => Math.floor((mebibytes * 1024 * 1024) / frameSizeBytes);

/** The log is copied when it has grown to this many frames. */
const copyFrames = framesIn(16);
/** Transactions are held back for the last bit of the copying, when it is as short as this, … */
const shortFrames = framesIn(4);
/** … or when the log has become as long as this. */
const longFrames = framesIn(40);
/** When a log could not be begun anew, it is tried again once it has grown by as much as this. */
const retryFrames = framesIn(8);

/** Holds transactions back. */
export interface Gate {
  /** No transaction begins until `resume`. Called again, it changes nothing. */
  pause(): void;
  resume(): void;
}

/**
 * Keeps the write-ahead log short, without the main thread ever waiting for a lock or for the disk.
 *
 * 1. A log that has become long is copied into the database by a thread, while transactions go on.
 * 2. A log can begin anew only when all of it is copied. So transactions are held back for the last
 *    bit: in the queue, while the event loop turns. Hence the log grows no longer than
 *    `longFrames` and one commit, however busy it is, unless another process clings to a snapshot.
 * 3. When a log cannot be made durable or copied, `onFailure` is told, and nobody tries again: the
 *    log holds what the database lacks. For want of room it is tried again.
 */
export class Checkpointer {
  readonly #path: string;
  readonly #gate: Gate;
  readonly #log: Log;
  readonly #onFailure: (error: unknown) => void;
  readonly #logLength: StatementSync;
  #thread: Worker | null = null;
  #frames = 0;
  #dueFrames = copyFrames;
  #round: Promise<void> | null = null;
  #isStopped = false;

  constructor(options: {
    readonly database: DatabaseSync;
    readonly path: string;
    readonly gate: Gate;
    readonly log: Log;
    readonly onFailure: (error: unknown) => void;
  }) {
    this.#path = options.path;
    this.#gate = options.gate;
    this.#log = options.log;
    this.#onFailure = options.onFailure;
    // Copies nothing: tells the length.
    this.#logLength = options.database.prepare('PRAGMA wal_checkpoint(NOOP)');
  }

  /** To be called after each commit, outside of transactions. */
  noteCommit(): void {
    this.#frames = Number(this.#logLength.get()?.['log']);
    if (this.#frames < this.#dueFrames || this.#isStopped) return;
    this.#round ??= this.#copyAll();
    if (this.#frames >= longFrames) this.#gate.pause();
  }

  /** Ends the thread, after what it does at the moment. */
  async close(): Promise<void> {
    this.#isStopped = true;
    await this.#round;
    const thread = this.#thread;
    if (thread === null) return;
    this.#thread = null;
    const exit = once(thread, 'exit');
    thread.ref();
    thread.postMessage('close' satisfies CheckpointRequest);
    await exit;
  }

  async #copyAll(): Promise<void> {
    try {
      let left = this.#frames;
      while (left > shortFrames && this.#frames < longFrames) {
        const copied = (await this.#ask('copy')).copiedFrames;
        // No progress: another process reads an old snapshot. The gate would not help either.
        if (this.#frames - copied >= left) break;
        left = this.#frames - copied;
      }
      await this.#beginAnew();
    } catch (error) {
      this.#handleFailure(error);
    } finally {
      this.#round = null;
      this.#gate.resume();
    }
  }

  async #beginAnew(): Promise<void> {
    this.#gate.pause();
    const { frames, copiedFrames } = await this.#ask('restart');
    const isWhole = copiedFrames === frames;
    this.#dueFrames = isWhole ? copyFrames : frames + retryFrames;
    if (!isWhole) this.#log.warn('database-log.retained', { frames, copiedFrames });
  }

  #handleFailure(error: unknown): void {
    this.#log.error('database-log.uncopied', { error });
    if (error instanceof CheckpointFailed && isPassing(error.sqliteCode)) {
      this.#dueFrames = this.#frames + retryFrames;
      return;
    }
    this.#isStopped = true;
    this.#onFailure(error);
  }

  async #ask(request: CheckpointRequest): Promise<Checkpointed> {
    this.#thread ??= this.#start();
    const thread = this.#thread;
    // The process lives on for the answer, since transactions may be held back until it comes.
    thread.ref();
    thread.postMessage(request);
    // Rejects when the thread fails altogether: an `error` event does that.
    const [reply]: (CheckpointReply | undefined)[] = await once(thread, 'message');
    thread.unref();
    if (reply === undefined) throw new CheckpointFailed('The thread did not answer.', null);
    if ('message' in reply) throw new CheckpointFailed(reply.message, reply.code);
    return reply;
  }

  #start(): Worker {
    // What runs from source is TypeScript, what was built is not.
    const name = import.meta.url.endsWith('.ts')
      ? './checkpoint-thread.ts'
      : './checkpoint-thread.js';
    return new Worker(new URL(name, import.meta.url), {
      workerData: this.#path,
      // Options of the process, such as where its main module comes from, are not meant for it.
      execArgv: [],
    });
  }
}

class CheckpointFailed extends Error {
  override readonly name = 'CheckpointFailed';
  readonly sqliteCode: number | null;

  constructor(message: string, sqliteCode: number | null) {
    super(message);
    this.sqliteCode = sqliteCode;
  }
}
