import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';

/**
 * Holds a directory for this process alone until disposed of, or until the process ends, however it
 * ends: the hold is a lock of the operating system on an open file, which SQLite takes for us.
 * Throws `StoreUnavailable`, naming the holder, when another process holds it.
 */
export function holdDirectory(directory: string): Disposable {
  const holderPath = join(directory, 'server.pid');
  const database = new DatabaseSync(join(directory, 'server.lock'), { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new StoreError(
      'StoreUnavailable',
      `Another server runs on ${directory}${holderOf(holderPath)}: stop it first, or give this ` +
        'one a data directory of its own.',
      { cause: error },
    );
  }
  writeFileSync(holderPath, `${process.pid}\n`);
  return {
    [Symbol.dispose]: () => {
      database.close();
    },
  };
}

/** `SQLITE_BUSY`. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5;
}

function holderOf(path: string): string {
  try {
    return ` (process ${readFileSync(path, 'utf8').trim()})`;
  } catch {
    // The holder has not written its number yet, or the file is gone: it is only a help.
    return '';
  }
}
