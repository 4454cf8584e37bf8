import type { Clock } from '../../lib/clock.ts';
import { sha256 } from '../../lib/node/sha256.ts';
import { type RandomBytes, randomId } from '../../lib/random.ts';
import { assertRangeInBlob } from '../blob-range.ts';
import {
  type BlobId,
  type BlobRange,
  type BlobStore,
  frameSizeBytes,
  type ListedBlob,
  type StoredBlob,
} from '../blob-store.ts';
import { StoreError } from '../errors.ts';
import { SourceReader } from '../source-reader.ts';

const idLength = 32;

interface Blob {
  readonly bytes: Uint8Array;
  readonly leaves: Uint8Array;
  readonly writtenAtMs: number;
}

/** Keeps blobs in memory, for tests. What it holds goes with the process. */
export class MemoryBlobStore implements BlobStore {
  /** How many bytes of blobs it takes before it is full. May be changed at any time. */
  capacityBytes = Number.POSITIVE_INFINITY;
  readonly #blobs = new Map<BlobId, Blob>();
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;
  #usedBytes = 0;
  #isClosed = false;

  constructor({ clock, randomBytes }: { clock: Clock; randomBytes: RandomBytes }) {
    this.#clock = clock;
    this.#randomBytes = randomBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  async write(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<StoredBlob> {
    await using reader = new SourceReader(source, signal);
    if (this.#isClosed) throw new StoreError('StoreUnavailable', 'The store is closed');
    const writtenAtMs = this.#clock.now();
    const bytes = await this.#gather(reader);
    const leaves = leavesOf(bytes);
    const id = randomId(this.#randomBytes, idLength) as BlobId;
    this.#blobs.set(id, { bytes, leaves, writtenAtMs });
    this.#usedBytes += bytes.length;
    return { id, sizeBytes: bytes.length, leaves: leaves.slice() };
  }

  async *read(id: BlobId, range: BlobRange, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    signal?.throwIfAborted();
    const { bytes, leaves } = this.#find(id);
    assertRangeInBlob(range, bytes.length);
    const endBytes = range.offsetBytes + range.lengthBytes;
    for (let at = range.offsetBytes; at < endBytes; ) {
      signal?.throwIfAborted();
      const index = Math.floor(at / frameSizeBytes);
      const frameStart = index * frameSizeBytes;
      const frame = bytes.subarray(frameStart, frameStart + frameSizeBytes);
      if (Buffer.compare(sha256(frame), leaves.subarray(index * 32, index * 32 + 32)) !== 0) {
        throw new StoreError('BlobCorrupt', `Frame ${index} of blob ${id} fails its verification`);
      }
      const end = Math.min(endBytes, frameStart + frame.length);
      const chunk = bytes.slice(at, end);
      yield chunk;
      // As good as used again: who holds a chunk for too long shall notice.
      chunk.fill(0);
      at = end;
    }
  }

  async leaves(id: BlobId): Promise<Uint8Array> {
    return this.#find(id).leaves.slice();
  }

  async remove(id: BlobId): Promise<void> {
    this.#usedBytes -= this.#blobs.get(id)?.bytes.length ?? 0;
    this.#blobs.delete(id);
  }

  async *list(signal?: AbortSignal): AsyncGenerator<ListedBlob> {
    for (const [id, { writtenAtMs }] of [...this.#blobs]) {
      signal?.throwIfAborted();
      yield { id, writtenAtMs };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
  }

  /** Changes one stored byte, as a failing disk would; called again, it puts the byte back. */
  damage(id: BlobId, offsetBytes: number): void {
    const { bytes } = this.#find(id);
    bytes[offsetBytes] = (bytes[offsetBytes] ?? 0) ^ 1;
  }

  #find(id: BlobId): Blob {
    const blob = this.#blobs.get(id);
    if (blob === undefined) throw new StoreError('BlobNotFound', `There is no blob ${id}`);
    return blob;
  }

  async #gather(reader: SourceReader): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      if (this.#usedBytes + sizeBytes > this.capacityBytes) {
        throw new StoreError('StoreFull', `The store's ${this.capacityBytes} bytes are taken`);
      }
    }
    return new Uint8Array(Buffer.concat(chunks, sizeBytes));
  }
}

function leavesOf(bytes: Uint8Array): Uint8Array {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += frameSizeBytes) {
    leaves.push(sha256(bytes.subarray(at, at + frameSizeBytes)));
  }
  return new Uint8Array(Buffer.concat(leaves));
}
