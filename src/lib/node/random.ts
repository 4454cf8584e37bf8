import { randomFillSync } from 'node:crypto';
import type { RandomBytes } from '../random.ts';

/** Drawn at a time: a draw costs the same for one byte and for thousands. */
const reserve = new Uint8Array(8192);
let usedBytes = reserve.length;

/** The operating system's randomness. */
export const systemRandomBytes: RandomBytes = (length) => {
  if (length > reserve.length) return randomFillSync(new Uint8Array(length));
  if (usedBytes + length > reserve.length) {
    randomFillSync(reserve);
    usedBytes = 0;
  }
  const bytes = reserve.slice(usedBytes, usedBytes + length);
  // What was handed out is not kept.
  reserve.fill(0, usedBytes, usedBytes + length);
  usedBytes += length;
  return bytes;
};
