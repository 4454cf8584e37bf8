/**
 * Wakes whoever waits. A ring that nobody hears is kept for the next to wait, so that work that was
 * announced between a look and a wait is not slept over.
 */
export class Bell {
  #isRung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Resolves at the next ring, or at once after one that was not heard. One waiter at a time. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const abort = () => {
        this.#wake = undefined;
        reject(signal.reason);
      };
      this.#wake = () => {
        signal.removeEventListener('abort', abort);
        this.#wake = undefined;
        this.#isRung = false;
        resolve();
      };
      signal.addEventListener('abort', abort, { once: true });
      if (this.#isRung) this.#wake();
    });
  }
}
