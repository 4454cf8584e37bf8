import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { assert, defined } from '../../lib/assert.ts';
import { StoreError } from '../errors.ts';
import type {
  FrameBytes,
  FrameCiphers,
  FramePlace,
  OpenedFrame,
  SealedFrame,
} from './frame-ciphers.ts';
import type { FrameAnswer, FrameTask } from './frame-worker.ts';

/** One is ahead of what a main thread can receive. More serve those who only read and write. */
const threadsMax = 3;

/**
 * Seals and opens frames in threads of their own, which leaves the main thread to the connections:
 * the pool of Node's `crypto.subtle` would copy each frame, on the main thread, and allocate another.
 *
 * 1. Threads are started when they are first needed, and keep no process alive while they are idle.
 * 2. What a thread was asked to do rejects with `StoreUnavailable` when it dies; another is started.
 */
export class FrameThreads implements FrameCiphers {
  readonly #threads = new Set<FrameThread>();
  #isClosed = false;

  async seal(memory: FrameBytes, place: FramePlace): Promise<SealedFrame> {
    const result = await this.#thread().run({ deed: 'seal', memory, place });
    assert('leaf' in result, 'what was to be sealed was sealed');
    return result;
  }

  async open(memory: FrameBytes, place: FramePlace): Promise<OpenedFrame> {
    const result = await this.#thread().run({ deed: 'open', memory, place });
    assert('isIntact' in result, 'what was to be opened was opened');
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all(Array.from(this.#threads, (thread) => thread.end()));
  }

  /** The one that has least to do. */
  #thread(): FrameThread {
    if (this.#isClosed) throw new StoreError('StoreUnavailable', 'The store is closed');
    const [idlest] = [...this.#threads].sort((a, b) => a.taskCount - b.taskCount);
    if (idlest !== undefined && (idlest.taskCount === 0 || this.#threads.size >= threadCount)) {
      return idlest;
    }
    const thread = new FrameThread(() => this.#threads.delete(thread));
    this.#threads.add(thread);
    return thread;
  }
}

// What runs from source is TypeScript, what was built is not.
const workerName = import.meta.url.endsWith('.ts') ? './frame-worker.ts' : './frame-worker.js';

const threadCount = Math.max(1, Math.min(threadsMax, availableParallelism() - 1));

type Waiting = Pick<PromiseWithResolvers<FrameAnswer['result']>, 'resolve' | 'reject'>;

class FrameThread {
  readonly #worker = new Worker(new URL(workerName, import.meta.url), {
    // Options of the process, such as where its main module comes from, are not meant for it.
    execArgv: [],
  });
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended = Promise.withResolvers<void>();
  #lastNumber = 0;

  constructor(onDeath: () => void) {
    this.#worker.unref();
    this.#worker.on('message', (answer: FrameAnswer) => this.#take(answer));
    this.#worker.on('error', (cause) => this.#fail(cause));
    this.#worker.on('exit', () => {
      onDeath();
      this.#fail(undefined);
      this.#ended.resolve();
    });
  }

  get taskCount(): number {
    return this.#waiting.size;
  }

  run(task: Omit<FrameTask, 'number'>): Promise<FrameAnswer['result']> {
    return new Promise((resolve, reject) => {
      this.#lastNumber += 1;
      const number = this.#lastNumber;
      this.#waiting.set(number, { resolve, reject });
      // Who waits for a frame must not find that the process has ended meanwhile.
      if (this.#waiting.size === 1) this.#worker.ref();
      try {
        this.#worker.postMessage({ ...task, number }, [task.memory.buffer]);
      } catch (error) {
        this.#forget(number);
        reject(error);
      }
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
    await this.#ended.promise;
  }

  #take(answer: FrameAnswer): void {
    const waiting = defined(this.#waiting.get(answer.number), 'who waits for an answer');
    this.#forget(answer.number);
    waiting.resolve(answer.result);
  }

  #forget(number: number): void {
    this.#waiting.delete(number);
    if (this.#waiting.size === 0) this.#worker.unref();
  }

  #fail(cause: unknown): void {
    const message = 'A thread that seals and opens frames has ended';
    const error = new StoreError('StoreUnavailable', message, { cause });
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
