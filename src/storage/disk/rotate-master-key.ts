import { join } from 'node:path';
import type { Log } from '../../lib/log.ts';
import type { RandomBytes } from '../../lib/random.ts';
import { isStoreError, StoreError } from '../errors.ts';
import type { FileKind } from './file-header.ts';
import { type Files, isFileError, type Layout, type OpenFile, otherFailure } from './files.ts';
import {
  type MasterKeyFile,
  type Permissions,
  readMasterKeyFile,
  writeMasterKeyFile,
} from './master-key-file.ts';
import { dataKeyBytes, MasterKeys } from './master-keys.ts';
import { opensWith, rewrapFile } from './rotate-master-key-headers.ts';

export interface RotationOptions {
  readonly layout: Layout;
  readonly files: Files;
  /** Of the master key file. */
  readonly path: string;
  readonly permissions?: Permissions;
  readonly randomBytes: RandomBytes;
  readonly log: Log;
  /** Called after each file. */
  readonly onProgress?: (progress: RotationProgress) => void;
}

export interface RotationProgress {
  /** Files whose data key is now wrapped under the current master key. */
  readonly rewrapped: number;
  /** Files that were so already. */
  readonly skipped: number;
  /** Files that could not be, so that the older keys stay. */
  readonly failedCount: number;
}

export interface RotationReport extends RotationProgress {
  /** Of the current master key. */
  readonly keyId: string;
  /** Up to a thousand of them. */
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
  /** Keys that nothing needs any more, and that are not in the file any more. */
  readonly removedKeyIds: readonly string[];
  /** Older keys that are still in the file: something failed, or the file is not ours to change. */
  readonly keptKeyIds: readonly string[];
}

const failedMax = 1000;
/** Two syncs a file would take a disk hours for a million, one after the other. */
const filesAtOnce = 16;

/**
 * Gives a stopped store a new master key; the caller holds its directories. No data is rewritten:
 * what changes are the headers of files, in which their data keys stand.
 *
 * 1. The new key is durable in the master key file before any header needs it.
 * 2. An older key leaves the file after every header that needs it was rewritten, durably.
 * 3. So after a crash everything opens as before, and the next call goes on where this one ended.
 *    One that finds a rotation unfinished finishes it, with the key that was made for it.
 */
export async function rotateMasterKey(options: RotationOptions): Promise<RotationReport> {
  try {
    const found = await readMasterKeyFile(options);
    if (found === undefined) throw refusal(`The master key file ${options.path} is missing.`);
    await checkKeys(found, options);
    if (!found.isOurs) return await rewrapAll(found, options);
    const isUnfinished = found.keys.length > 1;
    if (isUnfinished) {
      // What was read need not be on the disk, when the rotation before died.
      await writeMasterKeyFile(options, found.keys);
      const report = await rewrapAll(found, options);
      // What failed before fails again: so that one is as finished as it can be.
      if (report.failedCount === 0 || report.rewrapped > 0) return report;
    }
    const key = Uint8Array.from(options.randomBytes(dataKeyBytes));
    const keys = [key, ...found.keys] as const;
    await writeMasterKeyFile(options, keys);
    return await rewrapAll({ keys, isOurs: true, isHalfDamaged: false }, options);
  } catch (error) {
    throw otherFailure(error, 'write');
  }
}

/** Refuses keys that are not those of the data, and a file that is not ours and holds no new key. */
async function checkKeys({ keys, isOurs }: MasterKeyFile, options: RotationOptions): Promise<void> {
  if (!isOurs && keys.length === 1) {
    throw refusal(
      `The master key file ${options.path} was not made by this program, which therefore does not ` +
        'change it. Put a line with the new key above that of the old one, and try again.',
    );
  }
  const masterKeys = new MasterKeys(keys);
  let unknownKey: unknown;
  for await (const { path, kind } of filesOf(options)) {
    try {
      const isOpen = await opened(options.files, path, (file) => opensWith(file, kind, masterKeys));
      if (isOpen === true) return;
    } catch (error) {
      // One file may have strayed here from another store; not all of them.
      unknownKey ??= error;
    }
  }
  if (unknownKey !== undefined) throw unknownKey;
}

async function rewrapAll(
  { keys, isOurs }: MasterKeyFile,
  options: RotationOptions,
): Promise<RotationReport> {
  const masterKeys = new MasterKeys(keys);
  const { files, randomBytes, log, onProgress } = options;
  const failed: { path: string; reason: string }[] = [];
  let [rewrapped, skipped, failedCount] = [0, 0, 0];
  const found = filesOf(options);
  const rewrapNext = async () => {
    for await (const { path, kind } of found) {
      const outcome = await opened(files, path, (file) =>
        rewrapFile(file, kind, { masterKeys, randomBytes }),
      );
      if (outcome === 'rewrapped') rewrapped += 1;
      else if (outcome === 'skipped') skipped += 1;
      else {
        failedCount += 1;
        if (failed.length < failedMax) failed.push({ path, reason: outcome.reason });
      }
      onProgress?.({ rewrapped, skipped, failedCount });
    }
  };
  // They take the files from the same list, and their syncs overlap.
  await Promise.all(Array.from({ length: filesAtOnce }, rewrapNext));
  const keyId = masterKeys.currentId;
  const olderIds = masterKeys.ids.slice(1);
  const isRemoving = isOurs && failedCount === 0;
  if (isRemoving) await writeMasterKeyFile(options, keys.slice(0, 1));
  const removedKeyIds = isRemoving ? olderIds : [];
  const keptKeyIds = isRemoving ? [] : olderIds;
  const counts = { rewrapped, skipped, failedCount };
  const facts = { keyId, ...counts, removedKeyIds, keptKeyIds };
  if (failedCount === 0) log.info('master-key.rotated', facts);
  else log.warn('master-key.rotation-incomplete', facts);
  return { keyId, ...counts, failed, removedKeyIds, keptKeyIds };
}

/** Runs `act` on a file; what the file system has against that is a reason, and not thrown. */
async function opened<T>(
  files: Files,
  path: string,
  act: (file: OpenFile) => Promise<T>,
): Promise<T | { readonly reason: string }> {
  try {
    const file = await files.open(path, 'read and write');
    try {
      return await act(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    const failure = otherFailure(error, 'write');
    if (failure === error || !isStoreError(failure)) throw error;
    return { reason: failure.message };
  }
}

async function* filesOf({ files, layout }: RotationOptions): AsyncGenerator<StoreFile> {
  const directories: [string, FileKind][] = [
    [layout.segments, 'segment'],
    [layout.large, 'large'],
    [layout.journal, 'journal'],
    [layout.snapshots, 'snapshot'],
  ];
  for (const [directory, kind] of directories) {
    try {
      for await (const name of files.list(directory)) yield { path: join(directory, name), kind };
    } catch (error) {
      // A store that was never begun has none of them.
      if (!isFileError(error, 'ENOENT')) throw error;
    }
  }
}

interface StoreFile {
  readonly path: string;
  readonly kind: FileKind;
}

function refusal(message: string): StoreError {
  return new StoreError('StoreUnavailable', message);
}
