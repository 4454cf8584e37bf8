import type { Log } from '../lib/log.ts';
import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { BlobOwner, MetadataStore, Rows } from '../storage/metadata-store.ts';
import type { BlobPart } from '../storage/rows.ts';
import { treeHashOfLeaves } from './archive-hashes.ts';
import { damagedFrames } from './archive-verification-frames.ts';
import { type BlobLabel, parseBlobLabel } from './blob-labels.ts';
import { archiveOfUpload, blobNamedFor, haveAllParts, isGivenUp, ownerOf } from './named-blobs.ts';
import type { Pins } from './pins.ts';

/** Of so many uploads it is remembered whether all their parts are there. */
const knownUploadsMax = 1000;

/** What a blob is that no row seems to name. */
export type UnnamedBlob =
  /** What it is of has a row, and that names another blob of the same size. */
  | { readonly kind: 'copy' }
  /**
   * What it is of has no row, is a job that has no output, or is a place in an upload that has no part
   * or another one.
   */
  | { readonly kind: 'orphan' }
  /** Damaged garbage, or a part of what is left of an archive: nobody can tell. */
  | { readonly kind: 'unclear'; readonly error: unknown }
  /** A row names it after all, or the rows contradict themselves about it: it stays. */
  | { readonly kind: 'needed' }
  | { readonly kind: 'gone' };

/** As above; a copy is superfluous when all of the blob that the row names could be read. */
export type Judgement = Exclude<UnnamedBlob, { kind: 'copy' }> | { readonly kind: 'superfluous' };

interface Copy {
  readonly kind: 'copy';
  readonly owner: BlobOwner;
  readonly named: BlobPart;
  /** Of its bytes; null when nobody knows. */
  readonly treeHash: string | null;
  /** What tells all that there is, where there is not a byte: the label. Null of other blobs. */
  readonly label: string | null;
}

/** What the bytes of a blob must be. */
type Content = Pick<Copy, 'treeHash' | 'label'>;

export interface UnnamedBlobsOptions {
  readonly store: Pick<MetadataStore, 'read' | 'write'>;
  readonly blobs: Pick<BlobStore, 'describe' | 'read'>;
  readonly pins: Pins;
  readonly log: Log;
}

/**
 * Finds out what may become of blobs that no row seems to name, so that the last bytes of an archive
 * are not taken for garbage:
 *
 * 1. That no row names a blob is believed only when the row of that of which its label says that it is
 *    says so too: one flipped bit in an index of the rows hides a row, and not the row itself.
 * 2. A copy is superfluous only when the other one was read to its end just now. If that is damaged
 *    and this one is not, the row names this one from then on. Not where bytes are just being given
 *    up: then the other one is not damaged, but gone.
 * 3. A part that no row names is garbage only when the rows have all parts of the archive that its
 *    upload became.
 */
export class UnnamedBlobs {
  readonly #options: UnnamedBlobsOptions;
  #areRowsTrusted = true;
  /** Whether the rows have all parts of these uploads. Once it is an archive nothing adds to them. */
  readonly #completeUploads = new Map<string, boolean>();

  constructor(options: UnnamedBlobsOptions) {
    this.#options = options;
  }

  /** Whether the rows never contradicted themselves. If they did nothing should be given up. */
  get areRowsTrusted(): boolean {
    return this.#areRowsTrusted;
  }

  /** What the blob is by its label, and by the rows. No byte of it is read. */
  look(id: BlobId): Promise<UnnamedBlob> {
    return this.#look(id);
  }

