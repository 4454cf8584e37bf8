import type { Log } from '../../lib/log.ts';
import { StoreError } from '../errors.ts';

/**
 * Decides whether the store may write.
 *
 * 1. Every sync of the store runs through `sync`.
 * 2. After one that failed, nothing is written until the store is opened again: what the system's
 *    caches hold is unknown then, and a later sync that succeeds proves nothing.
 */
export class WriteGate {
  readonly #log: Log;
  #failure: { readonly cause: unknown } | undefined;
  #isClosed = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Whether a sync has failed. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Whether a write may begin. */
  get isOpen(): boolean {
    return !this.#isClosed && !this.hasFailed;
  }

  /** Throws `StoreUnavailable` when no write may begin. */
  checkOpen(): void {
    this.checkSound();
    if (this.#isClosed) throw new StoreError('StoreUnavailable', 'The store is closed');
  }

  /** Throws `StoreUnavailable` after a sync that failed. */
  checkSound(): void {
    if (this.#failure === undefined) return;
    throw new StoreError(
      'StoreUnavailable',
      'A sync failed: the store takes no writes until it is opened again',
      this.#failure,
    );
  }

  /**
   * Runs a sync. It throws, and so does every later one, when it fails. When it could not begin,
   * since there are too many open files, for one, it throws what the file system threw: then only
   * what waits for it has failed.
   */
  async sync(run: () => Promise<void>): Promise<void> {
    this.checkSound();
    try {
      await run();
    } catch (cause) {
      // A directory that did not open was not synced at all: nothing is known to be lost.
      if (isOfOpening(cause)) throw cause;
      // Before anything else: not even a log that throws may leave the gate open.
      this.#failure ??= { cause };
      this.#log.error('blob-store.failed', { cause });
    }
    // Also when another one failed meanwhile: it may have taken the report of these bytes with it.
    this.checkSound();
  }

  /** From now on no write may begin; those under way may still end. */
  close(): void {
    this.#isClosed = true;
  }
}

function isOfOpening(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'open';
}
