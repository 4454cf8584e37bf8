import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { RandomBytes } from '../../lib/random.ts';
import { assertRangeInBlob } from '../blob-range.ts';
import type { BlobId, BlobRange, BlobStore, ListedBlob, StoredBlob } from '../blob-store.ts';
import { StoreError } from '../errors.ts';
import { SourceReader } from '../source-reader.ts';
import { readHead, sha256OfChunks } from './blob-head.ts';
import {
  formatBlobId,
  type LargeBlobName,
  parseBlobId,
  type SmallBlobName,
} from './disk-blob-id.ts';
import {
  blobNotFound,
  type Files,
  isFileError,
  Layout,
  otherFailure,
  writeFailure,
} from './files.ts';
import { FramePool } from './frame-pipeline.ts';
import { ReadingFrames, readLargeBlob, readLargeLeaves } from './large-reader.ts';
import { writeLargeBlob } from './large-writer.ts';
import { nodeFiles } from './node-files.ts';
import { prepareDirectories, segmentNumbers } from './prepare-directories.ts';
import { Room } from './room.ts';
import { readSmallBlob, readSmallLeaves } from './segment-reader.ts';
import { SegmentRemover } from './segment-remover.ts';
import { scanSegment } from './segment-scan.ts';
import { SegmentWriter } from './segment-writer.ts';
import { SharedSync } from './shared-sync.ts';
import { WriteGate } from './write-gate.ts';

export interface DiskBlobStoreOptions {
  /** Where the blobs are. Its parent exists. No other store has it open. */
  readonly directory: string;
  readonly files?: Files;
  readonly randomBytes: RandomBytes;
  readonly clock: Clock;
  readonly log: Log;
}

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
 * 6. Opening reads no blob and repairs nothing: it takes a listing of segments, whatever was stored.
 */
export class DiskBlobStore implements BlobStore {
  readonly #files: Files;
  readonly #layout: Layout;
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;
  readonly #gate: WriteGate;
  readonly #room: Room;
  readonly #writer: SegmentWriter;
  readonly #remover: SegmentRemover;
  readonly #directorySync: SharedSync;
  readonly #pool = new FramePool();
  readonly #readingFrames = new ReadingFrames();
  readonly #readers = new Set<SourceReader>();
  readonly #underWay = new Set<Promise<unknown>>();

  private constructor(options: DiskBlobStoreOptions & { files: Files }, lastSegment: number) {
    const { directory, files, clock, randomBytes, log } = options;
    const layout = new Layout(directory);
    const gate = new WriteGate(log);
    this.#files = files;
    this.#layout = layout;
    this.#clock = clock;
    this.#randomBytes = randomBytes;
    this.#gate = gate;
    const room = new Room(layout.root, { files, clock });
    this.#room = room;
    const isSealed = (segment: number) => this.#writer.openEndBytes(segment) === undefined;
    this.#remover = new SegmentRemover({ files, layout, gate, log, isSealed });
    const onSealed = (segment: number) => this.#remover.suspect(segment);
    const common = { files, layout, gate, room, randomBytes };
    this.#writer = new SegmentWriter(lastSegment, { ...common, onSealed });
    this.#directorySync = new SharedSync(() => gate.sync(() => files.syncDirectory(layout.large)));
    // What the last run left in its newest segment may be nothing, or nothing that lives.
    this.#remover.suspect(lastSegment);
  }

  static async open(options: DiskBlobStoreOptions): Promise<DiskBlobStore> {
    const { files = nodeFiles } = options;
    const layout = new Layout(options.directory);
    await prepareDirectories(files, layout);
    const lastSegment = Math.max(0, ...(await segmentNumbers(files, layout)).slice(-1));
    return new DiskBlobStore({ ...options, files }, lastSegment);
  }

