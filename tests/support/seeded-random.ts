import { createHash } from 'node:crypto';
import type { RandomBytes } from '../../src/lib/random.ts';

/** Bytes that look random, and are the same whenever they are drawn in the same order. */
export function seededRandomBytes(seed: string): RandomBytes {
  let draws = 0;
  return (length) => {
    draws += 1;
    const bytes = createHash('shake256', { outputLength: length })
      .update(`${seed}/${draws}`)
      .digest();
    return new Uint8Array(bytes);
  };
}
