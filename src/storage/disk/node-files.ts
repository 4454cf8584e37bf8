import { type FileHandle, mkdir, open, opendir, rename, statfs, unlink } from 'node:fs/promises';
import { syncDirectory } from '../../lib/node/sync-directory.ts';
import { type Files, isFileError, type OpenFile } from './files.ts';

/** The machine's own file system. */
export const nodeFiles: Files = {
  create: async (path) => new NodeFile(await open(path, 'wx+')),
  open: async (path, access) => new NodeFile(await open(path, access === 'read' ? 'r' : 'r+')),
  rename,
  unlink,
  list: async function* (directory) {
    for await (const { name } of await opendir(directory)) yield name;
  },
  makeDirectory: async (path) => {
    try {
      await mkdir(path);
    } catch (error) {
      if (!isFileError(error, 'EEXIST')) throw error;
    }
  },
  syncDirectory,
  room: async (directory) => {
    const { bsize, blocks, bavail } = await statfs(directory);
    return { sizeBytes: blocks * bsize, freeBytes: bavail * bsize };
  },
};

class NodeFile implements OpenFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(buffer: Uint8Array, offset: number): Promise<number> {
    let done = 0;
    while (done < buffer.length) {
      const rest = buffer.length - done;
      const { bytesRead } = await this.#handle.read(buffer, done, rest, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const rest = bytes.length - done;
      const { bytesWritten } = await this.#handle.write(bytes, done, rest, offset + done);
      done += bytesWritten;
    }
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  truncate(size: number): Promise<void> {
    return this.#handle.truncate(size);
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
