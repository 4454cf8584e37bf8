import { defined } from '../lib/assert.ts';
import { sha256 } from '../lib/node/sha256.ts';
import { digestSizeBytes, RunningTreeHash, toHex } from '../protocol/tree-hash.ts';
import { type BlobId, type BlobStore, frameSizeBytes } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { ArchiveBlob, ArchiveRow } from '../storage/rows.ts';
import { treeHashOfLeaves } from './archive-hashes.ts';
import { ArchiveDamage } from './archive-verification-damage.ts';
import { damagedFrames } from './archive-verification-frames.ts';
import { ArchiveLabels } from './archive-verification-labels.ts';

/** How far one call of `advance` goes, unless its caller says otherwise. */
export const sliceBytesMax = 64 * 1024 * 1024;

export type ArchiveOutcome =
  | { readonly kind: 'unfinished' }
  /** Every byte was read, and is what was stored. */
  | { readonly kind: 'verified' }
  /** What is wrong, in a few sentences. */
  | { readonly kind: 'damaged'; readonly damage: string }
  /** The archive was removed meanwhile, and its bytes with it. */
  | { readonly kind: 'gone' };

export interface ArchiveVerificationOptions {
  readonly store: Pick<MetadataStore, 'read'>;
  readonly blobs: Pick<BlobStore, 'describe' | 'read'>;
  readonly archive: ArchiveRow;
  /** The archive's blobs, as the rows list them. */
  readonly parts: readonly ArchiveBlob[];
}

/**
 * The reading through of one archive, from its row to its last byte:
 *
 * 1. Its blobs are as long as its rows say, and their labels say what the rows say.
 * 2. Every byte is there, and each frame has the SHA-256 that was stored as its leaf.
 * 3. The leaves of each part make up its tree hash, and all of them that of the archive.
 *
 * Damage does not end the reading: all of it is found. A blob that is not there is looked up again,
 * because the archive may have been removed meanwhile, or the blob moved. One frame is in memory at
 * a time, the leaves of one blob, and the list of blobs.
 */
export class ArchiveVerification {
  readonly #options: ArchiveVerificationOptions;
  readonly #damage = new ArchiveDamage();
  readonly #tree = new RunningTreeHash(sha256);
  readonly #labels: ArchiveLabels;
  #parts: readonly ArchiveBlob[];
  /** Which blob is being read, where it begins in the archive, and how far it was read. */
  #index = 0;
  #partStart = 0;
  #offsetBytes = 0;
  /** Of the blob that is being read, once they are known. */
  #leaves: Uint8Array | undefined;
  /** Whether the leaves of all blobs could be read so far. */
  #isTreeWhole = true;

  constructor(options: ArchiveVerificationOptions) {
    this.#options = options;
    this.#parts = options.parts;
    this.#labels = new ArchiveLabels({ ...options, blobs: options.parts });
    const { listProblem } = this.#labels;
    if (listProblem !== undefined) this.#damage.add(listProblem);
  }

