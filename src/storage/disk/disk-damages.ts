import { dirname, join } from 'node:path';
import type { BlobDamage, SampleBlob } from '../blob-specimen.ts';
import { frameSizeBytes } from '../blob-store.ts';
import { fileHeaderBytes } from './file-header.ts';
import type { Files } from './files.ts';
import {
  descriptionOffset,
  descriptionSizeBytes,
  frameCountOf,
  frameOffset,
} from './large-layout.ts';
import { recordHeaderBytes, recordSizeBytes, usedBytes } from './segment-record.ts';

interface DamagedFile {
  readonly files: Files;
  readonly path: string;
}

/** The leaf lies before the label of a small blob. */
const leafBytes = 32;

/** One damage to each class of byte in a record of a segment. */
export function damagesOfSmall(
  { offsetBytes, ...file }: DamagedFile & { readonly offsetBytes: number },
  { sizeBytes, labelSizeBytes }: SampleBlob,
): BlobDamage[] {
  const sizes = { sizeBytes, labelSizeBytes };
  const labelOffset = recordHeaderBytes + leafBytes;
  const end = usedBytes(sizes);
  const bytes = {
    magic: 0,
    version: 7,
    mark: 8,
    'segment number': 23,
    'record offset': 31,
    nonce: 40,
    'time of writing': 55,
    size: 59,
    'size, high': 56,
    'size of the label': 63,
    'count of the sealing': 71,
    reserved: 75,
    checksum: recordHeaderBytes - 1,
    leaf: recordHeaderBytes,
    ...dataBytes(labelOffset + labelSizeBytes, sizeBytes),
    tag: end - 1,
  };
  const label = labelSizeBytes === 0 ? {} : { 'byte of the label': labelOffset };
  const padding = end < recordSizeBytes(sizes) ? { padding: end } : {};
  return [
    ...flips(file, offsetBytes, bytes),
    ...flips(file, offsetBytes, label).map((damage) => ({ ...damage, strikes: 'label' as const })),
    ...flips(file, offsetBytes, padding).map(harmless),
    ...flips(file, 0, { 'first header of the segment': 70 }).map(harmless),
  ];
}

/** One damage to each class of byte in the file of a large blob. */
export function damagesOfLarge(
  file: DamagedFile,
  { sizeBytes, labelSizeBytes }: SampleBlob,
): BlobDamage[] {
  const sizes = { contentBytes: sizeBytes, labelBytes: labelSizeBytes };
  const description = descriptionOffset(sizeBytes);
  const secondHeader = description + descriptionSizeBytes(sizes);
  const leaves = frameCountOf(sizeBytes) * leafBytes;
  const frames = {
    ...frameBytes(sizeBytes),
    'tag of the first frame': frameOffset(0) + Math.min(frameSizeBytes, sizeBytes),
  };
  const described = {
    'first leaf': description,
    'last leaf': description + leaves - 1,
    'byte of the label': description + leaves,
    'tag of the description': secondHeader - 1,
  };
  return [
    ...flips(file, 0, headerBytes).map(harmless),
    ...flips(file, secondHeader, { 'magic of the second header': 0 }).map(harmless),
    bothHeaders(file, secondHeader),
    ...flips(file, 0, frames),
    ...flips(file, 0, described).map((damage) => ({ ...damage, strikes: 'label' as const })),
    truncation(file, secondHeader, { isHarmless: true }),
    truncation(file, description, { strikes: 'label' }),
    truncation(file, description - 1),
    truncation(file, frameOffset(0) + 100),
    truncation(file, 100),
    truncation(file, 0),
    absence(file),
  ];
}

/** One byte of each class in the header of a file. */
const headerBytes = {
  magic: 0,
  'version of the format': 7,
  kind: 8,
  'id of the store': 16,
  'id of the file': 32,
  'time of writing': 63,
  'id of the master key': 64,
  'nonce of the data key': 75,
  'wrapped data key': 90,
  'size of the content': 167,
  'size of the description': 175,
  reserved: 1000,
  checksum: fileHeaderBytes - 1,
};

function harmless(damage: BlobDamage): BlobDamage {
  return { ...damage, isHarmless: true };
}

function dataBytes(start: number, sizeBytes: number): Record<string, number> {
  if (sizeBytes === 0) return {};
  const offsets = [0, sizeBytes >> 1, sizeBytes - 1];
  return Object.fromEntries(offsets.map((offset) => [`byte ${offset}`, start + offset]));
}

function frameBytes(sizeBytes: number): Record<string, number> {
  const offsets = [0, sizeBytes >> 1, sizeBytes - 1];
  const placeOf = (offset: number) =>
    frameOffset(Math.floor(offset / frameSizeBytes)) + (offset % frameSizeBytes);
  return Object.fromEntries(offsets.map((offset) => [`byte ${offset}`, placeOf(offset)]));
}

function flips(
  file: DamagedFile,
  start: number,
  bytes: Readonly<Record<string, number>>,
): BlobDamage[] {
  return Object.entries(bytes).map(([what, offset]) => ({
    what,
    apply: () => flip(file, start + offset),
  }));
}

function bothHeaders(file: DamagedFile, secondHeader: number): BlobDamage {
  return {
    what: 'a byte of both headers',
    apply: async () => {
      const repairs = [await flip(file, 100), await flip(file, secondHeader + 100)];
      return async () => {
        for (const repair of repairs) await repair();
      };
    },
  };
}

/** Changes a byte. What is answered puts it back, whoever has written there meanwhile. */
async function flip({ files, path }: DamagedFile, offset: number): Promise<() => Promise<void>> {
  const put = async (byte: number) => {
    const file = await files.open(path, 'read and write');
    await file.write(Uint8Array.of(byte), offset);
    await file.close();
  };
  const file = await files.open(path, 'read');
  const bytes = new Uint8Array(1);
  await file.read(bytes, offset);
  await file.close();
  const [byte = 0] = bytes;
  await put(byte ^ 1);
  return () => put(byte);
}

function truncation(
  { files, path }: DamagedFile,
  size: number,
  effect: Pick<BlobDamage, 'isHarmless' | 'strikes'> = {},
): BlobDamage {
  return {
    ...effect,
    what: `the file ends after ${size} bytes`,
    apply: async () => {
      const file = await files.open(path, 'read and write');
      const lost = new Uint8Array((await file.size()) - size);
      await file.read(lost, size);
      await file.truncate(size);
      return async () => {
        await file.write(lost, size);
        await file.close();
      };
    },
  };
}

function absence({ files, path }: DamagedFile): BlobDamage {
  return {
    what: 'the file is missing',
    apply: async () => {
      const elsewhere = join(dirname(path), 'elsewhere');
      await files.rename(path, elsewhere);
      return () => files.rename(elsewhere, path);
    },
  };
}
