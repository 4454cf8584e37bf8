import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';

/**
 * Holds directories for this process alone until disposed of, or until the process ends, however it
 * ends: a hold is a lock of the operating system on an open file, which SQLite takes for us. One
 * that is named twice, by whatever path, is held once. Throws `StoreUnavailable`, naming directory
 * and holder, when another process holds one of them.
 */
export function holdDirectories(directories: readonly string[]): Disposable {
  using held = new DisposableStack();
  const distinct = new Map(directories.map((directory) => [identityOf(directory), directory]));
  for (const directory of distinct.values()) held.use(holdDirectory(directory));
  return held.move();
}

function holdDirectory(directory: string): Disposable {
  const holderPath = join(directory, 'server.pid');
  const lock = lockFile(directory);
  try {
    // Nothing is ever written to it, so a full disk does not matter: its journal is no file either.
    lock.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    throw isBusy(cause) ? heldByAnother(directory, cause) : unusable(directory, cause);
  }
  tellHolder(holderPath);
  return {
    [Symbol.dispose]: () => {
      lock.close();
    },
  };
}

function lockFile(directory: string): DatabaseSync {
  try {
    return new DatabaseSync(join(directory, 'server.lock'), { timeout: 0 });
  } catch (cause) {
    throw unusable(directory, cause);
  }
}

/** The same for two paths to one directory: links, and mounts, make more than one. */
function identityOf(directory: string): string {
  const { dev, ino } = statSync(directory, { bigint: true });
  return `${dev}:${ino}`;
}

function tellHolder(path: string): void {
  try {
    const content = `${process.pid}\n`;
    if (textOf(path) !== content) writeFileSync(path, content);
  } catch {
    // There may be no room for it. The lock holds without it: it only helps who is refused.
  }
}

function heldByAnother(directory: string, cause: unknown): StoreError {
  const [pid] = /^[0-9]+/.exec(textOf(join(directory, 'server.pid'))) ?? [];
  return new StoreError(
    'StoreUnavailable',
    `Another server runs on ${directory}${pid === undefined ? '' : ` (process ${pid})`}: stop it ` +
      'first, or give this one directories of its own.',
    { cause },
  );
}

function unusable(directory: string, cause: unknown): StoreError {
  const message = `The directory ${directory} cannot be locked: ${String(cause)}`;
  return new StoreError('StoreUnavailable', message, { cause });
}

/** `SQLITE_BUSY`. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The holder has not written its number yet, or the file is gone: it is only a help.
    return '';
  }
}
