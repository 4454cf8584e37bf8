import { join } from 'node:path';
import { StoreError } from '../errors.ts';

/** An open file. All offsets and sizes are in bytes from its beginning. */
export interface OpenFile {
  /** Reads into `buffer` until it is full or the file ends; resolves to the number of bytes. */
  read(buffer: Uint8Array, offset: number): Promise<number>;
  /** Writes all of `bytes`. After a failure any part of them may have been written. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** Resolves when all that was written before the call is durable, and the size with it. */
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/**
 * All that the disk store asks of a file system. Errors are Node's, with its `code`. What changes a
 * directory (create, rename, unlink) is durable after `syncDirectory` of that directory only.
 */
export interface Files {
  /** Creates a file for reading and writing; fails with `EEXIST` if there is one of that name. */
  create(path: string): Promise<OpenFile>;
  open(path: string, access: 'read' | 'read and write'): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** The names in a directory, in no order. */
  list(directory: string): AsyncIterable<string>;
  /** Creates a directory unless it is there. Its parent exists. */
  makeDirectory(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** The size of the file system that the directory is on, and what is left of it for us. */
  room(directory: string): Promise<FileSystemRoom>;
}

/** In bytes; a size of 0 where the file system does not tell. */
export interface FileSystemRoom {
  readonly sizeBytes: number;
  readonly freeBytes: number;
}

/** Where the store keeps what. The version of the format is part of the path: FORMAT.md. */
export class Layout {
  readonly root: string;
  readonly storeId: string;
  readonly version: string;
  readonly incoming: string;
  readonly large: string;
  readonly segments: string;
  readonly journal: string;
  readonly snapshots: string;
  /** A file of nothing, whose room is given back when there is none left. */
  readonly reserve: string;

  constructor(root: string) {
    this.root = root;
    this.storeId = join(root, 'store.id');
    this.version = join(root, 'v2');
    this.incoming = join(this.version, 'incoming');
    this.large = join(this.version, 'large');
    this.segments = join(this.version, 'segments');
    this.journal = join(this.version, 'journal');
    this.snapshots = join(this.version, 'snapshots');
    this.reserve = join(this.version, 'reserve');
  }

  segment(number: number): string {
    return join(this.segments, numberedName(number));
  }

  journalFile(number: number): string {
    return join(this.journal, numberedName(number));
  }
}

const numberedNamePattern = /^[0-9]{10}$/;

/** The name of a file that is numbered: ten digits. */
export function numberedName(number: number): string {
  return String(number).padStart(10, '0');
}

/** The numbers of the numbered files in a directory, in ascending order. */
export async function numbersIn(files: Files, directory: string): Promise<number[]> {
  const numbers: number[] = [];
  for await (const name of files.list(directory)) {
    if (numberedNamePattern.test(name)) numbers.push(Number(name));
  }
  return numbers.sort((a, b) => a - b);
}

/** Whether `error` is the file system's, with the code `code`. */
export function isFileError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** What was asked for, unless there is no file or directory of that name. */
export async function ifThere<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (isFileError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export async function unlinkIfThere(files: Files, path: string): Promise<void> {
  await ifThere(files.unlink(path));
}

/** Whether there is a file in the directory, or whatever else. */
export async function hasFiles(files: Files, directory: string): Promise<boolean> {
  try {
    for await (const _ of files.list(directory)) return true;
    return false;
  } catch (error) {
    if (isFileError(error, 'ENOENT')) return false;
    throw otherFailure(error, 'list');
  }
}

/** What a failed attempt to write means to a caller of the store. */
export function writeFailure(error: unknown): unknown {
  if (isFileError(error, 'ENOSPC') || isFileError(error, 'EDQUOT')) {
    return new StoreError('StoreFull', 'There is no room left on the disk', { cause: error });
  }
  return otherFailure(error, 'write');
}

/** Failures that are those of one file, whatever befell it: the others can be read all the same. */
const damageCodes = [
  ...['EIO', 'EUCLEAN', 'EBADMSG', 'EISDIR', 'ELOOP'],
  ...['EACCES', 'EPERM', 'ENOTDIR', 'ENXIO', 'ESTALE'],
];

/** Whether `error` is that of one damaged file, or of a damaged place in it. */
export function isDamage(error: unknown): boolean {
  return damageCodes.some((code) => isFileError(error, code));
}

/** What a failed attempt to read the blob `id` means to a caller of the store. */
export function readFailure(error: unknown, id: string): unknown {
  if (isFileError(error, 'ENOENT')) return blobNotFound(id, error);
  if (isDamage(error)) {
    return new StoreError('BlobCorrupt', `Blob ${id} cannot be read back`, { cause: error });
  }
  return otherFailure(error, 'read');
}

/** Any other failure of the file system is `StoreUnavailable`; other errors stay as they are. */
export function otherFailure(error: unknown, deed: 'write' | 'read' | 'list'): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  const message = `The disk refuses to ${deed}: ${error.message}`;
  return new StoreError('StoreUnavailable', message, { cause: error });
}

export function blobNotFound(id: string, cause?: unknown): StoreError {
  return new StoreError('BlobNotFound', `There is no blob ${id}`, { cause });
}

export function blobCorrupt(id: string, what: string): StoreError {
  return new StoreError('BlobCorrupt', `Blob ${id} is damaged: ${what}`);
}
