import type { Files, OpenFile } from './files.ts';

/** Called before each read; what it throws is the read's failure. */
export type BeforeRead = (offset: number, sizeBytes: number) => void;

/** Other files, on a disk that refuses to read some places: for tests. */
export function withBadSectors(files: Files, beforeRead: BeforeRead): Files {
  const wrap = (file: OpenFile): OpenFile => ({
    read: async (buffer, offset) => {
      beforeRead(offset, buffer.length);
      return await file.read(buffer, offset);
    },
    write: (bytes, offset) => file.write(bytes, offset),
    sync: () => file.sync(),
    truncate: (size) => file.truncate(size),
    size: () => file.size(),
    close: () => file.close(),
  });
  return {
    create: async (path) => wrap(await files.create(path)),
    open: async (path, access) => wrap(await files.open(path, access)),
    rename: (from, to) => files.rename(from, to),
    unlink: (path) => files.unlink(path),
    list: (directory) => files.list(directory),
    makeDirectory: (path) => files.makeDirectory(path),
    syncDirectory: (path) => files.syncDirectory(path),
    room: (directory) => files.room(directory),
  };
}
