import { open } from 'node:fs/promises';

/** Makes durable which names a directory holds: a file that was synced may still lose its own. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows opens no directories; NTFS journals what happens in them.
  if (process.platform === 'win32') return;
  await using directory = await open(path, 'r');
  await directory.sync();
}
