import { join } from 'node:path';
import type { FileHeader } from './file-header.ts';
import {
  type Files,
  ifThere,
  isDamage,
  Layout,
  numberedName,
  numbersIn,
  type OpenFile,
  otherFailure,
} from './files.ts';
import { type HeaderCopies, readClosedHeader, readGrowingHeader } from './header-copies.ts';
import { nodeFiles } from './node-files.ts';

/** So many files of a kind are looked at: one intact header is enough. */
const filesMax = 100;

/** An intact header, and of which file. */
export interface FoundHeader {
  readonly path: string;
  readonly header: FileHeader;
}

/** Which store the files in a directory of blobs belong to; nothing when none of them tells. */
export async function storeIdInHeaders(
  directory: string,
  files: Files = nodeFiles,
): Promise<string | undefined> {
  return (await findHeader(new Layout(directory), files))?.header.storeId;
}

/**
 * The newest intact header of a segment; where there is none, that of a file of the journal; and else
 * any of a snapshot or a large blob. One that is damaged or does not open stands in nobody's way.
 */
export async function findHeader(layout: Layout, files: Files): Promise<FoundHeader | undefined> {
  const { segments, journal, snapshots, large } = layout;
  const kinds = [
    [segments, newestFiles, readGrowingHeader],
    [journal, newestFiles, readGrowingHeader],
    [snapshots, someFiles, readClosedHeader],
    [large, someFiles, readClosedHeader],
  ] as const;
  try {
    for (const [directory, namesIn, read] of kinds) {
      for (const name of await namesIn(directory, files)) {
        const path = join(directory, name);
        const header = await readHeader(path, read, files);
        if (header !== undefined) return { path, header };
      }
    }
    return undefined;
  } catch (error) {
    throw otherFailure(error, 'read');
  }
}

async function readHeader(
  path: string,
  read: (file: OpenFile) => Promise<HeaderCopies>,
  files: Files,
): Promise<FileHeader | undefined> {
  try {
    const file = await ifThere(files.open(path, 'read'));
    if (file === undefined) return undefined;
    try {
      return (await read(file)).header;
    } finally {
      await file.close();
    }
  } catch (error) {
    // The disk refuses this file: the next one may tell.
    if (isDamage(error)) return undefined;
    throw error;
  }
}

async function newestFiles(directory: string, files: Files): Promise<string[]> {
  const names = (await ifThere(numbersIn(files, directory))) ?? [];
  return names.slice(-filesMax).reverse().map(numberedName);
}

/** There may be millions, and their order tells nothing. */
async function someFiles(directory: string, files: Files): Promise<string[]> {
  return (await ifThere(Array.fromAsync(firstNames(directory, files)))) ?? [];
}

async function* firstNames(directory: string, files: Files): AsyncGenerator<string> {
  let count = 0;
  for await (const name of files.list(directory)) {
    if (count === filesMax) return;
    count += 1;
    yield name;
  }
}
