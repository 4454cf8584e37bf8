import { join } from 'node:path';
import type { FileHeader } from './file-header.ts';
import { type Files, isFileError, Layout, type OpenFile, otherFailure } from './files.ts';
import { type HeaderCopies, readClosedHeader, readGrowingHeader } from './header-copies.ts';
import { nodeFiles } from './node-files.ts';

/** So many files are looked at: one intact header is enough. */
const filesMax = 100;

/** Which store the files in a directory of blobs belong to; nothing when none of them tells. */
export async function storeIdInHeaders(
  directory: string,
  files: Files = nodeFiles,
): Promise<string | undefined> {
  const { journal, segments, large, snapshots } = new Layout(directory);
  const kinds = [
    [journal, readGrowingHeader],
    [segments, readGrowingHeader],
    [snapshots, readClosedHeader],
    [large, readClosedHeader],
  ] as const;
  try {
    for (const [place, read] of kinds) {
      const header = await firstHeader(place, read, files);
      if (header !== undefined) return header.storeId;
    }
    return undefined;
  } catch (error) {
    throw otherFailure(error, 'read');
  }
}

async function firstHeader(
  directory: string,
  read: (file: OpenFile) => Promise<HeaderCopies>,
  files: Files,
): Promise<FileHeader | undefined> {
  let count = 0;
  try {
    for await (const name of files.list(directory)) {
      if (count === filesMax) break;
      count += 1;
      const file = await files.open(join(directory, name), 'read');
      try {
        const { header } = await read(file);
        if (header !== undefined) return header;
      } finally {
        await file.close();
      }
    }
  } catch (error) {
    if (!isFileError(error, 'ENOENT')) throw error;
  }
  return undefined;
}
