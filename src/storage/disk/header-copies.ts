import {
  decodeFileHeader,
  encodeFileHeader,
  type FileHeader,
  type FileKind,
  fileHeaderBytes,
} from './file-header.ts';
import { isDamage, type OpenFile } from './files.ts';
import { descriptionOffset } from './large-layout.ts';

/**
 * Where the second copy of the header lies in a file that grows: in another part of the disk than
 * the first. What is between them is never written.
 */
const secondCopyOffset = 60 * 1024;

/** Where what a growing file holds begins. */
export const growingContentOffset = secondCopyOffset + fileHeaderBytes;

/** Writes both copies into a file that grows. Not synced. */
export async function writeGrowingHeaders(file: OpenFile, header: FileHeader): Promise<void> {
  const bytes = encodeFileHeader(header);
  await file.write(bytes, 0);
  await file.write(bytes, secondCopyOffset);
}

export interface HeaderCopies {
  /** The first copy that is intact; nothing when none is. */
  readonly header: FileHeader | undefined;
  /** What is wrong with a copy, or with both, each a sentence. */
  readonly damages: readonly string[];
  /** Where those lie. */
  readonly damagedOffsets: readonly number[];
}

/** Whether files of the kind grow, and have both copies before their content. */
export function isGrowing(kind: FileKind): boolean {
  return kind === 'segment' || kind === 'journal';
}

/** Reads the header of a file that grows. `accept` says what is wrong with one, or nothing. */
export function readGrowingHeader(
  file: OpenFile,
  accept?: (header: FileHeader) => string | undefined,
): Promise<HeaderCopies> {
  return readCopies(file, [0, secondCopyOffset], accept);
}

/** Reads the header of a file whose second copy lies at its end. */
export async function readClosedHeader(
  file: OpenFile,
  accept?: (header: FileHeader) => string | undefined,
): Promise<HeaderCopies> {
  const last = (await file.size()) - fileHeaderBytes;
  return readCopies(file, last > 0 ? [0, last] : [0], accept);
}

/** Offsets of both copies, for who writes them anew: in a growing file, or in one of a single blob. */
export async function copyOffsets(file: OpenFile, { kind }: FileHeader): Promise<number[]> {
  return isGrowing(kind) ? [0, secondCopyOffset] : [0, (await file.size()) - fileHeaderBytes];
}

/**
 * Whether the file is as long as its header says, so that both copies lie where they should. The end
 * of one that was cut off holds no header, but part of a blob.
 */
export async function hasRoomForCopies(file: OpenFile, header: FileHeader): Promise<boolean> {
  const sizeBytes = await file.size();
  if (isGrowing(header.kind)) return sizeBytes >= growingContentOffset;
  const { contentBytes, descriptionBytes } = header;
  return sizeBytes === descriptionOffset(contentBytes) + descriptionBytes + fileHeaderBytes;
}

async function readCopies(
  file: OpenFile,
  offsets: readonly number[],
  accept: (header: FileHeader) => string | undefined = () => undefined,
): Promise<HeaderCopies> {
  const damages: string[] = [];
  const damagedOffsets: number[] = [];
  let header: FileHeader | undefined;
  for (const offset of offsets) {
    const decoded = await readCopy(file, offset);
    const damage = typeof decoded === 'string' ? decoded : accept(decoded);
    if (damage !== undefined) {
      damages.push(damage);
      damagedOffsets.push(offset);
    } else if (typeof decoded !== 'string') header ??= decoded;
  }
  return { header, damages, damagedOffsets };
}

/** A sector that can't be read is one more way in which a copy can be damaged. */
async function readCopy(file: OpenFile, offset: number): Promise<FileHeader | string> {
  const bytes = Buffer.alloc(fileHeaderBytes);
  try {
    return decodeFileHeader(bytes.subarray(0, await file.read(bytes, offset)));
  } catch (error) {
    if (isDamage(error)) return 'a header of the file cannot be read';
    throw error;
  }
}
