/**
 * Takes the chunks of a blob's source one by one, and closes the source whatever happens, so that
 * no backend has to remember to.
 *
 * 1. Once disposed of, the source has ended, has thrown, or had its `return` called.
 * 2. An aborted signal, or an interruption, ends the wait for a source that never answers.
 */
export class SourceReader implements AsyncDisposable {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => this.interrupt(this.#signal?.reason);
  #interruption: { readonly reason: unknown } | undefined;
  #rejectWait: (reason: unknown) => void = () => {};
  #isOver = false;
  /** Whether the source still owes an answer: a generator then queues its `return` behind it. */
  #isWaiting = false;

  constructor(source: AsyncIterable<Uint8Array>, signal?: AbortSignal) {
    this.#source = source[Symbol.asyncIterator]();
    this.#signal = signal;
    if (signal?.aborted === true) this.#abort();
    signal?.addEventListener('abort', this.#abort);
  }

  /** The next chunk, or `undefined` at the end. Throws what the source throws. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#interruption !== undefined) throw this.#interruption.reason;
    const result = await this.#answer();
    if (result.done !== true) return result.value;
    this.#isOver = true;
    return undefined;
  }

  /** Makes the pending call of `next`, and every later one, throw `reason`. The first one counts. */
  interrupt(reason: unknown): void {
    this.#interruption ??= { reason };
    this.#rejectWait(this.#interruption.reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    if (this.#isOver) return;
    this.#isOver = true;
    // What becomes of the blob is decided by now: a source that fails to close changes nothing.
    const closed = (async () => this.#source.return?.())().catch(() => undefined);
    if (!this.#isWaiting) await closed;
  }

  /** Not `Promise.race`, which would keep a reaction of every chunk until the signal goes away. */
  #answer(): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      this.#rejectWait = reject;
      this.#isWaiting = true;
      this.#source.next().then(
        (result) => {
          this.#isWaiting = false;
          resolve(result);
        },
        (error: unknown) => {
          this.#isWaiting = false;
          this.#isOver = true;
          reject(error);
        },
      );
    });
  }
}
