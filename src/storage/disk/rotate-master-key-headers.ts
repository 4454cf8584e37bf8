import type { RandomBytes } from '../../lib/random.ts';
import { isStoreError } from '../errors.ts';
import {
  decodeFileHeader,
  encodeFileHeader,
  type FileHeader,
  type FileKind,
  fileHeaderBytes,
  openDataKey,
  rewrap,
} from './file-header.ts';
import type { OpenFile } from './files.ts';
import {
  copyOffsets,
  growingContentOffset,
  isGrowing,
  readClosedHeader,
  readGrowingHeader,
} from './header-copies.ts';
import type { MasterKeys } from './master-keys.ts';

export interface RewrapOptions {
  /** The first wraps, all of them open. */
  readonly masterKeys: MasterKeys;
  readonly randomBytes: RandomBytes;
}

/**
 * Wraps the data key of a file under the current master key, in both copies of its header.
 *
 * The copy that the key was taken from is written last, when the other one is durable: at any moment
 * one is intact on the disk. `skipped`: they were so already, and were only made durable. Anything
 * else is why the file was left as it is.
 */
export async function rewrapFile(
  file: OpenFile,
  kind: FileKind,
  options: RewrapOptions,
): Promise<'rewrapped' | 'skipped' | { readonly reason: string }> {
  const { header, damages } = await readHeader(file, kind, options.masterKeys);
  if (header === undefined) {
    return (await isBegunOnly(file, kind)) ? 'skipped' : { reason: damages[0] ?? 'no header' };
  }
  const isCurrent = idOf(header) === options.masterKeys.currentId;
  const offsets = await copyOffsets(file, header);
  const copies = await Promise.all(offsets.map((offset) => readCopy(file, offset)));
  const old = encodeFileHeader(header);
  const source = copies.findIndex((bytes) => bytes.equals(old));
  const other = 1 - source;
  const otherOffset = offsets[other] ?? 0;
  const otherBytes = copies[other] ?? old;
  if (source < 0 || !isItsPlace({ kind, offset: otherOffset, found: otherBytes, header: old })) {
    return { reason: 'the second copy of its header is not where it should be' };
  }
  const bytes = isCurrent ? old : encodeFileHeader(newHeader(header, options));
  // What is read need not be on the disk: a rotation that died may not have synced it.
  for (const index of isCurrent ? [source, other] : [other, source]) {
    await file.write(bytes, offsets[index] ?? 0);
    await file.sync();
  }
  return isCurrent && otherBytes.equals(old) ? 'skipped' : 'rewrapped';
}

/** Throws `StoreUnavailable` when a file is encrypted under a master key that is not known. */
export async function opensWith(
  file: OpenFile,
  kind: FileKind,
  masterKeys: MasterKeys,
): Promise<boolean> {
  const { header } = await readEither(file, kind, () => undefined);
  return header !== undefined && openDataKey(header, masterKeys) !== undefined;
}

function readHeader(file: OpenFile, kind: FileKind, masterKeys: MasterKeys) {
  return readEither(file, kind, (header) => {
    if (header.kind !== kind) return `it is a ${header.kind} in the place of a ${kind}`;
    try {
      const isOpen = openDataKey(header, masterKeys) !== undefined;
      return isOpen ? undefined : 'the data key in a header is damaged';
    } catch (error) {
      if (!isStoreError(error)) throw error;
      // The other copy may be under a key that is known.
      return error.message;
    }
  });
}

function readEither(
  file: OpenFile,
  kind: FileKind,
  accept: (header: FileHeader) => string | undefined,
) {
  return isGrowing(kind) ? readGrowingHeader(file, accept) : readClosedHeader(file, accept);
}

/** Whether a crash ended the making of the file: it holds nothing, and its key sealed nothing. */
async function isBegunOnly(file: OpenFile, kind: FileKind): Promise<boolean> {
  return isGrowing(kind) && (await file.size()) <= growingContentOffset;
}

function newHeader(header: FileHeader, options: RewrapOptions): FileHeader {
  const dataKey = openDataKey(header, options.masterKeys);
  if (dataKey === undefined) throw new Error('a header that was accepted does not open');
  return rewrap(header, dataKey, options);
}

function idOf({ wrappedKey }: FileHeader): string {
  return Buffer.from(wrappedKey.masterKeyId).toString('hex');
}

async function readCopy(file: OpenFile, offset: number): Promise<Buffer> {
  const bytes = Buffer.alloc(fileHeaderBytes);
  return bytes.subarray(0, await file.read(bytes, offset));
}

/**
 * Whether a header may be written over what was found. The end of a file that was cut off holds no
 * header but part of a blob: that must not be lost as well. A header is mostly zeros, and what is
 * sealed looks random, so that even a damaged header is easily told from it.
 */
function isItsPlace({
  kind,
  offset,
  found,
  header,
}: {
  kind: FileKind;
  offset: number;
  found: Buffer;
  header: Buffer;
}): boolean {
  if (isGrowing(kind) || offset === 0 || typeof decodeFileHeader(found) !== 'string') return true;
  const equalCount = found.reduce((sum, byte, at) => sum + Number(byte === header[at]), 0);
  return offset >= fileHeaderBytes && equalCount > fileHeaderBytes / 2;
}
