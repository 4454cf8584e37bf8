import type { Clock } from '../lib/clock.ts';

const keptForMsMin = 60_000;

/**
 * Keeps the answer to a question that takes long, so that whoever asks often does not slow down the
 * server: for a minute, or for a hundred times as long as the answer took, whichever is longer.
 */
export class KeptAnswer<T> {
  readonly #ask: () => Promise<T>;
  readonly #clock: Clock;
  #asking: Promise<T> | undefined;
  #kept: { readonly answer: T; readonly untilMs: number } | undefined;

  constructor(ask: () => Promise<T>, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** The kept answer, or a new one when that is too old. Those who ask meanwhile share it. */
  get(): Promise<T> {
    const kept = this.#kept;
    if (kept !== undefined && this.#clock.now() < kept.untilMs) return Promise.resolve(kept.answer);
    this.#asking ??= this.#renew().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #renew(): Promise<T> {
    const beganAtMs = this.#clock.now();
    const answer = await this.#ask();
    const endedAtMs = this.#clock.now();
    const keptForMs = Math.max(keptForMsMin, 100 * (endedAtMs - beganAtMs));
    this.#kept = { answer, untilMs: endedAtMs + keptForMs };
    return answer;
  }
}
