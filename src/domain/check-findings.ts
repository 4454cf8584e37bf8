/** Of each kind a report keeps at most so many findings; the others are counted. */
export const findingsMax = 10_000;

/** A list of which only the first are kept. */
export class Findings<T> {
  readonly #kept: T[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get kept(): readonly T[] {
    return this.#kept;
  }

  add(finding: T): void {
    this.#count += 1;
    if (this.#kept.length < findingsMax) this.#kept.push(finding);
  }
}
