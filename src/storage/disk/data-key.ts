import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { assert } from '../../lib/assert.ts';
import { dataKeyBytes } from './master-keys.ts';

export const tagBytes = 16;
export const sealingAlgorithm = 'aes-256-gcm';
const nonceBytes = 12;

/** What sealed bytes are: a part of what they are bound to. The journal has a number of its own. */
export const sealedKinds = { record: 1, frame: 2, description: 3 } as const;

/** Where sealed bytes belong: the same bytes elsewhere in the file do not open. */
export interface SealedPlace {
  /** What they are, as a number of FORMAT.md: a record, a frame, a description, … */
  readonly kind: number;
  /** Where they lie in the file, or their number: what the kind says. */
  readonly position: number;
  /** What stands in clear beside them and is vouched for together with them. */
  readonly context?: Uint8Array;
}

/**
 * Seals what goes into one file with that file's own key: AES-256-GCM.
 *
 * The nonce is a count of what this key has sealed, and can never repeat: the key is made from random
 * bytes together with the file, is used for sealing by this object alone, which counts every use
 * before it happens and never counts back, and nobody seals with a key that was read from a file.
 * Who starts again after a failure, or at another run, starts a new file (decision 0018).
 */
export class SealingKey {
  readonly bytes: Uint8Array;
  /** The key as ciphers take it. To make it anew for each of them takes ten times as long. */
  readonly keyObject: KeyObject;
  #count = 0;

  /** `bytes` are random and were used for nothing yet. */
  constructor(bytes: Uint8Array) {
    assert(bytes.length === dataKeyBytes, 'a data key has 256 bits');
    this.bytes = bytes;
    this.keyObject = createSecretKey(bytes);
  }

  /** The count that the next sealing will get: 0, 1, 2, … */
  get nextCount(): number {
    return this.#count;
  }

  /** Takes the nonce of one sealing. For who seals elsewhere, in a worker thread for one. */
  takeCount(): number {
    assert(this.#count < Number.MAX_SAFE_INTEGER, 'a key has nonces left');
    this.#count += 1;
    return this.#count - 1;
  }

  /**
   * Seals `parts` as one into `into`, which is as long as they are together, and a tag longer. A
   * part may lie in `into` at the place that its sealed bytes get.
   */
  seal(parts: readonly Uint8Array[], place: SealedPlace, into: Uint8Array): number {
    const count = this.takeCount();
    const cipher = createCipheriv(sealingAlgorithm, this.keyObject, nonceOf(count));
    cipher.setAAD(associatedData(place));
    let at = 0;
    for (const part of parts) {
      moveAnswer(cipher.update(part), into, at);
      at += part.length;
    }
    cipher.final();
    into.set(cipher.getAuthTag(), at);
    assert(at + tagBytes === into.length, 'sealed bytes fill their place');
    return count;
  }
}

/** What `SealingKey.seal` sealed under `count`; nothing when a byte of it, or its place, is not so. */
export function openSealed(
  key: Uint8Array | KeyObject,
  { sealed, count, place }: { sealed: Uint8Array; count: number; place: SealedPlace },
): Buffer | undefined {
  if (sealed.length < tagBytes) return undefined;
  const end = sealed.length - tagBytes;
  const decipher = createDecipheriv(sealingAlgorithm, key, nonceOf(count));
  decipher.setAAD(associatedData(place)).setAuthTag(sealed.subarray(end));
  const opened = decipher.update(sealed.subarray(0, end));
  try {
    decipher.final();
  } catch {
    // The only way in which it can fail: the tag is not that of these bytes.
    return undefined;
  }
  return opened;
}

/**
 * Copies what a cipher answered to its place, and gives the memory of the answer back at once: to the
 * garbage collector it is a small object, of which it would let tens of MiB pile up.
 */
export function moveAnswer(answer: Buffer, into: Uint8Array, at: number): void {
  into.set(answer, at);
  const { buffer, byteLength } = answer;
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0);
}

/** The nonce of a count: 12 bytes, the count in the last 8. */
export function nonceOf(count: number): Buffer {
  const nonce = Buffer.alloc(nonceBytes);
  nonce.writeBigUInt64BE(BigInt(count), nonceBytes - 8);
  return nonce;
}

/** The bytes that are bound to what is sealed: kind (1 byte), position (8 bytes), context. */
export function associatedData({ kind, position, context }: SealedPlace): Buffer {
  const bytes = Buffer.alloc(9 + (context?.length ?? 0));
  bytes.writeUInt8(kind, 0);
  bytes.writeBigUInt64BE(BigInt(position), 1);
  if (context !== undefined) bytes.set(context, 9);
  return bytes;
}
