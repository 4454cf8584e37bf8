import { join } from 'node:path';
import { StoreError } from '../errors.ts';
import { type Files, isFileError, type OpenFile, unlinkIfThere } from './files.ts';

/** Fixed, so that the next probe finds what a crash left of this one. */
const name = '.firn-probe';
const renamedName = '.firn-probe.renamed';
const content = Buffer.from('This file is written to see whether the disk can be used.\n');

/**
 * Whether a file system does what the store builds on: write, read back, rename, unlink, and sync of
 * a file and of a directory. Throws `StoreUnavailable` with the reason; better at start than at the
 * first archive. A full disk is no reason: what is stored can be read, and deleted.
 */
export async function probeFileSystem({
  directory,
  files,
}: {
  readonly directory: string;
  readonly files: Files;
}): Promise<void> {
  const paths = [join(directory, name), join(directory, renamedName)] as const;
  const step = stepsIn(directory);
  try {
    for (const path of paths) await step('delete files', () => unlinkIfThere(files, path));
    await probe(paths, { files, directory, step });
  } catch (error) {
    for (const path of paths) await unlinkIfThere(files, path).catch(() => undefined);
    if (!(error instanceof FullDisk)) throw error;
  }
}

type Step = <T>(deed: string, run: () => Promise<T>) => Promise<T>;

async function probe(
  [path, renamedPath]: readonly [string, string],
  { files, directory, step }: { files: Files; directory: string; step: Step },
): Promise<void> {
  const file = await step('create files', () => files.create(path));
  try {
    await step('write', () => file.write(content, 0));
    await step('sync files', () => file.sync());
    await step('read back what was written', () => readBack(file));
  } finally {
    await file.close();
  }
  await step('rename files', () => files.rename(path, renamedPath));
  await step('sync directories', () => files.syncDirectory(directory));
  await step('delete files', () => files.unlink(renamedPath));
}

async function readBack(file: OpenFile): Promise<void> {
  const bytes = Buffer.alloc(content.length + 1);
  const length = await file.read(bytes, 0);
  if (!bytes.subarray(0, length).equals(content)) {
    throw new StoreError('StoreUnavailable', 'other bytes came back than were written');
  }
}

/** There is no room even for the probe, which then cannot go on. */
class FullDisk extends Error {}

function stepsIn(directory: string): Step {
  return async (deed, run) => {
    try {
      return await run();
    } catch (cause) {
      if (['ENOSPC', 'EDQUOT'].some((code) => isFileError(cause, code))) {
        throw new FullDisk(deed, { cause });
      }
      const reason = reasonOf(cause);
      throw new StoreError(
        'StoreUnavailable',
        `The store cannot be kept in ${directory}, since it is not possible to ${deed} there: ${reason}.`,
        { cause },
      );
    }
  };
}

/** In plain words, with what to look at. */
const reasons: Readonly<Record<string, string>> = {
  EROFS:
    'the file system is mounted read-only. After errors on a disk the system does that by itself',
  EACCES: 'the account that runs the server has no permission',
  EPERM: 'the account that runs the server has no permission, or the file system does not allow it',
  ENOENT: 'the directory is not there',
  ENOTDIR: 'it is no directory',
  EIO: 'the disk reports an error',
  EINVAL: 'the file system does not know how. Without it nothing stored would outlive a power cut',
  ENOSYS: 'the file system does not know how. Without it nothing stored would outlive a power cut',
  EOPNOTSUPP:
    'the file system does not know how. Without it nothing stored would outlive a power cut',
  ENOTSUP: 'the file system does not know how. Without it nothing stored would outlive a power cut',
  EMFILE: 'the process may not open so many files',
  ENFILE: 'the system may not open so many files',
};

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = 'code' in cause ? String(cause.code) : '';
  const words = reasons[code];
  return words === undefined ? cause.message : `${words} (${code})`;
}
