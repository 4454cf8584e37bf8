import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes the directory and those above it, each durable in the one that holds it. */
export async function createDirectory(path: string): Promise<void> {
  // The owner alone may look in: keys lie there.
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    await syncDirectory(dirname(made));
  }
}

/** Makes durable which names a directory holds. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
