import type { BlobId } from '../storage/blob-store.ts';

/**
 * Between the moment in which a reader finds its job and the one in which it holds the bytes, the job
 * may expire, and its bytes may move. So they stay where they were for this long after that.
 */
export const pinGraceMs = 60_000;

/**
 * Blobs that somebody is reading just now, or is about to commit the row of: they are neither swept
 * nor moved away until that has ended.
 */
export class Pins {
  readonly #holders = new Map<BlobId, number>();

  /** Holds `blobIds` until the answer is disposed of. */
  hold(blobIds: readonly BlobId[]): Disposable {
    for (const id of blobIds) this.#holders.set(id, (this.#holders.get(id) ?? 0) + 1);
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        for (const id of blobIds) this.#release(id);
      },
    };
  }

  isHeld(blobId: BlobId): boolean {
    return this.#holders.has(blobId);
  }

  #release(id: BlobId): void {
    const left = (this.#holders.get(id) ?? 0) - 1;
    if (left > 0) this.#holders.set(id, left);
    else this.#holders.delete(id);
  }
}
