import type { FileSystemRoom, Files, OpenFile } from './files.ts';

export type FileDeed = keyof Files | Exclude<keyof OpenFile, 'size' | 'close'>;

/** What a disk writes whole or not at all. */
export const sectorBytes = 512;

/** Called before each deed; what it throws is the deed's failure. */
export type BeforeFileDeed = (deed: FileDeed, path: string, sizeBytes: number) => void;

/** An error as the file system would throw it. */
export function fileError(code: string, deed: FileDeed): Error {
  return Object.assign(new Error(`${code}: injected, ${deed}`), { code, syscall: deed });
}

/**
 * Another file system, but for the faults that a test injects.
 *
 * Injected are failures of any deed, each survivable: a write that fails has written half its
 * bytes, or none when it changes bytes within one sector, which no system does by halves; a sync
 * that fails has synced nothing; a file system that was `cut` does nothing more, as after a crash,
 * which is survivable since the store is opened on another one.
 */
export class FaultyFiles implements Files {
  readonly #files: Files;
  readonly #before: BeforeFileDeed;
  readonly #open = new Set<FaultyFile>();
  #isCut = false;

  constructor(files: Files, before: BeforeFileDeed) {
    this.#files = files;
    this.#before = before;
  }

  async create(path: string): Promise<OpenFile> {
    this.begin('create', path);
    return this.#wrap(path, await this.#files.create(path));
  }

  async open(path: string, access: 'read' | 'read and write'): Promise<OpenFile> {
    this.begin('open', path);
    return this.#wrap(path, await this.#files.open(path, access));
  }

  async rename(from: string, to: string): Promise<void> {
    this.begin('rename', from);
    await this.#files.rename(from, to);
  }

  async unlink(path: string): Promise<void> {
    this.begin('unlink', path);
    await this.#files.unlink(path);
  }

  async *list(directory: string): AsyncGenerator<string> {
    this.begin('list', directory);
    yield* this.#files.list(directory);
  }

  async makeDirectory(path: string): Promise<void> {
    this.begin('makeDirectory', path);
    await this.#files.makeDirectory(path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.begin('syncDirectory', path);
    await this.#files.syncDirectory(path);
  }

  async room(directory: string): Promise<FileSystemRoom> {
    this.begin('room', directory);
    return await this.#files.room(directory);
  }

  /** Ends all: whoever still uses these files gets errors, and what was open is closed. */
  async cut(): Promise<void> {
    this.#isCut = true;
    await Promise.all([...this.#open].map((file) => file.close()));
  }

  get openCount(): number {
    return this.#open.size;
  }

  begin(deed: FileDeed, path: string, sizeBytes = 0): void {
    if (this.#isCut) throw fileError('EIO', deed);
    this.#before(deed, path, sizeBytes);
  }

  #wrap(path: string, inner: OpenFile): OpenFile {
    const file = new FaultyFile(this, path, inner, () => this.#open.delete(file));
    this.#open.add(file);
    return file;
  }
}

class FaultyFile implements OpenFile {
  readonly #files: FaultyFiles;
  readonly #path: string;
  readonly #inner: OpenFile;
  readonly #onClose: () => void;
  #closed: Promise<void> | undefined;

  constructor(files: FaultyFiles, path: string, inner: OpenFile, onClose: () => void) {
    this.#files = files;
    this.#path = path;
    this.#inner = inner;
    this.#onClose = onClose;
  }

  async read(buffer: Uint8Array, offset: number): Promise<number> {
    this.#files.begin('read', this.#path, buffer.length);
    return await this.#inner.read(buffer, offset);
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    try {
      this.#files.begin('write', this.#path, bytes.length);
    } catch (error) {
      if (this.#closed === undefined) await this.#writeHalf(bytes, offset);
      throw error;
    }
    await this.#inner.write(bytes, offset);
  }

  async #writeHalf(bytes: Uint8Array, offset: number): Promise<void> {
    const end = offset + bytes.length;
    const isWithinSector = Math.floor(offset / sectorBytes) === Math.floor((end - 1) / sectorBytes);
    if (isWithinSector && end <= (await this.#inner.size())) return;
    await this.#inner.write(bytes.subarray(0, bytes.length >> 1), offset);
  }

  async sync(): Promise<void> {
    this.#files.begin('sync', this.#path);
    await this.#inner.sync();
  }

  async truncate(size: number): Promise<void> {
    this.#files.begin('truncate', this.#path);
    await this.#inner.truncate(size);
  }

  size(): Promise<number> {
    return this.#inner.size();
  }

  close(): Promise<void> {
    this.#onClose();
    this.#closed ??= this.#inner.close();
    return this.#closed;
  }
}
