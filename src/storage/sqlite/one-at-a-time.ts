/** Runs one piece of work after the other, in the order of their arrival. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    // Whoever gave the work is told of its failure; the next one goes on.
    this.#last = result.catch(() => undefined);
    return result;
  }
}
