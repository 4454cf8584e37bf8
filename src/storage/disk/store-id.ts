import { StoreError } from '../errors.ts';
import { type Files, hasFiles, isFileError, Layout, otherFailure, unlinkIfThere } from './files.ts';
import { nodeFiles } from './node-files.ts';

const idPattern = /^([0-9a-f]{32})\n$/;
/** More than an id has: what is longer is none. */
const readBytesMax = 64;

/** Where a blob directory says which store it belongs to. */
export function storeIdPath(directory: string): string {
  return new Layout(directory).storeId;
}

/** The id in the blob directory; `undefined` when there is none. */
export async function readStoreId(
  directory: string,
  files: Files = nodeFiles,
): Promise<string | undefined> {
  const path = storeIdPath(directory);
  const content = await readIfThere(path, files);
  if (content === undefined) return undefined;
  const id = idPattern.exec(content)?.[1];
  if (id !== undefined) return id;
  throw new StoreError('BlobCorrupt', `${path} is damaged: restore it from a backup.`);
}

/** Writes the id into a blob directory that has none, durably. */
export async function writeStoreId(
  directory: string,
  id: string,
  files: Files = nodeFiles,
): Promise<void> {
  const path = storeIdPath(directory);
  // Under another name first: a crash leaves the whole id, or none.
  const incoming = `${path}.new`;
  try {
    await unlinkIfThere(files, incoming);
    const file = await files.create(incoming);
    try {
      await file.write(new TextEncoder().encode(`${id}\n`), 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(incoming, path);
    // Else a crash may take the name back, and the database would name an id that nobody has.
    await files.syncDirectory(directory);
  } catch (error) {
    throw otherFailure(error, 'write');
  }
}

/** Whether there is a file of blobs in the directory. What is in it does not matter. */
export async function holdsBlobs(directory: string, files: Files = nodeFiles): Promise<boolean> {
  const { large, segments } = new Layout(directory);
  return (await hasFiles(files, large)) || (await hasFiles(files, segments));
}

async function readIfThere(path: string, files: Files): Promise<string | undefined> {
  try {
    const file = await files.open(path, 'read');
    try {
      const bytes = new Uint8Array(readBytesMax);
      return new TextDecoder().decode(bytes.subarray(0, await file.read(bytes, 0)));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isFileError(error, 'ENOENT')) return undefined;
    throw otherFailure(error, 'read');
  }
}