  /** What the blob is, after the one that has taken its place was read. May repoint the row to it. */
  async judge(id: BlobId, signal: AbortSignal): Promise<Judgement> {
    const found = await this.#look(id);
    if (found.kind !== 'copy') return found;
    if (await this.#isSound(found.named, found, signal)) return { kind: 'superfluous' };
    return await this.#heal(id, found, signal);
  }

  async #look(id: BlobId): Promise<Exclude<UnnamedBlob, { kind: 'copy' }> | Copy> {
    const { blobs, store } = this.#options;
    let blob: BlobPart;
    let text: string;
    try {
      const described = await blobs.describe(id);
      blob = { blobId: id, sizeBytes: described.sizeBytes };
      text = described.label;
    } catch (error) {
      if (isStoreError(error, 'BlobNotFound')) return { kind: 'gone' };
      if (isStoreError(error, 'BlobCorrupt')) return { kind: 'unclear', error };
      throw error;
    }
    const label = parseBlobLabel(text);
    if (label === undefined) return unclear('Its label cannot be understood');
    return await store.read((rows) => this.#compare(blob, { label, text }, rows));
  }

  /** All in one look at the rows: nobody writes in between. */
  async #compare(
    blob: BlobPart,
    { label, text }: { readonly label: BlobLabel; readonly text: string },
    rows: Rows,
  ) {
    const owner = ownerOf(label);
    if (await rows.blobs.isReferenced(blob.blobId)) return { kind: 'needed' } as const;
    if (await this.#contradict(blob.blobId, owner, rows)) return { kind: 'needed' } as const;
    const named = await blobNamedFor(label, rows);
    if (named === undefined) return await this.#lookAtUnwanted(label, rows);
    if (named?.sizeBytes !== blob.sizeBytes) {
      return unclear('Its label does not say what the row of the same archive or part says');
    }
    return { kind: 'copy', owner, named, ...contentOf(label, text) } as const;
  }

  /** What is wanted no more, unless rows of parts were lost. */
  async #lookAtUnwanted(label: BlobLabel, rows: Rows) {
    if (label.kind !== 'part') return { kind: 'orphan' } as const;
    const archive = await archiveOfUpload(label.uploadId, rows);
    if (archive === undefined) return { kind: 'orphan' } as const;
    let isComplete = this.#completeUploads.get(label.uploadId);
    if (isComplete === undefined) {
      isComplete = await haveAllParts(label.uploadId, archive, rows);
      if (this.#completeUploads.size >= knownUploadsMax) this.#completeUploads.clear();
      this.#completeUploads.set(label.uploadId, isComplete);
    }
    if (isComplete) return { kind: 'orphan' } as const;
    return unclear(
      `Rows of parts are lost of the archive ${archive.archiveId}, whose part it may be`,
    );
  }

  /** Whether the row of the owner names the blob, although it was denied that any row does. */
  async #contradict(blobId: BlobId, owner: BlobOwner, rows: Rows): Promise<boolean> {
    let facts: object = { blobId, ...owner };
    try {
      if (!(await rows.blobs.isNamedBy(owner, blobId))) return false;
    } catch (error) {
      // So says a store that has noticed it itself.
      if (!isStoreError(error, 'StoreUnavailable')) throw error;
      facts = { ...facts, error };
    }
    this.#areRowsTrusted = false;
    this.#options.log.error('metadata.contradicts-itself', { ...facts });
    return true;
  }

  /** The other one is damaged: if this one is not, it takes its place. */
  async #heal(id: BlobId, copy: Copy, signal: AbortSignal): Promise<Judgement> {
    const { pins, store, log } = this.#options;
    // Somebody may be giving it up just now.
    if (pins.isHeld(id)) return { kind: 'needed' };
    using _pin = pins.hold([id]);
    const { named, owner } = copy;
    if (await store.read((rows) => isGivenUp(owner, rows))) return { kind: 'needed' };
    if (!(await this.#isSound({ ...named, blobId: id }, copy, signal))) {
      return unclear(`It is damaged, and so is ${named.blobId}, whose copy it is`);
    }
    // Not if the row names another one by now: the other one was not damaged, but moved or gone.
    const isHealed = await store.write(async (rows) => {
      if (await isGivenUp(owner, rows)) return false;
      return await rows.blobs.repoint(named.blobId, id);
    });
    const facts = { ...owner, blobId: id, damagedBlobId: named.blobId };
    if (isHealed) log.warn(healedEvent(owner), facts);
    return { kind: 'needed' };
  }

  /** Whether every byte of the blob can be read and is what was stored. */
  async #isSound(
    { blobId, sizeBytes }: BlobPart,
    { treeHash, label }: Content,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { blobs } = this.#options;
    const range = { offsetBytes: 0, lengthBytes: sizeBytes };
    try {
      const { leaves, ...described } = await blobs.describe(blobId);
      if (described.sizeBytes !== sizeBytes) return false;
      if (label !== null && described.label !== label) return false;
      if (treeHash !== null && treeHashOfLeaves(leaves) !== treeHash) return false;
      const read = (part: typeof range) => blobs.read(blobId, part, signal);
      for await (const _ of damagedFrames({ range, leaves, read, signal })) return false;
      return true;
    } catch (error) {
      if (isStoreError(error, 'BlobCorrupt') || isStoreError(error, 'BlobNotFound')) return false;
      throw error;
    }
  }
}

/** The tree hash that is in the label of an archive of parts is not that of its empty blob. */
function contentOf(label: BlobLabel, text: string): Content {
  if (label.kind === 'uploaded-archive') return { treeHash: null, label: text };
  return { treeHash: label.kind === 'inventory' ? null : label.treeHash, label: null };
}

function healedEvent(owner: BlobOwner): string {
  if ('archiveId' in owner) return 'archive.healed';
  return 'uploadId' in owner ? 'part.healed' : 'inventory.healed';
}

function unclear(sentence: string): { readonly kind: 'unclear'; readonly error: Error } {
  return { kind: 'unclear', error: new Error(sentence) };
}
