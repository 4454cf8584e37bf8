import { randomBytes } from 'node:crypto';
import type { RandomBytes } from '../random.ts';

/** The operating system's randomness. */
export const systemRandomBytes: RandomBytes = (length) => randomBytes(length);
