/** Runs a sync on behalf of all who ask while the run before it is under way, as one. */
export class SharedSync {
  readonly #sync: () => Promise<void>;
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /** Resolves after a run that began after the call. */
  request(): Promise<void> {
    if (this.#next === undefined) {
      const turn = this.#last.then(() => {
        this.#next = undefined;
        return this.#sync();
      });
      this.#next = turn;
      // Its failure is told to those who asked for it; the run after it has its own.
      this.#last = turn.catch(() => undefined);
    }
    return this.#next;
  }
}
