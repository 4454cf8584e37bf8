import { assert } from '../lib/assert.ts';
import type { BlobRange } from './blob-store.ts';

/** Throws an assertion unless `range` lies in a blob of `sizeBytes`: to ask for more is a defect. */
export function assertRangeInBlob(range: BlobRange, sizeBytes: number): void {
  const { offsetBytes, lengthBytes } = range;
  assert(
    Number.isSafeInteger(offsetBytes) &&
      Number.isSafeInteger(lengthBytes) &&
      offsetBytes >= 0 &&
      lengthBytes >= 0 &&
      offsetBytes + lengthBytes <= sizeBytes,
    `${lengthBytes} bytes from ${offsetBytes} lie in a blob of ${sizeBytes} bytes`,
  );
}
