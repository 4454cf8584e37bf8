import { assert } from '../../lib/assert.ts';
import { StoreError } from '../errors.ts';
import type { Journal, JournalBatch, JournalDamage } from '../journal.ts';

/** A journal that its process takes with it. For tests. */
export class MemoryJournal implements Journal {
  #batches: JournalBatch[];
  #lastSequence: number;
  #isClosed = false;

  constructor(batches: readonly JournalBatch[] = []) {
    this.#batches = [...batches];
    this.#lastSequence = batches.at(-1)?.sequence ?? 0;
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  get sizeBytes(): number {
    return this.#batches.reduce((sum, { payload }) => sum + payload.length, 0);
  }

  /** What it holds now. */
  get batches(): readonly JournalBatch[] {
    return this.#batches;
  }

  async append({ sequence, payload }: JournalBatch): Promise<void> {
    if (this.#isClosed) throw new StoreError('StoreUnavailable', 'The journal is closed.');
    assert(sequence > this.#lastSequence, `batch ${sequence} comes after ${this.#lastSequence}`);
    // A copy: the memory of the payload stays its owner's.
    this.#batches.push({ sequence, payload: payload.slice() });
    this.#lastSequence = sequence;
  }

  async *read(afterSequence: number): AsyncGenerator<JournalBatch | JournalDamage> {
    let last = afterSequence;
    for (const batch of [...this.#batches]) {
      const { sequence } = batch;
      if (sequence <= last) continue;
      if (sequence > last + 1) yield { damage: `no batch from ${last + 1} to ${sequence - 1}` };
      yield batch;
      last = sequence;
    }
  }

  async forget(throughSequence: number): Promise<void> {
    this.#batches = this.#batches.filter(({ sequence }) => sequence > throughSequence);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
  }
}
