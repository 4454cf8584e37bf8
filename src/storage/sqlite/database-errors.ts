import { reasonText, sentence } from '../../lib/reason-text.ts';
import { StoreError } from '../errors.ts';

/** SQLite's primary result codes that mean something to the caller of a store. */
const primary = {
  busy: 5,
  locked: 6,
  nomem: 7,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

/** Extended result codes: a row that must be new is there already. */
const duplicates = new Set([1555, 2067, 2579]);

/**
 * `error` as a store's failure where it is one; anything else is a defect and stays as it is.
 * `path` is that of the database, if it has one.
 */
export function storeErrorFrom(error: unknown, path: string | null = null): unknown {
  if (error instanceof StoreError) return error;
  const code = sqliteCode(error);
  if (code !== undefined) return fromSqlite(error, code, path === null ? '' : ` ${path}`);
  if (isErrorWith(error, 'ENOSPC') || isErrorWith(error, 'EDQUOT')) {
    return new StoreError('StoreFull', 'There is no room for the database.', { cause: error });
  }
  return error;
}

/** SQLite's extended result code when `error` came from it. */
export function sqliteCode(error: unknown): number | undefined {
  if (!isErrorWith(error, 'ERR_SQLITE_ERROR') || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}

/** Whether the failure with SQLite's `code` may pass by itself: others are busy, or room is short. */
export function isPassing(code: number | null): boolean {
  const passing: readonly number[] = [primary.busy, primary.locked, primary.full];
  return code !== null && passing.includes(code & 0xff);
}

/** Whether SQLite's `code` says that the disk failed to read, write or sync; short of room is not. */
export function isDiskFailure(code: number | null): boolean {
  if (code === null || code === noRoomForIndex || code === noMemoryForRequest) return false;
  return (code & 0xff) === primary.ioError;
}

/** Extended result codes: a page of the database, or the file itself, cannot be read back. */
const unreadable = new Set([266, 522, 8202, 8458]);

/** Whether `error`, or what it was caused by, says that the bytes of the database are damaged. */
export function isDamage(error: unknown): boolean {
  if (error instanceof DatabaseDamaged) return true;
  const code = sqliteCode(error);
  if (code !== undefined) {
    const primaryCode = code & 0xff;
    if (primaryCode === primary.corrupt || primaryCode === primary.notADatabase) return true;
    if (unreadable.has(code)) return true;
  }
  return error instanceof Error && error.cause !== undefined && isDamage(error.cause);
}

/** The database is damaged, as its own parts tell, though SQLite has not stumbled over it yet. */
export class DatabaseDamaged extends Error {
  override readonly name = 'DatabaseDamaged';
}

/** Extended result codes: there is no room for the index of the log, or no memory. */
const noRoomForIndex = 4874;
const noMemoryForRequest = 3082;

function fromSqlite(error: unknown, code: number, path: string): unknown {
  if (code === noRoomForIndex) return full(error, path);
  if (duplicates.has(code)) {
    return new StoreError('Conflict', 'The row exists already.', { cause: error });
  }
  switch (code & 0xff) {
    case primary.full:
      return full(error, path);
    case primary.busy:
    case primary.locked:
      return new StoreError('StoreUnavailable', `Another process locks the database${path}.`, {
        cause: error,
      });
    case primary.nomem:
    case primary.readOnly:
    case primary.ioError:
    case primary.corrupt:
    case primary.cannotOpen:
    case primary.notADatabase:
      return unusable(error, path);
    default:
      return error;
  }
}

function unusable(cause: unknown, path: string): StoreError {
  const reason = sentence(reasonText(cause));
  const advice = isDamage(cause) ? ' Start the server once: it makes the database again.' : '';
  const message = `The database${path} cannot be read or written: ${reason}${advice}`;
  return new StoreError('StoreUnavailable', message, { cause });
}

function full(cause: unknown, path: string): StoreError {
  return new StoreError('StoreFull', `There is no room for the database${path}.`, { cause });
}

function isErrorWith(error: unknown, code: string): error is Error {
  return error instanceof Error && 'code' in error && error.code === code;
}
