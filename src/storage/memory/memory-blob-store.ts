import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { sha256 } from '../../lib/node/sha256.ts';
import { type RandomBytes, randomId } from '../../lib/random.ts';
import { assertRangeInBlob } from '../blob-range.ts';
import {
  type BlobDescription,
  type BlobId,
  type BlobRange,
  type BlobStore,
  type BlobWriting,
  frameSizeBytes,
  type ListedBlob,
  labelBytesMax,
  type StoreCondition,
  type StoredBlob,
} from '../blob-store.ts';
import { StoreError } from '../errors.ts';
import { SourceReader } from '../source-reader.ts';

const idLength = 32;

/** What it takes beyond its capacity of what may use the reserve. */
const reserveBytes = 64 * 1024;

interface Blob {
  readonly bytes: Uint8Array;
  readonly leaves: Uint8Array;
  readonly label: Uint8Array;
  readonly labelSha256: Uint8Array;
  readonly writtenAtMs: number;
}

/** Keeps blobs in memory, for tests. What it holds goes with the process. */
export class MemoryBlobStore implements BlobStore {
  /** How many bytes, labels included, it takes before it is full. May be changed at any time. */
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

  get condition(): StoreCondition {
    if (this.#isClosed) return 'failed';
    return this.#usedBytes < this.capacityBytes ? 'ready' : 'full';
  }

  async checkRoom(): Promise<void> {
    this.#checkOpen();
    if (this.condition === 'full') throw this.#full();
  }

  async write(
    source: AsyncIterable<Uint8Array>,
    { label, signal, mayUseReserve = false }: BlobWriting,
  ): Promise<StoredBlob> {
    await using reader = new SourceReader(source, signal);
    this.#checkOpen();
    const writtenAtMs = this.#clock.now();
    const spareBytes = mayUseReserve ? reserveBytes : 0;
    const bytes = await this.#gather(reader, spareBytes);
    const leaves = leavesOf(bytes);
    const labelBytes = Buffer.from(label({ sizeBytes: bytes.length, leaves: leaves.slice() }));
    assert(labelBytes.length <= labelBytesMax, `a label has at most ${labelBytesMax} bytes`);
    this.#checkFits(bytes.length + labelBytes.length - spareBytes);
    const id = randomId(this.#randomBytes, idLength) as BlobId;
    const labelSha256 = sha256(labelBytes);
    this.#blobs.set(id, { bytes, leaves, label: labelBytes, labelSha256, writtenAtMs });
    this.#usedBytes += bytes.length + labelBytes.length;
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

  async describe(id: BlobId): Promise<BlobDescription> {
    const { bytes, leaves, label, labelSha256, writtenAtMs } = this.#find(id);
    if (Buffer.compare(sha256(label), labelSha256) !== 0) {
      throw new StoreError('BlobCorrupt', `The label of blob ${id} fails its verification`);
    }
    const text = Buffer.from(label).toString();
    return { sizeBytes: bytes.length, leaves: leaves.slice(), label: text, writtenAtMs };
  }

  /** Keeps the blob a second time, as it is, and answers the copy's id. Verifies all of it. */
  async duplicate(id: BlobId): Promise<BlobId> {
    const { sizeBytes, label, writtenAtMs } = await this.describe(id);
    const range = { offsetBytes: 0, lengthBytes: sizeBytes };
    const copied = this.#copied(this.read(id, range));
    const copy = await this.write(copied, { label: () => label });
    this.#blobs.set(copy.id, { ...this.#find(copy.id), writtenAtMs });
    return copy.id;
  }

  async remove(id: BlobId): Promise<void> {
    const blob = this.#blobs.get(id);
    if (blob !== undefined) this.#usedBytes -= blob.bytes.length + blob.label.length;
    this.#blobs.delete(id);
  }

  async *list(signal?: AbortSignal): AsyncGenerator<ListedBlob> {
    for (const [id, { bytes, writtenAtMs }] of [...this.#blobs]) {
      signal?.throwIfAborted();
      yield { id, sizeBytes: bytes.length, writtenAtMs };
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

  /** As `damage`, of a byte of the label. */
  damageLabel(id: BlobId, offsetBytes: number): void {
    const { label } = this.#find(id);
    label[offsetBytes] = (label[offsetBytes] ?? 0) ^ 1;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new StoreError('StoreUnavailable', 'The store is closed');
  }

  #checkFits(sizeBytes: number): void {
    if (this.#usedBytes + sizeBytes > this.capacityBytes) throw this.#full();
  }

  #full(): StoreError {
    return new StoreError('StoreFull', `The store's ${this.capacityBytes} bytes are taken`);
  }

  #find(id: BlobId): Blob {
    const blob = this.#blobs.get(id);
    if (blob === undefined) throw new StoreError('BlobNotFound', `There is no blob ${id}`);
    return blob;
  }

  /** Chunks that stay what they are when the next one is asked for. */
  async *#copied(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) yield chunk.slice();
  }

  async #gather(reader: SourceReader, spareBytes: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
      chunks.push(chunk);
      sizeBytes += chunk.length;
      this.#checkFits(sizeBytes - spareBytes);
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
