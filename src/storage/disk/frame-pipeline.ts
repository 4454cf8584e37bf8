import { sha256Pooled } from '../../lib/node/sha256.ts';
import { frameSizeBytes } from '../blob-store.ts';
import type { OpenFile } from './files.ts';
import { largeHeaderBytes } from './large-header.ts';
import type { Room } from './room.ts';
import type { WriteGate } from './write-gate.ts';

/** So many frames of one blob are being filled, hashed or written at once, at most. */
const framesMax = 8;

/** The disk is set to work after so many frames, so that the last sync does not find all to do. */
const framesPerSync = 32;

/** While all blobs together use so many frames, each makes do with one. */
const framesOfAllMax = 64;

/** So many frames are kept for the next blob when nobody uses them. */
const sparesMax = 16;

type Frame = Buffer<ArrayBuffer>;

/** The memory for the frames of all blobs that are being written. */
export class FramePool {
  readonly #spares: Frame[] = [];
  #inUse = 0;

  /** How many frames a blob may use at present. One of its own is enough to go on. */
  get share(): number {
    return this.#inUse < framesOfAllMax ? framesMax : 1;
  }

  take(): Frame {
    this.#inUse += 1;
    return this.#spares.pop() ?? Buffer.allocUnsafeSlow(frameSizeBytes);
  }

  give(frame: Frame): void {
    this.#inUse -= 1;
    if (this.#spares.length < sparesMax) this.#spares.push(frame);
  }
}

/** Hashes and writes the frames of one blob while the next ones are being filled. */
export class FramePipeline {
  readonly #file: OpenFile;
  readonly #gate: WriteGate;
  readonly #pool: FramePool;
  readonly #room: Room;
  readonly #onFailure: (error: unknown) => void;
  readonly #leaves: Uint8Array[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #frame: Frame | undefined;
  #filledBytes = 0;
  #sizeBytes = 0;
  #framesInUse = 0;
  #isSyncing = false;
  #framesUnsynced = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};

  /** `onFailure` is told at once when a frame cannot be written, while `add` may be waited for. */
  constructor(
    file: OpenFile,
    { gate, pool, room }: { gate: WriteGate; pool: FramePool; room: Room },
    onFailure: (error: unknown) => void,
  ) {
    this.#file = file;
    this.#gate = gate;
    this.#pool = pool;
    this.#room = room;
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
  async end(): Promise<{ sizeBytes: number; leaves: Uint8Array }> {
    if (this.#frame !== undefined) this.#submit(this.#frame);
    await this.settle();
    if (this.#failure !== undefined) throw this.#failure.error;
    return { sizeBytes: this.#sizeBytes, leaves: new Uint8Array(Buffer.concat(this.#leaves)) };
  }

  /** Resolves when nothing uses the file any more. */
  async settle(): Promise<void> {
    await Promise.all(this.#underWay);
    if (this.#frame !== undefined) this.#pool.give(this.#frame);
    this.#frame = undefined;
  }

  async #nextFrame(): Promise<Frame> {
    while (this.#framesInUse >= this.#pool.share && this.#failure === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#framesInUse += 1;
    this.#frame = this.#pool.take();
    this.#filledBytes = 0;
    return this.#frame;
  }

  #submit(frame: Frame): void {
    const bytes = frame.subarray(0, this.#filledBytes);
    const offset = this.#sizeBytes;
    const index = this.#leaves.push(new Uint8Array(0)) - 1;
    this.#frame = undefined;
    this.#sizeBytes += bytes.length;
    this.#follow(async () => {
      const hashed = sha256Pooled(bytes);
      const written = this.#room.spend(bytes.length, () =>
        this.#file.write(bytes, largeHeaderBytes + offset),
      );
      // Both, also when one fails: the other still reads from the frame.
      await Promise.allSettled([hashed, written]);
      this.#pool.give(frame);
      this.#framesInUse -= 1;
      this.#framesUnsynced += 1;
      await written;
      this.#leaves[index] = await hashed;
      this.#syncEarly();
    });
  }

  #syncEarly(): void {
    if (this.#isSyncing || this.#framesUnsynced < framesPerSync) return;
    this.#isSyncing = true;
    this.#framesUnsynced = 0;
    this.#follow(async () => {
      await this.#gate.sync(() => this.#file.sync());
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
