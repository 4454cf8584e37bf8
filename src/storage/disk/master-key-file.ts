import { chmod, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '../../lib/log.ts';
import type { RandomBytes } from '../../lib/random.ts';
import { reasonText } from '../../lib/reason-text.ts';
import { StoreError } from '../errors.ts';
import { type Files, isFileError, unlinkIfThere } from './files.ts';
import { dataKeyBytes, MasterKeys, masterKeyId } from './master-keys.ts';
import { nodeFiles } from './node-files.ts';

/** Who may look into a file. A value, since no other file of the store has anything to do with it. */
export interface Permissions {
  /** From now on the owner alone may. */
  restrict(path: string): Promise<void>;
  /** Whether others than the owner may read it. */
  isExposed(path: string): Promise<boolean>;
}

export const nodePermissions: Permissions = {
  restrict: (path) => chmod(path, 0o600),
  // Windows has no such bits: there it is the directory that keeps others out.
  isExposed: async (path) =>
    process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0,
};

export interface MasterKeyPlace {
  readonly path: string;
  readonly files?: Files;
  readonly permissions?: Permissions;
}

export interface MasterKeyOptions extends MasterKeyPlace {
  /** Whether it is ours by default. Else a setting named it. */
  readonly isGenerated: boolean;
  /** Whether nothing is stored yet, so that a new key locks nothing away. */
  readonly mayCreate: boolean;
  /** Whether a file of which one copy is damaged is left as it is. */
  readonly isReadOnly?: boolean;
  readonly randomBytes: RandomBytes;
  readonly log: Log;
}

/** The content of a master key file. */
export interface MasterKeyFile {
  /** The current one first. */
  readonly keys: readonly [Uint8Array, ...Uint8Array[]];
  /** In our own format. Else somebody made it who keeps it, and it is not ours to change. */
  readonly isOurs: boolean;
  /** Whether one of its two copies is damaged. */
  readonly isHalfDamaged: boolean;
}

/**
 * The master keys out of their file. It is made when it is missing and `mayCreate`.
 *
 * Throws `StoreUnavailable`, with what to do, when it is missing, damaged or not to be read: never
 * is another key taken instead, which would open nothing of what is there.
 */
export async function loadMasterKeys(options: MasterKeyOptions): Promise<MasterKeys> {
  const { path, mayCreate, randomBytes, log, permissions = nodePermissions } = options;
  const found = await readMasterKeyFile(options);
  if (found === undefined) {
    if (!mayCreate) throw missing(options);
    const keys = [Uint8Array.from(randomBytes(dataKeyBytes))] as const;
    await writeMasterKeyFile(options, keys);
    log.info('master-key.created', { path, keyId: masterKeyId(keys[0]) });
    return new MasterKeys(keys);
  }
  if (found.isHalfDamaged) await repair(options, found);
  if (found.isOurs) await makeDurable(options);
  if (await permissions.isExposed(path)) log.warn('master-key.exposed', { path });
  return new MasterKeys(found.keys);
}

/** Writes the copy that is damaged anew, where that is possible: the keys are known without it. */
async function repair(
  { log, isReadOnly = false, ...place }: MasterKeyOptions,
  { keys }: MasterKeyFile,
): Promise<void> {
  const { path, files = nodeFiles } = place;
  if (isReadOnly) {
    log.warn('master-key.damaged', { path, reason: 'One of the two copies in it is damaged.' });
    return;
  }
  try {
    // A file that we may not write is somebody else's to repair, though we could put another there.
    const file = await files.open(path, 'read and write');
    await file.close();
    await writeMasterKeyFile(place, keys);
    log.warn('master-key.repaired', { path });
  } catch (error) {
    log.warn('master-key.damaged', { path, reason: reasonText(error) });
  }
}

/** Nothing when there is no such file. What there is may be lost in a power cut yet. */
export async function readMasterKeyFile({
  path,
  files = nodeFiles,
}: MasterKeyPlace): Promise<MasterKeyFile | undefined> {
  let content: string;
  try {
    content = await readText(path, files);
  } catch (cause) {
    if (isFileError(cause, 'ENOENT')) return undefined;
    const advice = 'The account that runs the server must be able to read it.';
    throw unavailable(`The master key file ${path} cannot be read: ${cause}. ${advice}`, cause);
  }
  const parsed = parseMasterKeyFile(content);
  if (typeof parsed !== 'string') return parsed;
  throw unavailable(
    `The master key file ${path} is damaged: ${parsed}. Restore it from its backup. A key of your ` +
      'own is a line of 64 hexadecimal digits, as `openssl rand -hex 32` prints it.',
  );
}

/** Puts a file with `keys` in the place of the one that is there. After a crash it is either. */
export async function writeMasterKeyFile(
  { path, files = nodeFiles, permissions = nodePermissions }: MasterKeyPlace,
  keys: readonly Uint8Array[],
): Promise<void> {
  const incoming = `${path}.new`;
  try {
    await unlinkIfThere(files, incoming);
    const file = await files.create(incoming);
    try {
      // While there is nothing in it yet.
      await permissions.restrict(incoming);
      await file.write(Buffer.from(formatMasterKeyFile(keys), 'latin1'), 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(incoming, path);
    // Before anything is encrypted under a key that a crash could take back.
    await files.syncDirectory(dirname(path));
  } catch (cause) {
    throw unavailable(`The master key file ${path} cannot be written: ${cause}`, cause);
  }
}

/**
 * The server that made the file may have died before its syncs, and nothing may be encrypted under a
 * key that a power cut could still take back.
 */
async function makeDurable({ path, files = nodeFiles }: MasterKeyPlace): Promise<void> {
  try {
    const file = await files.open(path, 'read');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    await files.syncDirectory(dirname(path));
  } catch (cause) {
    // Where this is not possible we have not written the file: whoever put it there saw to that.
    if (cannotSyncCodes.some((code) => isFileError(cause, code))) return;
    throw unavailable(`The master key file ${path} cannot be made durable: ${cause}`, cause);
  }
}

const cannotSyncCodes = ['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EROFS', 'EACCES', 'EPERM'];

const title = 'firn-master-key 1';
const explanation =
  '# Firn encrypts all that it stores under these keys: if this file is lost, all data is lost, ' +
  'so keep a copy of it elsewhere.';

/** Everything stands in it twice: no byte of it is one that all data hangs on. */
export function formatMasterKeyFile(keys: readonly Uint8Array[]): string {
  const lines = keys.map((key) => `${masterKeyId(key)} ${Buffer.from(key).toString('hex')}`);
  return `${[title, ...lines, explanation].join('\n')}\n`.repeat(2);
}

/** What a file holds, or in a sentence why that is no master key. One whole copy is enough. */
export function parseMasterKeyFile(content: string): MasterKeyFile | string {
  const half = content.length >> 1;
  const whole: MasterKeyFile[] = [];
  for (const copy of [content.slice(0, half), content.slice(half)]) {
    const parsed = copy.endsWith(`${explanation}\n`) ? parseCopy(copy) : '';
    if (typeof parsed !== 'string' && parsed.isOurs) whole.push(parsed);
  }
  const [first] = whole;
  return first === undefined ? parseCopy(content) : { ...first, isHalfDamaged: whole.length === 1 };
}

function parseCopy(content: string): MasterKeyFile | string {
  const lines = content.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  const isOurs = lines[0]?.startsWith('firn-master-key') === true;
  if (isOurs && lines[0] !== title) return `its format is not that of this program, ${title}`;
  const keys: Uint8Array[] = [];
  for (const [index, line] of lines.slice(isOurs ? 1 : 0).entries()) {
    const [, id, digits = ''] =
      (isOurs ? /^([0-9a-f]{16}) ([0-9a-f]{64})$/ : /^()([0-9a-f]{64})$/i).exec(line) ?? [];
    // Not a word of what stands there: it is a secret, or nearly one.
    if (id === undefined) return `its key number ${index + 1} is not written as a key`;
    const key = Uint8Array.from(Buffer.from(digits, 'hex'));
    if (isOurs && masterKeyId(key) !== id) return `its key ${id} is not the key of that id`;
    keys.push(key);
  }
  const [current, ...older] = keys;
  if (current === undefined) return 'it holds no key';
  return { keys: [current, ...older], isOurs, isHalfDamaged: false };
}

/** More than so many keys never are in use at a time. */
const contentBytesMax = 64 * 1024;

async function readText(path: string, files: Files): Promise<string> {
  const file = await files.open(path, 'read');
  try {
    const bytes = Buffer.alloc(contentBytesMax);
    return bytes.toString('latin1', 0, await file.read(bytes, 0));
  } finally {
    await file.close();
  }
}

function missing({ path, isGenerated }: MasterKeyOptions): StoreError {
  const where = isGenerated ? path : `${path}, which FIRN_MASTER_KEY_FILE names`;
  const elsewhere = isGenerated ? ', or name it in FIRN_MASTER_KEY_FILE' : '';
  return unavailable(
    `There is data, and the master key file that it is encrypted under is missing: ${where}. ` +
      `Restore it from its backup${elsewhere}. A new key would not open anything.`,
  );
}

function unavailable(message: string, cause?: unknown): StoreError {
  return new StoreError('StoreUnavailable', message, { cause });
}
