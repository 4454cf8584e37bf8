import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../../lib/node/sync-directory.ts';
import { StoreError } from '../errors.ts';
import { isFileError } from './files.ts';
import { syncDirectories } from './sync-directories.ts';

/**
 * Makes the directory and those above it, each durable in the one that holds it. So is one that is
 * there already: who made it may have died before it was. One at a time: Node's own `recursive`
 * never ends where a file system says of a new name that its parent is not there, as /proc does.
 */
export async function createDirectory(path: string, sync = syncDirectory): Promise<void> {
  await makeMissing(path);
  await syncDirectories(withThoseAbove(path), sync);
}

async function makeMissing(path: string): Promise<void> {
  if (await isDirectory(path)) return;
  const parent = dirname(path);
  if (parent !== path) await makeMissing(parent);
  try {
    // The owner alone may look in: keys lie there.
    await mkdir(path, { mode: 0o700 });
  } catch (cause) {
    // Somebody else may have been faster.
    if (isFileError(cause, 'EEXIST') && (await isDirectory(path))) return;
    throw new StoreError('StoreUnavailable', `The directory ${path} can't be made: ${cause}`, {
      cause,
    });
  }
}

/** The outermost first: a name counts only where the one before it does. */
function withThoseAbove(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [...withThoseAbove(parent), path];
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    if (isFileError(error, 'ENOENT')) return false;
    throw error;
  }
  throw new StoreError('StoreUnavailable', `${path} is a file, and should be a directory.`);
}
