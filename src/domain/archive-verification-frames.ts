import { assert } from '../lib/assert.ts';
import { runningSha256, sha256, sha256Pooled } from '../lib/node/sha256.ts';
import { toHex } from '../protocol/tree-hash.ts';
import { type BlobRange, frameSizeBytes } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';

/** Bytes that can be read from any frame on, and what the SHA-256 of each frame must be. */
export interface FrameSource {
  /** Begins at a frame, and ends at one or where the bytes end. */
  readonly range: BlobRange;
  /** The SHA-256 of each frame in the range, 32 bytes each. */
  readonly leaves: Uint8Array;
  /** As a blob store reads: what it throws of a damaged frame is `BlobCorrupt`. */
  readonly read: (range: BlobRange) => AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/** A frame that is not what was stored. */
export interface DamagedFrame {
  readonly firstByte: number;
  readonly lastByte: number;
  readonly reason: Error;
}

/** From this size on the way to the thread pool and back costs less than hashing here. */
const pooledBytesMin = 64 * 1024;

/**
 * Reads every frame of the range, one at a time, compares each with its leaf, and yields those that
 * are damaged. Reading goes on behind a damaged frame. What the store throws otherwise, that a blob
 * is not there for example, is thrown on.
 */
export async function* damagedFrames(source: FrameSource): AsyncGenerator<DamagedFrame> {
  const { range, signal } = source;
  const end = range.offsetBytes + range.lengthBytes;
  assert(range.offsetBytes % frameSizeBytes === 0, 'frames are read from the start of one');
  let at = range.offsetBytes;
  while (at < end) {
    const frames = new FrameChecker(source, at);
    try {
      for await (const chunk of source.read({ offsetBytes: at, lengthBytes: end - at })) {
        signal.throwIfAborted();
        const damaged = await frames.take(chunk);
        if (damaged !== undefined) yield damaged;
      }
      assert(frames.position === end, 'a store reads to the end of a range');
      return;
    } catch (error) {
      if (!isStoreError(error, 'BlobCorrupt')) throw error;
      const frame = frameAt(frames.position, end);
      yield { ...frame, reason: error };
      at = frame.lastByte + 1;
    }
  }
}

/** Follows bytes as they come, and compares each frame that is complete. */
class FrameChecker {
  /** Where the next byte lies. */
  position: number;
  readonly #source: FrameSource;
  readonly #end: number;
  /** Of a frame that comes in several pieces. */
  #running: ReturnType<typeof runningSha256> | undefined;

  constructor(source: FrameSource, position: number) {
    this.#source = source;
    this.#end = source.range.offsetBytes + source.range.lengthBytes;
    this.position = position;
  }

  /** Answers the frame that `chunk` completes, when it is damaged. A chunk lies in one frame. */
  async take(chunk: Uint8Array): Promise<DamagedFrame | undefined> {
    const frame = frameAt(this.position, this.#end);
    const isStart = this.position === frame.firstByte;
    this.position += chunk.length;
    assert(this.position <= frame.lastByte + 1, 'a chunk that is read lies in one frame');
    const isEnd = this.position === frame.lastByte + 1;
    const digest = isStart && isEnd ? await hexDigest(chunk) : this.#digestPiece(chunk, isEnd);
    if (!isEnd || digest === this.#leafOf(frame.firstByte)) return undefined;
    return {
      ...frame,
      reason: new Error('They do not have the SHA-256 that was stored with them'),
    };
  }

  #digestPiece(chunk: Uint8Array, isEnd: boolean): string | undefined {
    this.#running ??= runningSha256();
    this.#running.update(chunk);
    if (!isEnd) return undefined;
    const digest = this.#running.digestHex();
    this.#running = undefined;
    return digest;
  }

  #leafOf(firstByte: number): string {
    const { leaves, range } = this.#source;
    const at = ((firstByte - range.offsetBytes) / frameSizeBytes) * 32;
    return toHex(leaves.subarray(at, at + 32));
  }
}

/** The frame in which the byte at `position` lies. */
function frameAt(position: number, end: number): { firstByte: number; lastByte: number } {
  const firstByte = position - (position % frameSizeBytes);
  return { firstByte, lastByte: Math.min(firstByte + frameSizeBytes, end) - 1 };
}

async function hexDigest(bytes: Uint8Array): Promise<string> {
  const isPooled = bytes.length >= pooledBytesMin && isTransferable(bytes);
  return toHex(isPooled ? await sha256Pooled(bytes) : sha256(bytes));
}

/** Whether the bytes lie in memory that the thread pool takes. */
function isTransferable(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer;
}
