import { assert } from '../../lib/assert.ts';
import { type BlobContent, frameSizeBytes } from '../blob-store.ts';
import { type SealingKey, tagBytes } from './data-key.ts';
import type { OpenFile } from './files.ts';
import type { FrameBytes } from './frame-ciphers.ts';
import { frameOffset } from './large-layout.ts';
import type { VolumeParts } from './volume-parts.ts';

/** So many frames of one blob are being filled, sealed or written at once, at most. */
const framesMax = 8;

/** The disk is set to work after so many frames, so that the last sync does not find all to do. */
const framesPerSync = 32;

/** While all blobs together use so many frames, each makes do with one. */
const framesOfAllMax = 64;

/** So many frames are kept for the next blob when nobody uses them. */
const sparesMax = 16;

/** The memory for the frames of all blobs that are being written. */
export class FramePool {
  readonly #spares: FrameBytes[] = [];
  #inUse = 0;

  /** How many frames a blob may use at present. One of its own is enough to go on. */
  get share(): number {
    return this.#inUse < framesOfAllMax ? framesMax : 1;
  }

  take(): FrameBytes {
    this.#inUse += 1;
    return this.#spares.pop() ?? newFrame();
  }

  /** Nothing is given back of a frame that was lost. */
  give(frame: FrameBytes | undefined): void {
    this.#inUse -= 1;
    if (frame !== undefined && this.#spares.length < sparesMax) this.#spares.push(frame);
  }
}

/** Room for a frame and its tag. */
function newFrame(): FrameBytes {
  return new Uint8Array(Buffer.allocUnsafeSlow(frameSizeBytes + tagBytes).buffer);
}

type Dependencies = Pick<VolumeParts, 'gate' | 'pool' | 'room' | 'ciphers'>;

/** Seals, hashes and writes the frames of one blob while the next ones are being filled. */
export class FramePipeline {
  readonly #file: OpenFile;
  readonly #key: SealingKey;
  readonly #with: Dependencies;
  readonly #onFailure: (error: unknown) => void;
  readonly #leaves: Uint8Array[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #frame: FrameBytes | undefined;
  #filledBytes = 0;
  #sizeBytes = 0;
  #framesInUse = 0;
  #isSyncing = false;
  #framesUnsynced = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};

  /** `onFailure` is told at once when a frame cannot be written, while `add` may be waited for. */
  constructor(
    { file, key }: { file: OpenFile; key: SealingKey },
    dependencies: Dependencies,
    onFailure: (error: unknown) => void,
  ) {
    this.#file = file;
    this.#key = key;
    this.#with = dependencies;
    this.#onFailure = onFailure;
  }

  /** Takes in the bytes that follow. Waits while there are too many frames under way. */
  async add(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const frame = this.#frame ?? (await this.#nextFrame());
      const length = Math.min(chunk.length - at, frameSizeBytes - this.#filledBytes);
      frame.set(chunk.subarray(at, at + length), this.#filledBytes);
      at += length;
      this.#filledBytes += length;
      if (this.#filledBytes === frameSizeBytes) this.#submit(frame);
    }
    giveBack(chunk);
  }

  /** Resolves when all that was added is written, though not synced. */
  async end(): Promise<BlobContent> {
    if (this.#frame !== undefined) this.#submit(this.#frame);
    await this.settle();
    if (this.#failure !== undefined) throw this.#failure.error;
    return { sizeBytes: this.#sizeBytes, leaves: new Uint8Array(Buffer.concat(this.#leaves)) };
  }

  /** Resolves when nothing uses the file any more. */
  async settle(): Promise<void> {
    // What ends may begin a sync.
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    if (this.#frame !== undefined) this.#with.pool.give(this.#frame);
    this.#frame = undefined;
  }

  async #nextFrame(): Promise<FrameBytes> {
    while (this.#framesInUse >= this.#with.pool.share && this.#failure === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#framesInUse += 1;
    this.#frame = this.#with.pool.take();
    this.#filledBytes = 0;
    return this.#frame;
  }

  #submit(frame: FrameBytes): void {
    const sizeBytes = this.#filledBytes;
    const index = this.#leaves.push(new Uint8Array(0)) - 1;
    assert(this.#key.takeCount() === index, 'the count of a frame is its number');
    this.#frame = undefined;
    this.#sizeBytes += sizeBytes;
    this.#follow(async () => {
      let memory: FrameBytes | undefined;
      try {
        const place = { key: this.#key.bytes, index, sizeBytes };
        const sealedFrame = await this.#with.ciphers.seal(frame, place);
        memory = sealedFrame.memory;
        this.#leaves[index] = sealedFrame.leaf;
        const sealed = memory.subarray(0, sizeBytes + tagBytes);
        await this.#with.room.spend(sealed.length, () =>
          this.#file.write(sealed, frameOffset(index)),
        );
      } finally {
        this.#with.pool.give(memory);
        this.#framesInUse -= 1;
      }
      this.#framesUnsynced += 1;
      this.#syncEarly();
    });
  }

  #syncEarly(): void {
    if (this.#isSyncing || this.#framesUnsynced < framesPerSync) return;
    this.#isSyncing = true;
    this.#framesUnsynced = 0;
    this.#follow(async () => {
      await this.#with.gate.sync(() => this.#file.sync());
      this.#isSyncing = false;
    });
  }

  #follow(work: () => Promise<void>): void {
    const followed = work()
      .catch((error: unknown) => {
        this.#failure ??= { error };
        this.#onFailure(error);
      })
      .finally(() => {
        this.#underWay.delete(followed);
        this.#wake();
      });
    this.#underWay.add(followed);
  }
}

/**
 * Gives the memory of a chunk that was copied back at once. Chunks come by the gigabyte, and to the
 * garbage collector each of them is a small object: it would let hundreds of MiB pile up.
 */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  const isAlone = byteLength === buffer.byteLength;
  if (isAlone && buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
