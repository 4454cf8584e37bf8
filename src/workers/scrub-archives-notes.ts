import type { MetadataStore } from '../storage/metadata-store.ts';
import { type ScrubState, writeScrubState } from './scrub-archives-state.ts';

/** The fact under which the state is kept. */
export const scrubStateFact = 'scrub.progress';

const notesMax = 500;
const notesAgeMsMax = 5000;

/**
 * What was found and is not written down yet. Many archives share a transaction, so that reading a
 * million small ones does not make a million changes.
 */
export class ScrubNotes {
  /** Of sound archives. */
  #ordinals: number[] = [];
  #damaged: { readonly ordinal: number; readonly damage: string }[] = [];
  /** When the first of them was read: none is said to have been read later than it was. */
  #sinceMs: number | null = null;

  get isAny(): boolean {
    return this.#sinceMs !== null;
  }

  /** What an archive came to at `nowMs`; `damage` is null when it is sound. */
  add(ordinal: number, damage: string | null, nowMs: number): void {
    if (damage === null) this.#ordinals.push(ordinal);
    else this.#damaged.push({ ordinal, damage });
    this.#sinceMs ??= nowMs;
  }

  /** Whether it is time to write; also when the clock was set back. */
  isDue(nowMs: number): boolean {
    if (this.#sinceMs === null) return false;
    if (this.#ordinals.length + this.#damaged.length >= notesMax) return true;
    return nowMs < this.#sinceMs || nowMs - this.#sinceMs >= notesAgeMsMax;
  }

  /** Writes everything, and how far the round has come. What can't be written is kept. */
  async write(store: MetadataStore, state: ScrubState): Promise<void> {
    const verifiedAtMs = this.#sinceMs;
    await store.write(async ({ verifications, facts }) => {
      if (verifiedAtMs !== null) {
        await verifications.note(this.#ordinals, { verifiedAtMs, damage: null });
        for (const { ordinal, damage } of this.#damaged) {
          await verifications.note([ordinal], { verifiedAtMs, damage });
        }
      }
      await facts.set(scrubStateFact, writeScrubState(state));
    });
    this.#ordinals = [];
    this.#damaged = [];
    this.#sinceMs = null;
  }
}
