import type { Clock } from '../lib/clock.ts';
import type { Worker } from './worker.ts';

const intervalMs = 5000;

export interface KeepReserveOptions {
  readonly reserve: {
    /** Takes the reserve again when it was given back and there is room for it. */
    restore(): Promise<unknown>;
  };
  readonly clock: Clock;
}

/**
 * Takes the room again that was given back when the disk was full, as soon as there is some: the next
 * time that it is full deletions need it again.
 */
export class KeepReserve implements Worker {
  readonly name = 'keep-reserve';
  readonly #options: KeepReserveOptions;

  constructor(options: KeepReserveOptions) {
    this.#options = options;
  }

  async step(signal: AbortSignal): Promise<'busy' | 'idle'> {
    signal.throwIfAborted();
    await this.#options.reserve.restore();
    return 'idle';
  }

  async wake(signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(intervalMs, signal);
  }
}
