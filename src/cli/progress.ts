import type { Clock } from '../lib/clock.ts';
import type { Host } from './host.ts';

const terminalPauseMs = 100;
const linePauseMs = 30_000;
/** Back to the start of the line, and rid of what stands there. */
const eraseLine = '\r\x1b[K';

/**
 * Tells on standard error how far something has come: to a person in one line that changes, to a
 * file in one from time to time.
 */
export class Progress implements Disposable {
  readonly #print: (text: string) => void;
  readonly #clock: Clock;
  readonly #isTerminal: boolean;
  readonly #isSilent: boolean;
  #shownAtMs = Number.NEGATIVE_INFINITY;
  #isLineOpen = false;

  /** With `json`, standard error is for programs as well: they are not told, people are. */
  constructor({ printError, clock, isTerminal }: Host, { json }: { readonly json: boolean }) {
    this.#print = printError;
    this.#clock = clock;
    this.#isTerminal = isTerminal;
    this.#isSilent = json && !isTerminal;
    // The first line waits as the others do: what is done at once needs none.
    if (!isTerminal) this.#shownAtMs = clock.now();
  }

  show(text: string): void {
    const pauseMs = this.#isTerminal ? terminalPauseMs : linePauseMs;
    const nowMs = this.#clock.now();
    if (this.#isSilent || nowMs - this.#shownAtMs < pauseMs) return;
    this.#shownAtMs = nowMs;
    this.#isLineOpen = this.#isTerminal;
    this.#print(this.#isTerminal ? `${eraseLine}${text}` : `${text}\n`);
  }

  [Symbol.dispose](): void {
    if (this.#isLineOpen) this.#print(eraseLine);
    this.#isLineOpen = false;
  }
}
