import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Checkpointed, CheckpointReply, CheckpointRequest } from './checkpoint-thread.ts';
import { isDamage, isDiskFailure } from './database-errors.ts';
import { FailedInThread, nextReply } from './thread-failure.ts';

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

/** Each time it has grown by as much as this, it is compared with the room that is left. */
const lookFrames = framesIn(0.25);

/** The log is copied, however short, when nobody has written for as long as this, … */
const quietMs = 30_000;
/** … or, while somebody always writes, as often as this. */
const busyMs = 3 * 60_000;

/** Holds transactions back. */
export interface Gate {
  /** No transaction begins until `resume`. Called again, it changes nothing. */
  pause(): void;
  resume(): void;
  /** Resolves when the transaction that runs, if any, has ended. */
  ended(): Promise<void>;
}

/**
 * Keeps the write-ahead log short, without the main thread ever waiting for a lock or for the disk.
 *
 * 1. A log that has become long is copied into the database by a thread, while transactions go on.
 * 2. A log can begin anew only when all of it is copied. So transactions are held back for the last
 *    bit: in the queue, while the event loop turns. Hence the log grows no longer than
 *    `longFrames` and one commit, however busy it is, unless another process clings to a snapshot.
 * 3. When the database shows damage, or the disk fails a write or a sync, `onFailure` is told, and
 *    nobody tries again: the disk is not to be trusted. Whatever else keeps the log from being
 *    copied, such as want of room, of memory or of file descriptors, it is tried again.
 * 4. Where there is little room, the log is copied while there is still as much as that may take.
 *    Once the disk is full it is too late: the log cannot grow, and the database neither.
 * 5. With a clock, no row lies in the log alone for long: what a power cut takes of it has to be read
 *    from the journal again at the next start. `quietMs` after the last commit the log is copied and
 *    begun anew, and every `busyMs` or so while commits go on.
 */
export class Checkpointer {
  readonly #path: string;
  readonly #gate: Gate;
  readonly #log: Log;
  readonly #onFailure: (error: unknown) => void;
  readonly #clock: Clock | undefined;
  readonly #freeBytes: () => number;
  readonly #startThread: (path: string) => Worker;
  readonly #stopping = new AbortController();
  readonly #logLength: StatementSync;
  #thread: Worker | null = null;
  #frames = 0;
  #dueFrames = copyFrames;
  #lookedFrames = 0;
  #round: Promise<void> | null = null;
  #upkeep: Promise<void> | null = null;
  #commits = 0;
  #isCopied = true;
  #isStopped = false;

  constructor(options: {
    readonly database: DatabaseSync;
    readonly path: string;
    readonly gate: Gate;
    readonly log: Log;
    readonly onFailure: (error: unknown) => void;
    /** Without it only a log that has become long is copied. */
    readonly clock?: Clock | undefined;
    /** What is left for the database on its file system. */
    readonly freeBytes?: () => number;
    /** A value, so that a test can let it fail. */
    readonly startThread?: (path: string) => Worker;
  }) {
    this.#path = options.path;
    this.#gate = options.gate;
    this.#log = options.log;
    this.#onFailure = options.onFailure;
    this.#clock = options.clock;
    this.#freeBytes = options.freeBytes ?? (() => Number.POSITIVE_INFINITY);
    this.#startThread = options.startThread ?? startThread;
    // Copies nothing: tells the length.
    this.#logLength = options.database.prepare('PRAGMA wal_checkpoint(NOOP)');
  }

