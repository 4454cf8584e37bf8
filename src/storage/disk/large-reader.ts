import { join } from 'node:path';
import { defined } from '../../lib/assert.ts';
import { sha256, sha256Pooled } from '../../lib/node/sha256.ts';
import { assertRangeInBlob } from '../blob-range.ts';
import { type BlobRange, frameSizeBytes } from '../blob-store.ts';
import { formatBlobId, type LargeBlobName } from './disk-blob-id.ts';
import { blobCorrupt, type Files, type Layout, type OpenFile, readFailure } from './files.ts';
import { decodeLargeHeader, largeHeaderBytes } from './large-header.ts';

interface Dependencies {
  readonly files: Files;
  readonly layout: Layout;
}

/** One frame is consumed while those after it are read and verified. */
const framesMax = 3;

/** While all readers together hold so many frames, each makes do with one. */
const framesOfAllMax = 64;

/** Counts the frames that all readers hold, so that many who stall do not hold many each. */
export class ReadingFrames {
  #inUse = 0;

  /** How many frames a reader may hold at present. */
  get share(): number {
    return this.#inUse < framesOfAllMax ? framesMax : 1;
  }

  take(): void {
    this.#inUse += 1;
  }

  give(): void {
    this.#inUse -= 1;
  }
}

/**
 * Yields the verified bytes of a range. The file stays open from the first chunk to the last, so a
 * blob that is removed meanwhile is still read to its end.
 */
export async function* readLargeBlob(
  name: LargeBlobName,
  { range, signal }: { range: BlobRange; signal: AbortSignal | undefined },
  dependencies: Dependencies & { readonly readingFrames: ReadingFrames },
): AsyncGenerator<Uint8Array> {
  const { readingFrames } = dependencies;
  const blob = await OpenLargeBlob.open(name, dependencies);
  const memory = new FrameMemory(blob, readingFrames);
  const frames: Promise<Frame>[] = [];
  try {
    assertRangeInBlob(range, name.sizeBytes);
    const endBytes = range.offsetBytes + range.lengthBytes;
    const frameCount = Math.ceil(endBytes / frameSizeBytes);
    let nextFrame = Math.floor(range.offsetBytes / frameSizeBytes);
    for (let at = range.offsetBytes; at < endBytes; ) {
      while (nextFrame < frameCount && frames.length < readingFrames.share) {
        const frame = blob.frame(nextFrame++, memory.take());
        // Whether it failed matters when its turn comes, if it comes.
        frame.catch(() => undefined);
        frames.push(frame);
      }
      signal?.throwIfAborted();
      const { bytes, memory: used } = await defined(frames.shift(), 'the next frame');
      signal?.throwIfAborted();
      const within = at % frameSizeBytes;
      const chunk = bytes.subarray(within, Math.min(bytes.length, within + endBytes - at));
      at += chunk.length;
      yield chunk;
      memory.give(used);
    }
  } finally {
    await Promise.allSettled(frames);
    memory.giveAll();
    await blob.close();
  }
}

export async function readLargeLeaves(
  name: LargeBlobName,
  dependencies: Dependencies,
): Promise<Uint8Array> {
  const blob = await OpenLargeBlob.open(name, dependencies);
  await blob.close();
  return blob.leaves;
}

/** The memory of one reader: that of frames that were consumed is used for those to come. */
class FrameMemory {
  readonly #blob: OpenLargeBlob;
  readonly #counted: ReadingFrames;
  readonly #spares: Buffer<ArrayBuffer>[] = [];
  #held = 0;

  constructor(blob: OpenLargeBlob, counted: ReadingFrames) {
    this.#blob = blob;
    this.#counted = counted;
  }

  take(): Buffer<ArrayBuffer> {
    const spare = this.#spares.pop();
    if (spare !== undefined) return spare;
    this.#held += 1;
    this.#counted.take();
    return this.#blob.newMemory();
  }

  give(memory: Buffer<ArrayBuffer>): void {
    this.#spares.push(memory);
    while (this.#spares.length > 0 && this.#held > this.#counted.share) {
      this.#spares.pop();
      this.#held -= 1;
      this.#counted.give();
    }
  }

  giveAll(): void {
    for (; this.#held > 0; this.#held -= 1) this.#counted.give();
  }
}

/** A frame that was read and verified, and the memory that it lies in. */
interface Frame {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly memory: Buffer<ArrayBuffer>;
}

/** The file of a large blob, its header and its leaf hashes read and found intact. */
class OpenLargeBlob {
  readonly leaves: Uint8Array;
  readonly #name: LargeBlobName;
  readonly #file: OpenFile;

  constructor(name: LargeBlobName, file: OpenFile, leaves: Uint8Array) {
    this.#name = name;
    this.#file = file;
    this.leaves = leaves;
  }

  static async open(name: LargeBlobName, { files, layout }: Dependencies): Promise<OpenLargeBlob> {
    const id = formatBlobId(name);
    try {
      const file = await files.open(join(layout.large, id), 'read');
      try {
        return new OpenLargeBlob(name, file, await readLeaves(file, name));
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      throw readFailure(error, id);
    }
  }

  /** Memory for any frame of this blob. */
  newMemory(): Buffer<ArrayBuffer> {
    return Buffer.allocUnsafeSlow(Math.min(frameSizeBytes, this.#name.sizeBytes));
  }

  async frame(index: number, memory: Buffer<ArrayBuffer>): Promise<Frame> {
    const offset = index * frameSizeBytes;
    const id = formatBlobId(this.#name);
    const bytes = memory.subarray(0, Math.min(frameSizeBytes, this.#name.sizeBytes - offset));
    let length: number;
    try {
      length = await this.#file.read(bytes, largeHeaderBytes + offset);
    } catch (error) {
      throw readFailure(error, id);
    }
    if (length < bytes.length) throw blobCorrupt(id, `its file ends within frame ${index}`);
    const leaf = this.leaves.subarray(index * 32, index * 32 + 32);
    if (Buffer.compare(await sha256Pooled(bytes), leaf) !== 0) {
      throw blobCorrupt(id, `frame ${index} fails its verification`);
    }
    return { bytes, memory };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

async function readLeaves(file: OpenFile, name: LargeBlobName): Promise<Uint8Array> {
  const id = formatBlobId(name);
  const headerBytes = Buffer.allocUnsafe(largeHeaderBytes);
  const length = await file.read(headerBytes, 0);
  const header = decodeLargeHeader(headerBytes.subarray(0, length));
  if (typeof header === 'string') throw blobCorrupt(id, header);
  const isOwn = header.nonce === name.nonce && header.writtenAtMs === name.writtenAtMs;
  if (!isOwn || header.sizeBytes !== name.sizeBytes) {
    throw blobCorrupt(id, 'its file holds another blob');
  }
  const leaves = new Uint8Array(Math.ceil(name.sizeBytes / frameSizeBytes) * 32);
  await file.read(leaves, largeHeaderBytes + name.sizeBytes);
  if (Buffer.compare(sha256(leaves), header.leavesSha256) !== 0) {
    throw blobCorrupt(id, 'its leaf hashes fail their checksum');
  }
  return leaves;
}
