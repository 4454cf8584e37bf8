import { access, constants, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { syncDirectory } from '../../lib/node/sync-directory.ts';

/** The files of a database, by what follows its path. The logs first: alone they are no database. */
const suffixes = ['-wal', '-shm', ''] as const;

/** Where a copy of the database is made that becomes a snapshot. */
export const copyPath = (path: string) => `${path}.copy`;

/** Where a database is made again that takes the place of the one at `path`. */
export const rebuiltPath = (path: string) => `${path}.rebuilt`;

/** Beside a database that is not to be used any more: the next start makes it again. */
const markPath = (path: string) => `${path}.damaged`;

export function hasDamageMark(path: string): Promise<boolean> {
  return isThere(markPath(path));
}

export async function markDamaged(path: string, reason: string): Promise<void> {
  await writeFile(markPath(path), `${reason}\n`, { mode: 0o600 });
  await syncDirectory(dirname(path));
}

export async function removeDamageMark(path: string): Promise<void> {
  await rm(markPath(path), { force: true });
  await syncDirectory(dirname(path));
}

/** Removes what a crash in the middle of a snapshot or of a rebuild has left. */
export async function removeLeftovers(path: string): Promise<void> {
  await removeDatabase(copyPath(path));
  await removeDatabase(rebuiltPath(path));
}

export async function removeDatabase(path: string): Promise<void> {
  for (const suffix of [...suffixes, '-journal']) await rm(path + suffix, { force: true });
}

/**
 * Gives the files of the database other names, for somebody to look at. Answers that of the
 * database; null when there was none.
 */
export async function setAside(path: string, clock: Clock): Promise<string | null> {
  const time = new Date(clock.now()).toISOString().replaceAll(/[-:.]/g, '');
  let target = `${path}.damaged-${time}`;
  while (await isThere(target)) target += '-again';
  for (const suffix of suffixes) {
    if (await isThere(path + suffix)) await rename(path + suffix, target + suffix);
  }
  return (await isThere(target)) ? target : null;
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path, constants.F_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
