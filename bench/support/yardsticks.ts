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

/** Seconds that `dd` takes to copy a file and sync the copy; NaN where there is none. */
export async function ddSeconds(file: string, directory: string): Promise<number> {
  const copy = join(directory, 'dd.bin');
  try {
    const finished = await run('dd', [`if=${file}`, `of=${copy}`, 'bs=1M', 'conv=fdatasync']);
    return finished?.seconds ?? Number.NaN;
  } finally {
    rmSync(copy, { force: true });
  }
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

/** Records per second that reach the disk when `group` of them are appended and synced at once. */
export function appendsPerSecond(
  directory: string,
  { group, seconds, record }: { group: number; seconds: number; record: Uint8Array },
): number {
  const file = join(directory, 'appended.bin');
  const descriptor = openSync(file, 'ax');
  const records = Buffer.concat(Array.from({ length: group }, () => record));
  const startedAtMs = performance.now();
  let appended = 0;
  try {
    while (performance.now() - startedAtMs < seconds * 1000) {
      writeSync(descriptor, records);
      fdatasyncSync(descriptor);
      appended += group;
    }
    return (appended * 1000) / (performance.now() - startedAtMs);
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
}
