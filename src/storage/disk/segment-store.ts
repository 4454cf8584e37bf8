import { assert, defined } from '../../lib/assert.ts';
import type { BlobDescription, BlobId, ListedBlob } from '../blob-store.ts';
import type { Compaction, RemnantDisposal, SegmentRemnant, SegmentUse } from '../compaction.ts';
import { isStoreError } from '../errors.ts';
import { formatBlobId, idsInSegment, parseBlobId, type SmallBlobName } from './disk-blob-id.ts';
import { blobNotFound, numbersIn } from './files.ts';
import { openSegment } from './open-segment.ts';
import { SegmentKeys } from './segment-keys.ts';
import { describeRecord, readSmallBlob } from './segment-reader.ts';
import { SegmentRemover } from './segment-remover.ts';
import { findTornTail, scanSegment } from './segment-scan.ts';
import { SegmentUses } from './segment-uses.ts';
import { SegmentWriter, type SmallBlob } from './segment-writer.ts';
import type { VolumeParts } from './volume-parts.ts';

/** How segments grow. */
export interface SegmentGrowth {
  /** A segment that has grown to this is sealed. */
  readonly segmentSizeBytesMin?: number | undefined;
  /** So much of it is filled with zeros ahead of what is written. */
  readonly segmentAheadBytes?: number | undefined;
}

const usualSizeBytesMin = 32 * 1024 * 1024;
const usualAheadBytes = 1024 * 1024;

interface SegmentStoreState extends SegmentGrowth {
  /** The number of the newest segment there is. */
  readonly lastSegment: number;
  readonly mayChange: boolean;
}

/**
 * Keeps small blobs, many to a file, and gives back the room of those that were removed.
 *
 * 1. A copy that compaction makes was read back and verified before its id is known to anybody.
 * 2. A segment goes when each record in it is removed or retired, and nothing in it is damaged; or
 *    when it is discarded.
 * 3. Of what is there when it is opened, nothing is changed but the end of the newest segment, where
 *    a crash left a record that is not whole.
 */
export class SegmentStore implements Compaction, RemnantDisposal {
  readonly #parts: VolumeParts;
  readonly #mayChange: boolean;
  readonly #keys: SegmentKeys;
  readonly #writer: SegmentWriter;
  readonly #remover: SegmentRemover;
  readonly #uses: SegmentUses;

