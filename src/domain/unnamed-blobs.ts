import type { Log } from '../lib/log.ts';
import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore, Rows } from '../storage/metadata-store.ts';
import type { BlobPart } from '../storage/rows.ts';
import { treeHashOfLeaves } from './archive-hashes.ts';
import { damagedFrames } from './archive-verification-frames.ts';
import { type BlobLabel, parseBlobLabel } from './blob-labels.ts';
import type { Pins } from './pins.ts';

/** What a blob is that no row seems to name. */
export type UnnamedBlob =
  /** What it is of has a row, and that names another blob of the same size. */
  | { readonly kind: 'copy' }
  /** What it is of has no row, or is a job that has no output. */
  | { readonly kind: 'orphan' }
  /** Damaged garbage, or all that is left of an archive: nobody can tell. */
  | { readonly kind: 'unclear'; readonly error: unknown }
  /** A row names it after all, or the rows contradict themselves about it: it stays. */
  | { readonly kind: 'needed' }
  | { readonly kind: 'gone' };

/** As above; a copy is superfluous when all of the blob that the row names could be read. */
export type Judgement = Exclude<UnnamedBlob, { kind: 'copy' }> | { readonly kind: 'superfluous' };

interface Copy {
  readonly kind: 'copy';
  readonly owner: Owner;
  readonly named: BlobPart;
  /** Of what it is of; null when nobody knows. */
  readonly treeHash: string | null;
}

type Owner = { readonly archiveId: string } | { readonly jobId: string };

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
 *    and this one is not, the row names this one from then on.
 */
export class UnnamedBlobs {
  readonly #options: UnnamedBlobsOptions;
  #areRowsTrusted = true;

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
    if (await this.#isSound(found.named, found.treeHash, signal)) return { kind: 'superfluous' };
    return await this.#heal(id, found, signal);
  }

  async #look(id: BlobId): Promise<Exclude<UnnamedBlob, { kind: 'copy' }> | Copy> {
    const { blobs, store } = this.#options;
    let blob: BlobPart;
    let label: BlobLabel | undefined;
    try {
      const described = await blobs.describe(id);
      blob = { blobId: id, sizeBytes: described.sizeBytes };
      label = parseBlobLabel(described.label);
    } catch (error) {
      if (isStoreError(error, 'BlobNotFound')) return { kind: 'gone' };
      if (isStoreError(error, 'BlobCorrupt')) return { kind: 'unclear', error };
      throw error;
    }
    if (label === undefined) return unclear('Its label cannot be understood');
    const known = label;
    return await store.read((rows) => this.#compare(blob, known, rows));
  }

  /** All in one look at the rows: nobody writes in between. */
  async #compare(blob: BlobPart, label: BlobLabel, rows: Rows) {
    const owner = ownerOf(label);
    if (await rows.blobs.isReferenced(blob.blobId)) return { kind: 'needed' } as const;
    if (await this.#contradict(blob.blobId, owner, rows)) return { kind: 'needed' } as const;
    const named = await namedInstead(label, rows);
    if (named === undefined) return { kind: 'orphan' } as const;
    if (named?.sizeBytes !== blob.sizeBytes) {
      return unclear('Its label does not say what the row says of the same archive');
    }
    const treeHash = label.kind === 'archive' ? label.treeHash : null;
    return { kind: 'copy', owner, named, treeHash } as const;
  }

  /** Whether the row of the owner names the blob, although it was denied that any row does. */
  async #contradict(blobId: BlobId, owner: Owner, rows: Rows): Promise<boolean> {
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
    const { named, owner, treeHash } = copy;
    if (!(await this.#isSound({ ...named, blobId: id }, treeHash, signal))) {
      return unclear(`It is damaged, and so is ${named.blobId}, whose copy it is`);
    }
    // Not if the row names another one by now: the other one was not damaged, but moved or gone.
    const isHealed = await store.write(({ blobs }) => blobs.repoint(named.blobId, id));
    const event = 'archiveId' in owner ? 'archive.healed' : 'inventory.healed';
    if (isHealed) log.warn(event, { ...owner, blobId: id, damagedBlobId: named.blobId });
    return { kind: 'needed' };
  }

  /** Whether every byte of the blob can be read and is what was stored. */
  async #isSound(
    { blobId, sizeBytes }: BlobPart,
    treeHash: string | null,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { blobs } = this.#options;
    const range = { offsetBytes: 0, lengthBytes: sizeBytes };
    try {
      const { leaves, ...described } = await blobs.describe(blobId);
      if (described.sizeBytes !== sizeBytes) return false;
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

function ownerOf(label: BlobLabel): Owner {
  return label.kind === 'archive' ? { archiveId: label.archiveId } : { jobId: label.jobId };
}

function unclear(sentence: string): { readonly kind: 'unclear'; readonly error: Error } {
  return { kind: 'unclear', error: new Error(sentence) };
}

/**
 * The only blob that the row names of that whose label this is. Undefined when there is no such row,
 * or a job without an output; null when the row says something else than the label.
 */
async function namedInstead(label: BlobLabel, rows: Rows): Promise<BlobPart | null | undefined> {
  if (label.kind === 'inventory') return (await rows.jobs.get(label.jobId))?.output ?? undefined;
  const archive = await rows.archives.get(label.archiveId);
  if (archive === undefined) return undefined;
  const { treeHash, sizeBytes } = label;
  if (archive.treeHash !== treeHash || archive.sizeBytes !== sizeBytes) return null;
  const [only, ...others] = await rows.archives.blobs(label.archiveId);
  return others.length === 0 ? (only ?? null) : null;
}
