import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { run } from './child.ts';

/** Seconds that `openssl` takes to hash a file; NaN where there is none. */
export async function opensslSeconds(file: string, sha256: string): Promise<number> {
  const finished = await run('openssl', ['dgst', '-sha256', file]);
  if (finished !== undefined && !finished.output.includes(sha256)) {
    throw new Error(`openssl finds another SHA-256 than ${sha256}: ${finished.output}`);
  }
  return finished?.seconds ?? Number.NaN;
}

/** Seconds to write so many bytes into one new file, 1 MiB at a time, and to sync it. */
export function writeSeconds(directory: string, mib: number, bytes: Uint8Array): number {
  const file = join(directory, 'written.bin');
  const descriptor = openSync(file, 'wx');
  const startedAtMs = performance.now();
  try {
    for (let at = 0; at < mib; at++) {
      const from = (at * 2 ** 20) % bytes.length;
      writeSync(descriptor, bytes.subarray(from, from + 2 ** 20));
    }
    fdatasyncSync(descriptor);
    return (performance.now() - startedAtMs) / 1000;
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
}
