import { join } from 'node:path';
import { assert } from '../../lib/assert.ts';
import { assertRangeInBlob } from '../blob-range.ts';
import {
  type BlobContent,
  type BlobDescription,
  type BlobId,
  type BlobRange,
  type BlobStore,
  type BlobWriting,
  type ListedBlob,
  labelBytesMax,
  type StoreCondition,
  type StoredBlob,
} from '../blob-store.ts';
import type { Compaction, RemnantDisposal, SegmentRemnant, SegmentUse } from '../compaction.ts';
import { isStoreError, StoreError } from '../errors.ts';
import { SourceReader } from '../source-reader.ts';
import { readHead, sha256OfChunks } from './blob-head.ts';
import {
  formatBlobId,
  type LargeBlobName,
  parseBlobId,
  type SmallBlobName,
} from './disk-blob-id.ts';
import { blobNotFound, isFileError, otherFailure, writeFailure } from './files.ts';
import { fileOfBlob } from './large-file-name.ts';
import { ReadingFrames, readLargeFile, withLargeFile } from './large-reader.ts';
import { writeLargeFile } from './large-writer.ts';
import type { SegmentStore } from './segment-store.ts';
import { SharedSync } from './shared-sync.ts';
import type { VolumeParts } from './volume-parts.ts';

/** A blob of at most this many bytes shares a segment with others. */
export const smallBlobSizeBytesMax = 256 * 1024;

const noLeaf = new Uint8Array(32);

/**
 * Keeps blobs in a directory: small ones appended to segments, several with one sync, and each
 * large one in a file of its own. FORMAT.md describes the bytes.
 *
 * 1. A blob is acknowledged after its bytes, and the name of the file that they are in, are synced.
 * 2. A removal is acknowledged after its mark, or the absence of the blob's file, is synced.
 * 3. Nothing is changed in place but the mark of a removed record.
 * 4. After a sync that failed nothing is written until the store is opened again.
 * 5. Uploads leave a part of the file system free, for rows and removals: see `Room`.
 * 6. What is handed on was opened under its place in its file, and so is what was written there.
 */
export class DiskBlobStore implements BlobStore, Compaction, RemnantDisposal {
  readonly #parts: VolumeParts;
  readonly #segments: SegmentStore;
  readonly #largeSync: SharedSync;
  readonly #readingFrames = new ReadingFrames();
  readonly #readers = new Set<SourceReader>();
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(parts: VolumeParts, segments: SegmentStore) {
    const { files, layout, gate } = parts;
    this.#parts = parts;
    this.#segments = segments;
    this.#largeSync = new SharedSync(() => gate.sync(() => files.syncDirectory(layout.large)));
  }