  /**
   * Reads about `bytesMax` on, and tells how much it read. Rejects when the store can't be read just
   * now, or with the signal's reason: another call goes on from there.
   */
  async advance(
    signal: AbortSignal,
    bytesMax = sliceBytesMax,
  ): Promise<ArchiveOutcome & { readonly bytesRead: number }> {
    let bytesRead = 0;
    while (this.#index < this.#parts.length && bytesRead < bytesMax) {
      signal.throwIfAborted();
      try {
        bytesRead += await this.#readOn(bytesMax - bytesRead, signal);
      } catch (error) {
        if (!isStoreError(error, 'BlobNotFound')) throw error;
        const found = await this.#lookUpAgain();
        if (found === 'gone') return { kind: 'gone', bytesRead };
        if (found === 'unchanged') this.#giveUpBlob(error.message);
      }
    }
    if (this.#index < this.#parts.length) return { kind: 'unfinished', bytesRead };
    return { ...(await this.#conclude()), bytesRead };
  }

  /** Reads on in the current blob; to its end, if `bytesMax` allows it. */
  async #readOn(bytesMax: number, signal: AbortSignal): Promise<number> {
    const part = this.#currentPart();
    this.#leaves ??= await this.#open(part);
    if (this.#leaves === undefined) return 0;
    const from = this.#offsetBytes;
    const framesMax = Math.ceil(bytesMax / frameSizeBytes);
    const end = Math.min(from + framesMax * frameSizeBytes, part.sizeBytes);
    const leafAt = (offset: number) => Math.ceil(offset / frameSizeBytes) * digestSizeBytes;
    const damaged = damagedFrames({
      range: { offsetBytes: from, lengthBytes: end - from },
      leaves: this.#leaves.subarray(leafAt(from), leafAt(end)),
      read: (range) => this.#options.blobs.read(part.blobId, range, signal),
      signal,
    });
    for await (const frame of damaged) {
      this.#noteBytes(part, frame.firstByte, frame.lastByte, frame.reason.message);
      // Whoever has to try again does not find it twice.
      this.#offsetBytes = frame.lastByte + 1;
    }
    this.#offsetBytes = end;
    if (end === part.sizeBytes) this.#goToNextBlob();
    return end - from;
  }

  /** The leaves of the blob; undefined, and on to the next one, when it is damaged as a whole. */
  async #open(part: ArchiveBlob): Promise<Uint8Array | undefined> {
    try {
      const { sizeBytes, leaves, label } = await this.#options.blobs.describe(part.blobId);
      if (sizeBytes !== part.sizeBytes) {
        this.#giveUpBlob(`It holds ${sizeBytes} bytes, and not ${part.sizeBytes}`);
        return undefined;
      }
      const problem = await this.#labels.problemOf(label, this.#index);
      if (problem !== undefined) this.#damage.add(problem);
      this.#comparePart(part, leaves);
      for (let at = 0; at < leaves.length; at += digestSizeBytes) {
        this.#tree.add(leaves.subarray(at, at + digestSizeBytes));
      }
      return leaves;
    } catch (error) {
      if (!isStoreError(error, 'BlobCorrupt')) throw error;
      this.#giveUpBlob(error.message);
      return undefined;
    }
  }

  #comparePart({ treeHash }: ArchiveBlob, leaves: Uint8Array): void {
    if (treeHash === null || treeHashOfLeaves(leaves) === treeHash) return;
    const part = this.#labels.partName(this.#index);
    this.#damage.add(`The leaf hashes of ${part} do not make up its tree hash`);
  }

  /** Where the current blob is now. Blobs that moved are read on where they are. */
  async #lookUpAgain(): Promise<'gone' | 'moved' | 'unchanged'> {
    const { blobId } = this.#currentPart();
    if (await this.#isNamedStill(blobId)) return 'unchanged';
    const now = await this.#rowsNow();
    if (now === undefined) return 'gone';
    const moved = now.parts[this.#index];
    if (moved !== undefined && moved.blobId !== blobId) {
      this.#parts = now.parts;
      return 'moved';
    }
    // Of an archive that was removed the bytes go before the row.
    return now.archive.removedChange === null ? 'unchanged' : 'gone';
  }

  /** Whether the archive is in its vault, and a row names the blob: found without the whole list. */
  #isNamedStill(blobId: BlobId): Promise<boolean> {
    const { store, archive } = this.#options;
    return store.read(async ({ archives, blobs }) => {
      const row = await archives.get(archive.archiveId);
      return row?.removedChange === null && (await blobs.isReferenced(blobId));
    });
  }

  #isForgotten(): Promise<boolean> {
    const { store, archive } = this.#options;
    return store.read(
      async ({ archives }) => (await archives.get(archive.archiveId)) === undefined,
    );
  }

  #rowsNow() {
    const { store, archive } = this.#options;
    return store.read(async ({ archives }) => {
      const row = await archives.get(archive.archiveId);
      if (row === undefined) return undefined;
      return { archive: row, parts: await archives.blobs(archive.archiveId) };
    });
  }

  async #conclude(): Promise<ArchiveOutcome> {
    const { treeHash } = this.#options.archive;
    if (this.#isTreeWhole && toHex(this.#tree.digest()) !== treeHash) {
      this.#damage.add('The leaf hashes of its blobs do not make up its tree hash');
    }
    const damage = this.#damage.describe();
    if (damage === null) return { kind: 'verified' };
    return (await this.#isForgotten()) ? { kind: 'gone' } : { kind: 'damaged', damage };
  }

  /** What was not read yet of the current blob is lost. */
  #giveUpBlob(reason: string): void {
    const part = this.#currentPart();
    this.#noteBytes(part, this.#offsetBytes, part.sizeBytes - 1, reason);
    if (this.#leaves === undefined && part.sizeBytes > 0) this.#isTreeWhole = false;
    this.#goToNextBlob();
  }

  /** Positions count in the blob. */
  #noteBytes({ blobId }: ArchiveBlob, firstByte: number, lastByte: number, reason: string): void {
    if (lastByte < firstByte) {
      this.#damage.add(`Blob ${blobId}, of no bytes, is damaged: ${reason}`);
      return;
    }
    this.#damage.addBytes({
      blobId,
      partName: this.#labels.partName(this.#index),
      firstByte: this.#partStart + firstByte,
      lastByte: this.#partStart + lastByte,
      reason,
    });
  }

  #goToNextBlob(): void {
    this.#partStart += this.#currentPart().sizeBytes;
    this.#index += 1;
    this.#offsetBytes = 0;
    this.#leaves = undefined;
  }

  #currentPart(): ArchiveBlob {
    return defined(this.#parts[this.#index], 'the blob that is being read');
  }
}
