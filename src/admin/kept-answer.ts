import type { Clock } from '../lib/clock.ts';

const keptForMsMin = 60_000;

/**
 * Keeps the answer to a question that takes long, so that whoever asks often does not slow down the
 * server: for a minute, for a hundred times as long as the answer took, or for as long as `keepMs`
 * says of it, whichever is longest.
 */
export class KeptAnswer<T> {
  readonly #ask: () => Promise<T>;
  readonly #clock: Clock;
  readonly #keepMs: (answer: T) => number;
  #asking: Promise<T> | undefined;
  #kept: { readonly answer: T; readonly untilMs: number } | undefined;

  constructor(ask: () => Promise<T>, clock: Clock, keepMs: (answer: T) => number = () => 0) {
    this.#ask = ask;
    this.#clock = clock;
    this.#keepMs = keepMs;
  }

  /** The kept answer, or a new one when that is too old. Those who ask meanwhile share it. */
  get(): Promise<T> {
    const kept = this.#kept;
    if (kept !== undefined && this.#clock.elapsedMs() < kept.untilMs) {
      return Promise.resolve(kept.answer);
    }
    this.#asking ??= this.#renew().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #renew(): Promise<T> {
    const beganMs = this.#clock.elapsedMs();
    const answer = await this.#ask();
    const endedMs = this.#clock.elapsedMs();
    const keptForMs = Math.max(keptForMsMin, 100 * (endedMs - beganMs), this.#keepMs(answer));
    this.#kept = { answer, untilMs: endedMs + keptForMs };
    return answer;
  }
}
