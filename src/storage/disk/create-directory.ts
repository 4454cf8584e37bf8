import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../../lib/node/sync-directory.ts';

/** Makes the directory and those above it, each durable in the one that holds it. */
export async function createDirectory(path: string): Promise<void> {
  // The owner alone may look in: keys lie there.
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    await syncDirectory(dirname(made));
  }
}
