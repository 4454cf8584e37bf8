import { isFileError } from './files.ts';

/** Codes of a directory that this process may not open, or whose file system syncs none. */
const refusalCodes = ['EACCES', 'EPERM', 'EINVAL', 'EROFS'];

/**
 * Makes durable which names the directories hold. Those that refuse are passed over: nothing can be
 * done about them, and the probe of the file system has looked at the ones that count.
 */
export async function syncDirectories(
  paths: readonly string[],
  sync: (path: string) => Promise<void>,
): Promise<void> {
  for (const path of paths) {
    try {
      await sync(path);
    } catch (error) {
      if (!refusalCodes.some((code) => isFileError(error, code))) throw error;
    }
  }
}