  private constructor(
    parts: VolumeParts,
    { lastSegment, mayChange, segmentSizeBytesMin, segmentAheadBytes }: SegmentStoreState,
  ) {
    this.#parts = parts;
    this.#mayChange = mayChange;
    this.#keys = new SegmentKeys(parts);
    const isSealed = (segment: number) => this.#writer.openEndBytes(segment) === undefined;
    this.#uses = new SegmentUses({ ...parts, isSealed });
    this.#remover = new SegmentRemover({ ...parts, isSealed, uses: this.#uses });
    this.#writer = new SegmentWriter(lastSegment, {
      ...parts,
      segmentKeys: this.#keys,
      onSealed: (segment) => this.#suspect(segment),
      sizeBytesMin: segmentSizeBytesMin ?? usualSizeBytesMin,
      aheadBytes: segmentAheadBytes ?? usualAheadBytes,
    });
    // What the last run left in its newest segment may be nothing, or nothing that lives.
    if (lastSegment > 0) this.#suspect(lastSegment);
  }

  static async open(parts: VolumeParts, growth: SegmentGrowth = {}): Promise<SegmentStore> {
    const [lastSegment = 0] = (await numbersIn(parts.files, parts.layout.segments)).slice(-1);
    if (lastSegment > 0) await cutTornTail(lastSegment, parts);
    return new SegmentStore(parts, { ...growth, lastSegment, mayChange: true });
  }

  /** One that changes nothing. The gate of `parts` is closed. */
  static toRead(parts: VolumeParts): SegmentStore {
    // All of them are sealed as far as this one is concerned.
    const lastSegment = Number.MAX_SAFE_INTEGER;
    return new SegmentStore(parts, { lastSegment, mayChange: false });
  }

  /** Resolves when the blob is durable. */
  append(blob: SmallBlob): Promise<BlobId> {
    return this.#writer.append(blob);
  }

  /** The verified bytes of a blob. */
  async read(name: SmallBlobName): Promise<Uint8Array> {
    return (await this.#record(name)).bytes;
  }

  async describe(name: SmallBlobName): Promise<BlobDescription> {
    return describeRecord(await this.#record(name));
  }

  remove(name: SmallBlobName): Promise<void> {
    return this.#remover.remove(name);
  }

  async *list(signal?: AbortSignal): AsyncGenerator<ListedBlob> {
    const { files, layout } = this.#parts;
    for (const segment of await numbersIn(files, layout.segments)) {
      yield* this.#list(segment, signal);
    }
  }

  wasteful(): Promise<SegmentUse[]> {
    return this.#uses.wasteful();
  }

  get isSurveyed(): boolean {
    return this.#uses.isSurveyed;
  }

  async remnants(): Promise<SegmentRemnant[]> {
    const found = await this.#uses.remnants();
    return found.map(({ segment, sizeBytes }) => {
      return { segment, sizeBytes, ids: idsInSegment(segment) };
    });
  }

  async blobsIn(segment: number): Promise<ListedBlob[]> {
    return await Array.fromAsync(this.#list(segment));
  }

  async copy(id: BlobId): Promise<BlobId> {
    const name = parseBlobId(id);
    if (name === undefined) throw blobNotFound(id);
    assert(name.kind === 'small', 'a blob that has a file of its own is not moved');
    try {
      const { header, leaf, label, bytes } = await this.#record(name);
      const { sizeBytes, writtenAtMs } = header;
      const blob = { chunks: [bytes], sizeBytes, leaf, label, writtenAtMs };
      const copy = await this.append(blob);
      await this.#verifyCopy(copy, blob);
      return copy;
    } catch (error) {
      if (isStoreError(error, 'BlobCorrupt')) this.#uses.setAside(name.segment);
      throw error;
    }
  }

  async retire(segment: number, ids: readonly BlobId[]): Promise<void> {
    const names = ids.map((id) => parseBlobId(id)).filter((name) => name?.kind === 'small');
    await this.#remover.retire(segment, names);
  }

  discard(segment: number): Promise<void> {
    return this.#remover.discard(segment);
  }

  /** Finishes what was begun. */
  async close(): Promise<void> {
    await this.#writer.close();
    await this.#remover.close();
  }

  #record(name: SmallBlobName) {
    return readSmallBlob(name, { ...this.#parts, segmentKeys: this.#keys });
  }

  /** Reads the copy back: what was written in its place shall never be relied upon unseen. */
  async #verifyCopy(id: BlobId, { leaf, label, chunks }: SmallBlob): Promise<void> {
    const name = defined(parseBlobId(id), 'a name of this store');
    assert(name.kind === 'small', 'a copy is as small as what it was made of');
    const copy = await this.#record(name);
    const isSame =
      Buffer.compare(copy.leaf, leaf) === 0 &&
      Buffer.compare(copy.label, label) === 0 &&
      Buffer.compare(copy.bytes, Buffer.concat(chunks)) === 0;
    assert(isSame, 'a copy is what it was made of');
  }

  async *#list(segment: number, signal?: AbortSignal): AsyncGenerator<ListedBlob> {
    const openEndBytes = this.#writer.openEndBytes(segment);
    let isDead = openEndBytes === undefined;
    const file = await openSegment(segment, this.#parts);
    if (file === undefined) return;
    try {
      const endBytes = openEndBytes ?? (await file.size());
      for await (const part of scanSegment(file, { segment, endBytes })) {
        signal?.throwIfAborted();
        if (part.kind === 'record' && part.header.mark === 'removed') continue;
        isDead = false;
        if (part.kind === 'gap') {
          this.#uses.noteGap(segment);
          continue;
        }
        const { sizeBytes, writtenAtMs } = part.header;
        yield { id: formatBlobId({ ...part.header, kind: 'small' }), sizeBytes, writtenAtMs };
      }
    } finally {
      await file.close();
    }
    // Left by a crash between the last removal and the unlinking: nothing else would notice.
    if (isDead) this.#suspect(segment);
  }

  #suspect(segment: number): void {
    if (this.#mayChange) this.#remover.suspect(segment);
  }
}

/** Cuts off the record that a crash left half-written. Nobody was told of it. */
async function cutTornTail(segment: number, parts: VolumeParts): Promise<void> {
  const { files, layout, gate, log } = parts;
  const file = await openSegment(segment, parts);
  if (file === undefined) return;
  let tailBytes: number | undefined;
  let endBytes: number;
  try {
    endBytes = await file.size();
    tailBytes = await findTornTail(file, segment);
  } finally {
    await file.close();
  }
  if (tailBytes === undefined) return;
  const writable = await files.open(layout.segment(segment), 'read and write');
  try {
    await writable.truncate(tailBytes);
    await gate.sync(() => writable.sync());
    log.info('segment.tail-cut', { segment, fromBytes: tailBytes, toBytes: endBytes });
  } finally {
    await writable.close();
  }
}
