import { createCipheriv, createDecipheriv } from 'node:crypto';
import { sha256 } from '../../lib/node/sha256.ts';
import {
  associatedData,
  moveAnswer,
  nonceOf,
  sealedKinds,
  sealingAlgorithm,
  tagBytes,
} from './data-key.ts';

/** Which frame of which file it is. */
export interface FramePlace {
  /** The data key of the file. */
  readonly key: Uint8Array;
  /** The number of the frame, and the count under which it is sealed. */
  readonly index: number;
  /** How many bytes it has, without its tag. */
  readonly sizeBytes: number;
}

/**
 * Seals and opens frames, in their memory, which has room for the tag behind the frame. The memory is
 * handed over: it is used again under the name that comes with the answer, and after a failure no
 * more. (Shared memory would need no handing over, but copies to it take twice as long.)
 */
export interface FrameCiphers extends AsyncDisposable {
  /** Seals the frame where it lies. */
  seal(memory: FrameBytes, place: FramePlace): Promise<SealedFrame>;
  /** Opens the sealed frame where it lies. */
  open(memory: FrameBytes, place: FramePlace): Promise<OpenedFrame>;
}

export type FrameBytes = Uint8Array<ArrayBuffer>;

export interface SealedFrame {
  readonly memory: FrameBytes;
  /** The SHA-256 of what was sealed. */
  readonly leaf: Uint8Array;
}

export interface OpenedFrame {
  readonly memory: FrameBytes;
  /** Whether it is what was sealed: only then are its bytes worth anything. */
  readonly isIntact: boolean;
}

/** Does it at once, on the thread that asks. */
export const inlineFrameCiphers: FrameCiphers = {
  seal: async (memory, place) => ({ memory, leaf: sealFrame(memory, place) }),
  open: async (memory, place) => ({ memory, isIntact: openFrame(memory, place) }),
  [Symbol.asyncDispose]: async () => {},
};

/** A cipher's answer is new memory: better a little that stays in the processor's cache. */
const pieceBytes = 64 * 1024;

/** Seals a frame where it lies, and answers the SHA-256 that it had before. */
export function sealFrame(memory: Uint8Array, { key, index, sizeBytes }: FramePlace): Uint8Array {
  const frame = memory.subarray(0, sizeBytes);
  const leaf = sha256(frame);
  const cipher = createCipheriv(sealingAlgorithm, key, nonceOf(index)).setAAD(placeOf(index));
  for (let at = 0; at < sizeBytes; at += pieceBytes) {
    moveAnswer(cipher.update(frame.subarray(at, at + pieceBytes)), frame, at);
  }
  cipher.final();
  memory.set(cipher.getAuthTag(), sizeBytes);
  return leaf;
}

/** Opens a frame where it lies, and answers whether it is what was sealed. */
export function openFrame(memory: Uint8Array, { key, index, sizeBytes }: FramePlace): boolean {
  const frame = memory.subarray(0, sizeBytes);
  const decipher = createDecipheriv(sealingAlgorithm, key, nonceOf(index)).setAAD(placeOf(index));
  decipher.setAuthTag(memory.subarray(sizeBytes, sizeBytes + tagBytes));
  for (let at = 0; at < sizeBytes; at += pieceBytes) {
    moveAnswer(decipher.update(frame.subarray(at, at + pieceBytes)), frame, at);
  }
  try {
    decipher.final();
  } catch {
    // The only way in which it can fail: the tag is not that of these bytes.
    return false;
  }
  return true;
}

function placeOf(index: number): Uint8Array {
  return associatedData({ kind: sealedKinds.frame, position: index });
}
