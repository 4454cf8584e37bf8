import assert from 'node:assert/strict';
import { sampleBytes } from '../../src/storage/blob-specimen.ts';
import type { BlobId } from '../../src/storage/blob-store.ts';

/**
 * Names a blob of these workloads, and says what its bytes are: its size and a seed. It is the label
 * of the blob, so that a blob can be judged that nobody has the id of.
 */
export type BlobKey = `${number}-${number}`;

const bytesOfKeys = new Map<BlobKey, Uint8Array>();

export function bytesOfKey(key: BlobKey): Uint8Array {
  let bytes = bytesOfKeys.get(key);
  if (bytes === undefined) {
    const [size = 0, seed = 0] = key.split('-').map(Number);
    bytes = sampleBytes(size, seed);
    bytesOfKeys.set(key, bytes);
  }
  return bytes;
}

/** What is begun with a blob store, and what it has acknowledged. */
export type BlobNote =
  | { readonly deed: 'writing'; readonly key: BlobKey }
  | { readonly deed: 'written'; readonly key: BlobKey; readonly id: BlobId }
  | { readonly deed: 'removing'; readonly ids: readonly BlobId[] }
  | { readonly deed: 'removed'; readonly ids: readonly BlobId[] };

/** What came of an attempt to read a blob, whole, with its label. */
export type SeenBlob = { readonly key: BlobKey } | 'absent' | 'corrupt';

/** What a blob store shows of itself. */
export interface SeenBlobs {
  readonly listed: ReadonlyMap<BlobId, SeenBlob>;
  /** Of ids that were not listed. */
  readonly unlisted: ReadonlyMap<BlobId, SeenBlob>;
}

/** What must be there, what must not, and what may be. */
export class BlobExpectation {
  /** Acknowledged, and nobody asked for its removal. */
  readonly live = new Map<BlobId, BlobKey>();
  /** Whose removal was asked for and not acknowledged. */
  readonly inDoubt = new Map<BlobId, BlobKey>();
  readonly gone = new Set<BlobId>();
  /** How many writes of a key began and were not acknowledged. */
  readonly attempts = new Map<BlobKey, number>();

  constructor(notes: Iterable<BlobNote> = []) {
    for (const note of notes) this.add(note);
  }

  add(note: BlobNote): void {
    if (note.deed === 'writing') this.#attempt(note.key, 1);
    else if (note.deed === 'written') {
      this.#attempt(note.key, -1);
      assert.ok(!this.#isKnown(note.id), `the id ${note.id} was given twice`);
      this.live.set(note.id, note.key);
    } else if (note.deed === 'removing') {
      for (const id of note.ids) {
        const key = this.live.get(id);
        if (key !== undefined) this.inDoubt.set(id, key);
        this.live.delete(id);
      }
    } else {
      for (const id of note.ids) {
        this.inDoubt.delete(id);
        this.gone.add(id);
      }
    }
  }

  /** Throws unless what was seen is what may be. */
  judge({ listed, unlisted }: SeenBlobs): void {
    for (const [id, key] of this.live) {
      assert.deepEqual(listed.get(id) ?? unlisted.get(id), { key }, `the blob ${id}`);
      assert.ok(listed.has(id), `the blob ${id} can be read, and is not listed`);
    }
    for (const id of this.gone) {
      assert.ok(!listed.has(id), `the blob ${id} was removed, and is listed`);
      assert.equal(unlisted.get(id) ?? 'absent', 'absent', `the blob ${id} was removed`);
    }
    for (const [id, key] of this.inDoubt) {
      const seen = listed.get(id) ?? unlisted.get(id);
      if (seen !== 'absent') assert.deepEqual(seen, { key }, `the blob ${id}`);
    }
    this.#judgeUnknown(listed);
  }

  /** What nobody has the id of is what a crash left of writes that were not acknowledged. */
  #judgeUnknown(listed: SeenBlobs['listed']): void {
    const left = new Map(this.attempts);
    let torn = 0;
    for (const [id, seen] of listed) {
      if (this.#isKnown(id)) continue;
      if (seen === 'corrupt') torn += 1;
      else assert.ok(seen !== 'absent', `the blob ${id} is listed, and absent`);
      if (typeof seen === 'string') continue;
      const count = left.get(seen.key) ?? 0;
      assert.ok(count > 0, `there is a blob ${id} of ${seen.key} that nobody wrote`);
      left.set(seen.key, count - 1);
    }
    const unaccounted = [...left.values()].reduce((sum, count) => sum + count, 0);
    assert.ok(torn <= unaccounted, `${torn} blobs are torn, and ${unaccounted} were under way`);
  }

  #isKnown(id: BlobId): boolean {
    return this.live.has(id) || this.inDoubt.has(id) || this.gone.has(id);
  }

  #attempt(key: BlobKey, count: number): void {
    this.attempts.set(key, (this.attempts.get(key) ?? 0) + count);
  }
}
