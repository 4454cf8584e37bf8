import assert from 'node:assert/strict';
import type { BlobId } from '../../src/storage/blob-store.ts';
import type { SeenBlobs } from './blob-history.ts';
import { BlobExpectation, type BlobNote } from './blob-history.ts';
import { type JournalNote, judgeJournal, type SeenJournal } from './journal-crashes.ts';

/**
 * What a volume must hold after all that happened to it.
 *
 * A bit that was flipped may cost one thing: a blob is reported as damaged, or one that was removed
 * shows again; a batch of the journal is reported as lost; a snapshot is not listed. It is never
 * handed out wrong, which is checked where it is read.
 */
export class StormModel {
  readonly blobs = new BlobExpectation();
  readonly ids = new Set<BlobId>();
  readonly #journalNotes: JournalNote[] = [];
  #lastSequence = 0;
  /** By name: the sequence number that a snapshot is of. */
  readonly snapshots = new Map<string, number>();
  readonly snapshotsInDoubt = new Set<number>();
  /** Bits that were flipped in files of the directory of that name. */
  readonly flips = { segments: 0, large: 0, journal: 0, snapshots: 0 };

  readonly noteBlob = (note: BlobNote) => {
    this.blobs.add(note);
    if (note.deed === 'written') this.ids.add(note.id);
  };

  readonly noteJournal = (note: JournalNote) => {
    this.#journalNotes.push(note);
    if ('appended' in note) this.#lastSequence = Math.max(this.#lastSequence, note.appended);
  };

  /** The highest number that a batch was acknowledged with. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  judgeBlobs(seen: SeenBlobs): void {
    const flips = this.flips.segments + this.flips.large;
    if (flips === 0) {
      this.blobs.judge(seen);
      return;
    }
    let costs = 0;
    for (const [id, key] of this.blobs.live) {
      const found = seen.listed.get(id) ?? seen.unlisted.get(id);
      if (typeof found === 'object') assert.equal(found.key, key);
      else costs += 1;
    }
    for (const id of this.blobs.gone) if (seen.listed.has(id)) costs += 1;
    assert.ok(costs <= flips, `${flips} bits were flipped, and ${costs} blobs suffer`);
  }

  judgeJournal(seen: SeenJournal): void {
    if (this.flips.journal === 0) {
      judgeJournal(seen, this.#journalNotes);
      return;
    }
    const there = new Set(seen.sequences);
    let forgotten = 0;
    for (const note of this.#journalNotes) {
      if ('forgetting' in note) forgotten = Math.max(forgotten, note.forgetting);
    }
    const missing = new Set<number>();
    for (const note of this.#journalNotes) {
      if (!('appended' in note) || note.appended <= forgotten) continue;
      if (!there.has(note.appended)) missing.add(note.appended);
    }
    const { journal } = this.flips;
    assert.ok(missing.size <= journal, `${journal} bits were flipped, ${[...missing]} are lost`);
  }

  judgeSnapshots(seen: ReadonlyMap<string, number>): void {
    const missing = [...this.snapshots.keys()].filter((name) => !seen.has(name));
    assert.ok(missing.length <= this.flips.snapshots, `${missing.length} snapshots are lost`);
    for (const [name, sequence] of seen) {
      const isKnown = this.snapshots.get(name) === sequence || this.snapshotsInDoubt.has(sequence);
      assert.ok(isKnown, `nobody took the snapshot ${name}`);
    }
  }
}