  get condition(): StoreCondition {
    if (this.#parts.gate.hasFailed) return 'failed';
    return this.#parts.room.isFull ? 'full' : 'ready';
  }

  async checkRoom(): Promise<void> {
    this.#checkOpen();
    await this.#parts.room.check();
  }

  write(source: AsyncIterable<Uint8Array>, writing: BlobWriting): Promise<StoredBlob> {
    return this.#follow(this.#write(source, writing));
  }

  async *read(id: BlobId, range: BlobRange, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    signal?.throwIfAborted();
    const name = nameOf(id);
    if (name.kind === 'large') {
      const parts = { ...this.#parts, readingFrames: this.#readingFrames };
      yield* readLargeFile(fileOfBlob(this.#parts.layout, name), { range, signal }, parts);
      return;
    }
    const bytes = await this.#segments.read(name);
    assertRangeInBlob(range, bytes.length);
    signal?.throwIfAborted();
    const { offsetBytes, lengthBytes } = range;
    if (lengthBytes > 0) yield bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
  }

  async describe(id: BlobId): Promise<BlobDescription> {
    const name = nameOf(id);
    if (name.kind === 'small') return await this.#segments.describe(name);
    return await withLargeFile(fileOfBlob(this.#parts.layout, name), this.#parts, (file) =>
      file.describe(),
    );
  }

  async remove(id: BlobId): Promise<void> {
    this.#checkOpen();
    const name = parseBlobId(id);
    if (name === undefined) return;
    const isLarge = name.kind === 'large';
    await this.#follow(isLarge ? this.#removeLarge(id) : this.#segments.remove(name));
  }

  async *list(signal?: AbortSignal): AsyncGenerator<ListedBlob> {
    signal?.throwIfAborted();
    try {
      yield* this.#listLarge(signal);
      yield* this.#segments.list(signal);
    } catch (error) {
      throw otherFailure(error, 'list');
    }
  }

  async wasteful(): Promise<SegmentUse[]> {
    try {
      return await this.#segments.wasteful();
    } catch (error) {
      throw otherFailure(error, 'list');
    }
  }

  get isSurveyed(): boolean {
    return this.#segments.isSurveyed;
  }

  async remnants(): Promise<SegmentRemnant[]> {
    try {
      return await this.#segments.remnants();
    } catch (error) {
      throw otherFailure(error, 'list');
    }
  }

  async blobsIn(segment: number): Promise<ListedBlob[]> {
    try {
      return await this.#segments.blobsIn(segment);
    } catch (error) {
      throw otherFailure(error, 'list');
    }
  }

  copy(id: BlobId): Promise<BlobId> {
    return this.#follow(this.#copy(id));
  }

  async retire(segment: number, ids: readonly BlobId[]): Promise<void> {
    this.#checkOpen();
    await this.#follow(this.#segments.retire(segment, ids));
  }

  async discard(segment: number): Promise<void> {
    this.#checkOpen();
    await this.#follow(this.#segments.discard(segment));
  }

  /** Refuses what comes, breaks off the writes whose source still has to answer, waits for all. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const reader of this.#readers) reader.interrupt(closed());
    await Promise.allSettled(this.#underWay);
    await this.#segments.close();
  }

  async #write(
    source: AsyncIterable<Uint8Array>,
    { label, signal, mayUseReserve = false }: BlobWriting,
  ): Promise<StoredBlob> {
    await using reader = new SourceReader(source, signal);
    this.#readers.add(reader);
    try {
      // Before anything is read: who has much to send shall learn at once that it is in vain.
      const usesReserve = await this.#usesReserve(mayUseReserve);
      const writtenAtMs = this.#parts.clock.now();
      const { chunks, sizeBytes, isWhole } = await readHead(reader, smallBlobSizeBytesMax);
      this.#checkOpen();
      if (!isWhole) return await this.#writeLarge({ chunks, reader, label, writtenAtMs });
      const leaf = sizeBytes === 0 ? noLeaf : sha256OfChunks(chunks);
      const content = { sizeBytes, leaves: sizeBytes === 0 ? new Uint8Array(0) : leaf };
      const record = { chunks, sizeBytes, leaf, label: encodeLabel(label(content)), writtenAtMs };
      const blob = { ...record, mayUseReserve: usesReserve };
      return { id: await this.#segments.append(blob), ...content };
    } finally {
      this.#readers.delete(reader);
    }
  }

  /** Whether there is room for nothing else. Throws when that is not enough. */
  async #usesReserve(mayUseReserve: boolean): Promise<boolean> {
    try {
      await this.checkRoom();
      return false;
    } catch (error) {
      if (mayUseReserve && isStoreError(error, 'StoreFull')) return true;
      throw error;
    }
  }

  async #writeLarge(begun: {
    readonly chunks: readonly Uint8Array[];
    readonly reader: SourceReader;
    readonly label: (content: BlobContent) => string;
    readonly writtenAtMs: number;
  }): Promise<StoredBlob> {
    const { chunks, reader, label, writtenAtMs } = begun;
    const plan = {
      kind: 'large' as const,
      createdAtMs: writtenAtMs,
      directory: this.#parts.layout.large,
      directorySync: this.#largeSync,
      label: (content: BlobContent) => encodeLabel(label(content)),
      nameOf: ({ fileId, sizeBytes }: { fileId: string; sizeBytes: number }) =>
        formatBlobId({ kind: 'large', writtenAtMs, sizeBytes, nonce: fileId }),
    };
    const written = await writeLargeFile({ chunks, rest: reader }, plan, this.#parts);
    const { name, ...content } = written;
    return { id: name as BlobId, ...content };
  }

  async #copy(id: BlobId): Promise<BlobId> {
    await this.checkRoom();
    // It may have been closed while the room was measured.
    this.#checkOpen();
    return await this.#segments.copy(id);
  }

  async #removeLarge(id: BlobId): Promise<void> {
    try {
      await this.#parts.files.unlink(join(this.#parts.layout.large, id));
    } catch (error) {
      if (!isFileError(error, 'ENOENT')) throw writeFailure(error);
    }
    // Also when it was gone: the sync of who unlinked it may never have come.
    try {
      await this.#largeSync.request();
    } catch (error) {
      throw writeFailure(error);
    }
  }

  async *#listLarge(signal?: AbortSignal): AsyncGenerator<ListedBlob> {
    const { files, layout } = this.#parts;
    for await (const fileName of files.list(layout.large)) {
      signal?.throwIfAborted();
      const name = parseBlobId(fileName);
      if (name?.kind !== 'large') continue;
      const { sizeBytes, writtenAtMs } = name;
      yield { id: formatBlobId(name), sizeBytes, writtenAtMs };
    }
  }

  #checkOpen(): void {
    this.#parts.gate.checkOpen();
    if (this.#isClosed) throw closed();
  }

  #follow<T>(work: Promise<T>): Promise<T> {
    const followed = work.finally(() => this.#underWay.delete(followed));
    this.#underWay.add(followed);
    return followed;
  }
}

function nameOf(id: BlobId): SmallBlobName | LargeBlobName {
  const name = parseBlobId(id);
  if (name === undefined) throw blobNotFound(id);
  return name;
}

function encodeLabel(label: string): Uint8Array {
  const bytes = Buffer.from(label);
  assert(bytes.length <= labelBytesMax, `a label has at most ${labelBytesMax} bytes`);
  return bytes;
}

function closed(): StoreError {
  return new StoreError('StoreUnavailable', 'The store is closed');
}