  /** To be called after each commit, outside of transactions. */
  noteCommit(): void {
    const frames = this.#readLength();
    // A transaction that changed nothing leaves nothing to copy.
    if (frames !== this.#frames) {
      this.#commits += 1;
      this.#isCopied = false;
    }
    this.#frames = frames;
    if (this.#isStopped || this.#isCopied) return;
    this.#upkeep ??= this.#clock === undefined ? null : this.#copyByAndBy(this.#clock);
    if (frames < this.#dueFrames && !this.#isShortOfRoom()) return;
    this.#round ??= this.#copyAll();
    if (this.#frames >= longFrames) this.#gate.pause();
  }

  /** To be called when there was no room for a commit: what is copied makes room in the log. */
  noteFull(): void {
    if (!this.#isStopped) this.#round ??= this.#copyAll();
  }

  /** Ends the thread, after what it does at the moment. */
  async close(): Promise<void> {
    this.#isStopped = true;
    this.#stopping.abort();
    await this.#upkeep;
    await this.#round;
    const thread = this.#thread;
    if (thread === null) return;
    const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
    thread.ref();
    thread.postMessage('close' satisfies CheckpointRequest);
    await ended;
  }

  /** Waits for a quiet moment, or for a busy while to pass, as long as there is what to copy. */
  async #copyByAndBy(clock: Clock): Promise<void> {
    let sinceMs = clock.now();
    while (!this.#isCopied && !this.#isStopped) {
      const commits = this.#commits;
      if (!(await this.#sleep(clock))) break;
      if (this.#commits !== commits && clock.now() - sinceMs < busyMs) continue;
      this.#round ??= this.#copyAll();
      await this.#round;
      sinceMs = clock.now();
    }
    this.#upkeep = null;
  }

  /** Whether the time has passed; not when the store is closed meanwhile. */
  async #sleep(clock: Clock): Promise<boolean> {
    const { signal } = this.#stopping;
    try {
      await clock.sleep(quietMs, signal);
      return true;
    } catch (error) {
      if (!signal.aborted) throw error;
      return false;
    }
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
    // One that waits for the journal holds the lock that is needed now.
    await this.#gate.ended();
    const { frames, copiedFrames } = await this.#ask('restart');
    const isWhole = copiedFrames === frames;
    this.#isCopied = isWhole;
    this.#frames = this.#readLength();
    this.#dueFrames = isWhole ? copyFrames : frames + retryFrames;
    if (!isWhole) this.#log.warn('database-log.retained', { frames, copiedFrames });
  }

  #isShortOfRoom(): boolean {
    // It was begun anew.
    if (this.#frames < this.#lookedFrames) this.#lookedFrames = 0;
    if (this.#frames - this.#lookedFrames < lookFrames) return false;
    this.#lookedFrames = this.#frames;
    return this.#frames * frameSizeBytes > this.#freeBytes() / 2;
  }

  #readLength(): number {
    return Number(this.#logLength.get()?.['log']);
  }

  #handleFailure(error: unknown): void {
    // The consequences come before the log: not even one that throws may prevent them.
    const code = error instanceof FailedInThread ? error.sqliteCode : null;
    if (isDamage(error) || isDiskFailure(code)) {
      this.#isStopped = true;
      this.#onFailure(error);
    } else {
      this.#dueFrames = this.#frames + retryFrames;
    }
    this.#log.error('database-log.uncopied', { error });
  }

  async #ask(request: CheckpointRequest): Promise<Checkpointed> {
    this.#thread ??= this.#start();
    const thread = this.#thread;
    // The process lives on for the answer, since transactions may be held back until it comes.
    thread.ref();
    thread.postMessage(request);
    const reply = await nextReply<CheckpointReply>(thread);
    thread.unref();
    if ('message' in reply) throw new FailedInThread(reply);
    return reply;
  }

  #start(): Worker {
    const thread = this.#startThread(this.#path);
    // One that ended is replaced when it is needed. Whoever waits for its answer is told as well.
    const forget = () => {
      if (this.#thread === thread) this.#thread = null;
    };
    thread.on('error', forget);
    thread.on('exit', forget);
    return thread;
  }
}

function startThread(path: string): Worker {
  // What runs from source is TypeScript, what was built is not.
  const name = import.meta.url.endsWith('.ts')
    ? './checkpoint-thread.ts'
    : './checkpoint-thread.js';
  return new Worker(new URL(name, import.meta.url), {
    workerData: path,
    // Options of the process, such as where its main module comes from, are not meant for it.
    execArgv: [],
  });
}