  write(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<StoredBlob> {
    return this.#follow(this.#write(source, signal));
  }

  async *read(id: BlobId, range: BlobRange, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    signal?.throwIfAborted();
    const name = nameOf(id);
    if (name.kind === 'large') {
      const readingFrames = this.#readingFrames;
      yield* readLargeBlob(name, { range, signal }, { ...this.#place, readingFrames });
      return;
    }
    const bytes = await readSmallBlob(name, this.#place);
    assertRangeInBlob(range, bytes.length);
    signal?.throwIfAborted();
    const { offsetBytes, lengthBytes } = range;
    if (lengthBytes > 0) yield bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
  }

  async leaves(id: BlobId): Promise<Uint8Array> {
    const name = nameOf(id);
    if (name.kind === 'large') return await readLargeLeaves(name, this.#place);
    return await readSmallLeaves(name, this.#place);
  }

  async remove(id: BlobId): Promise<void> {
    this.#gate.checkOpen();
    const name = parseBlobId(id);
    if (name === undefined) return;
    await this.#follow(name.kind === 'large' ? this.#removeLarge(id) : this.#remover.remove(name));
  }

  async *list(signal?: AbortSignal): AsyncGenerator<ListedBlob> {
    signal?.throwIfAborted();
    try {
      yield* this.#listLarge(signal);
      for (const segment of await segmentNumbers(this.#files, this.#layout)) {
        yield* this.#listSegment(segment, signal);
      }
    } catch (error) {
      throw otherFailure(error, 'list');
    }
  }

  /** Refuses what comes, breaks off the writes whose source still has to answer, waits for all. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#gate.close();
    const closed = new StoreError('StoreUnavailable', 'The store is being closed');
    for (const reader of this.#readers) reader.interrupt(closed);
    await Promise.allSettled(this.#underWay);
    await this.#writer.close();
    await this.#remover.close();
  }

  get #place() {
    return { files: this.#files, layout: this.#layout };
  }

  async #write(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<StoredBlob> {
    await using reader = new SourceReader(source, signal);
    this.#readers.add(reader);
    try {
      this.#gate.checkOpen();
      // Before anything is read: who has much to send shall learn at once that it is in vain.
      await this.#room.spend(0);
      const writtenAtMs = this.#clock.now();
      const { chunks, sizeBytes, isWhole } = await readHead(reader, smallBlobSizeBytesMax);
      this.#gate.checkOpen();
      if (!isWhole) {
        return await writeLargeBlob(
          { chunks, rest: reader, writtenAtMs },
          {
            ...this.#place,
            gate: this.#gate,
            pool: this.#pool,
            room: this.#room,
            randomBytes: this.#randomBytes,
            directorySync: this.#directorySync,
          },
        );
      }
      const leaf = sizeBytes === 0 ? noLeaf : sha256OfChunks(chunks);
      const id = await this.#writer.append({ chunks, sizeBytes, leaf, writtenAtMs });
      return { id, sizeBytes, leaves: sizeBytes === 0 ? new Uint8Array(0) : leaf };
    } finally {
      this.#readers.delete(reader);
    }
  }

  async #removeLarge(id: BlobId): Promise<void> {
    try {
      await this.#files.unlink(join(this.#layout.large, id));
    } catch (error) {
      if (!isFileError(error, 'ENOENT')) throw writeFailure(error);
    }
    // Also when it was gone: the sync of who unlinked it may never have come.
    try {
      await this.#directorySync.request();
    } catch (error) {
      throw writeFailure(error);
    }
  }

  async *#listLarge(signal?: AbortSignal): AsyncGenerator<ListedBlob> {
    for await (const fileName of this.#files.list(this.#layout.large)) {
      signal?.throwIfAborted();
      const name = parseBlobId(fileName);
      if (name?.kind !== 'large') continue;
      yield { id: formatBlobId(name), writtenAtMs: name.writtenAtMs };
    }
  }

  async *#listSegment(segment: number, signal?: AbortSignal): AsyncGenerator<ListedBlob> {
    const openEndBytes = this.#writer.openEndBytes(segment);
    let isDead = openEndBytes === undefined;
    const file = await this.#openListed(segment);
    if (file === undefined) return;
    try {
      const endBytes = openEndBytes ?? (await file.size());
      for await (const part of scanSegment(file, { segment, fromBytes: 0, endBytes })) {
        signal?.throwIfAborted();
        if (part.kind === 'record' && part.header.mark === 'removed') continue;
        isDead = false;
        if (part.kind === 'gap') continue;
        const { writtenAtMs } = part.header;
        yield { id: formatBlobId({ ...part.header, kind: 'small' }), writtenAtMs };
      }
    } finally {
      await file.close();
    }
    // Left by a crash between the last removal and the unlinking: nothing else would notice.
    if (isDead) this.#remover.suspect(segment);
  }

  async #openListed(segment: number) {
    try {
      return await this.#files.open(this.#layout.segment(segment), 'read');
    } catch (error) {
      if (isFileError(error, 'ENOENT')) return undefined;
      throw error;
    }
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
