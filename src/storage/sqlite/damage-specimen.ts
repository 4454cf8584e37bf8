import { readFile, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { defined } from '../../lib/assert.ts';

const pageSizeBytes = 4096;

/**
 * Flips a bit in the copy of `text` that an index keeps, in the closed database at `path`: nothing
 * else of it changes. The index has one page. For tests.
 */
export async function flipInIndex(path: string, index: string, text: string): Promise<void> {
  const bytes = await readFile(path);
  const start = (rootOf(path, index) - 1) * pageSizeBytes;
  const offset = bytes.subarray(start, start + pageSizeBytes).indexOf(text);
  if (offset < 0) throw new Error(`no ${text} in ${index}`);
  const at = start + offset + text.length - 1;
  bytes[at] = defined(bytes[at], 'a byte') ^ 1;
  await writeFile(path, bytes);
}

function rootOf(path: string, index: string): number {
  using database = new DatabaseSync(path, { readOnly: true });
  const row = database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(index);
  return Number(row?.['rootpage']);
}

/** A thread that fails at once. */
export function failingThread(): Worker {
  return new Worker('throw new Error("no thread")', { eval: true });
}
