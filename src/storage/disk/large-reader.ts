import { defined } from '../../lib/assert.ts';
import { assertRangeInBlob } from '../blob-range.ts';
import {
  type BlobDescription,
  type BlobRange,
  frameSizeBytes,
  labelBytesMax,
} from '../blob-store.ts';
import { openSealed, sealedKinds, tagBytes } from './data-key.ts';
import { type FileHeader, openDataKey } from './file-header.ts';
import { blobCorrupt, type OpenFile, readFailure } from './files.ts';
import type { FrameBytes } from './frame-ciphers.ts';
import type { LargeFileName } from './large-file-name.ts';
import {
  descriptionOffset,
  descriptionSizeBytes,
  frameCountOf,
  frameOffset,
} from './large-layout.ts';
import type { VolumeParts } from './volume-parts.ts';

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

/** Opens the file for as long as `use` takes. What it throws is told as the blob's failure. */
export async function withLargeFile<T>(
  name: LargeFileName,
  parts: VolumeParts,
  use: (file: OpenLargeFile) => Promise<T>,
): Promise<T> {
  const file = await OpenLargeFile.open(name, parts);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/**
 * Yields the verified bytes of a range; all of them where none is given. The file stays open from
 * the first chunk to the last, so a blob that is removed meanwhile is still read to its end.
 */
export async function* readLargeFile(
  name: LargeFileName,
  { range, signal }: { range?: BlobRange; signal?: AbortSignal | undefined },
  parts: VolumeParts & { readonly readingFrames: ReadingFrames },
): AsyncGenerator<Uint8Array> {
  const { readingFrames } = parts;
  const file = await OpenLargeFile.open(name, parts);
  const memory = new FrameMemory(file, readingFrames);
  const frames: Promise<FrameBytes>[] = [];
  try {
    const { contentBytes } = file.header;
    const { offsetBytes, lengthBytes } = range ?? { offsetBytes: 0, lengthBytes: contentBytes };
    assertRangeInBlob({ offsetBytes, lengthBytes }, contentBytes);
    const endBytes = offsetBytes + lengthBytes;
    let nextFrame = Math.floor(offsetBytes / frameSizeBytes);
    for (let at = offsetBytes; at < endBytes; ) {
      while (nextFrame < frameCountOf(endBytes) && frames.length < readingFrames.share) {
        const frame = file.frame(nextFrame++, memory.take());
        // Whether it failed matters when its turn comes, if it comes.
        frame.catch(() => undefined);
        frames.push(frame);
      }
      signal?.throwIfAborted();
      const frame = await defined(frames.shift(), 'the next frame');
      signal?.throwIfAborted();
      const frameStart = at - (at % frameSizeBytes);
      const frameEnd = Math.min(frameStart + frameSizeBytes, endBytes);
      yield frame.subarray(at - frameStart, frameEnd - frameStart);
      at = frameEnd;
      memory.give(frame);
    }
  } finally {
    await Promise.allSettled(frames);
    memory.giveAll();
    await file.close();
  }
}

/** The memory of one reader: that of frames that were consumed is used for those to come. */
class FrameMemory {
  readonly #file: OpenLargeFile;
  readonly #counted: ReadingFrames;
  readonly #spares: FrameBytes[] = [];
  #held = 0;

  constructor(file: OpenLargeFile, counted: ReadingFrames) {
    this.#file = file;
    this.#counted = counted;
  }

  take(): FrameBytes {
    const spare = this.#spares.pop();
    if (spare !== undefined) return spare;
    this.#held += 1;
    this.#counted.take();
    return this.#file.newMemory();
  }

  give(memory: FrameBytes): void {
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

/** The file of a large blob or of a snapshot, its header read and found intact. */
export class OpenLargeFile {
  readonly header: FileHeader;
  readonly #id: string;
  readonly #file: OpenFile;
  readonly #key: Uint8Array;
  readonly #ciphers: VolumeParts['ciphers'];

  private constructor(
    { id, file, header, key }: { id: string; file: OpenFile; header: FileHeader; key: Uint8Array },
    ciphers: VolumeParts['ciphers'],
  ) {
    this.header = header;
    this.#id = id;
    this.#file = file;
    this.#key = key;
    this.#ciphers = ciphers;
  }

  static async open({ path, id, expected }: LargeFileName, parts: VolumeParts) {
    const { files, headers, masterKeys, storeId, ciphers } = parts;
    try {
      const file = await files.open(path, 'read');
      try {
        const header = await headers.read(file, path, { ...expected, storeId });
        if (typeof header === 'string') throw blobCorrupt(id, header);
        const key = openDataKey(header, masterKeys);
        if (key === undefined) throw blobCorrupt(id, 'the data key of its file does not open');
        return new OpenLargeFile({ id, file, header, key }, ciphers);
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      throw readFailure(error, id);
    }
  }

  /** Memory for any sealed frame of this file. */
  newMemory(): FrameBytes {
    const frameBytes = Math.min(frameSizeBytes, this.header.contentBytes);
    return new Uint8Array(Buffer.allocUnsafeSlow(frameBytes + tagBytes).buffer);
  }

  /** Resolves to `memory`, or what took its place, with the verified bytes of a frame in it. */
  async frame(index: number, memory: FrameBytes): Promise<FrameBytes> {
    const sizeBytes = this.#frameBytes(index);
    await this.#read(memory.subarray(0, sizeBytes + tagBytes), {
      offset: frameOffset(index),
      what: `frame ${index}`,
    });
    const place = { key: this.#key, index, sizeBytes };
    const opened = await this.#ciphers.open(memory, place);
    if (!opened.isIntact) throw blobCorrupt(this.#id, `frame ${index} fails its verification`);
    return opened.memory;
  }

  async describe(): Promise<BlobDescription> {
    const { contentBytes, descriptionBytes, createdAtMs } = this.header;
    const least = descriptionSizeBytes({ contentBytes, labelBytes: 0 });
    if (descriptionBytes < least || descriptionBytes > least + labelBytesMax) {
      throw blobCorrupt(this.#id, 'its description has no possible size');
    }
    const sealed = new Uint8Array(descriptionBytes);
    const offset = descriptionOffset(contentBytes);
    await this.#read(sealed, { offset, what: 'its description' });
    const count = frameCountOf(contentBytes);
    const place = { kind: sealedKinds.description, position: contentBytes };
    const opened = openSealed(this.#key, { sealed, count, place });
    if (opened === undefined) {
      throw blobCorrupt(this.#id, 'its description fails its verification');
    }
    return {
      sizeBytes: contentBytes,
      writtenAtMs: createdAtMs,
      leaves: Uint8Array.from(opened.subarray(0, count * 32)),
      label: opened.toString('utf8', count * 32),
    };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #frameBytes(index: number): number {
    return Math.min(frameSizeBytes, this.header.contentBytes - index * frameSizeBytes);
  }

  async #read(into: Uint8Array, { offset, what }: { offset: number; what: string }): Promise<void> {
    let length: number;
    try {
      length = await this.#file.read(into, offset);
    } catch (error) {
      throw readFailure(error, this.#id);
    }
    if (length < into.length) throw blobCorrupt(this.#id, `its file ends within ${what}`);
  }
}
