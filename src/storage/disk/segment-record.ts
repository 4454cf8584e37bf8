import type { KeyObject } from 'node:crypto';
import { assert } from '../../lib/assert.ts';
import { sha256 } from '../../lib/node/sha256.ts';
import { openSealed, type SealingKey, sealedKinds, tagBytes } from './data-key.ts';
import { formatVersion } from './file-header.ts';

/** What the header of a record says, in clear. FORMAT.md has every byte. */
export interface RecordHeader {
  readonly segment: number;
  readonly offsetBytes: number;
  readonly nonce: string;
  readonly writtenAtMs: number;
  readonly sizeBytes: number;
  readonly labelSizeBytes: number;
  /** The count under which what follows was sealed. */
  readonly count: number;
  readonly mark: 'live' | 'removed' | 'damaged';
}

/** What a record keeps sealed. */
export interface RecordContent {
  /** The SHA-256 of the blob; zeros when it is empty. */
  readonly leaf: Uint8Array;
  readonly label: Uint8Array;
  readonly bytes: Uint8Array;
}

/** A record that is to be written: its blob in chunks, as it came. */
export interface NewRecord {
  readonly header: Omit<RecordHeader, 'mark' | 'count' | 'labelSizeBytes'>;
  readonly leaf: Uint8Array;
  readonly label: Uint8Array;
  readonly chunks: readonly Uint8Array[];
}

export const recordHeaderBytes = 96;

/** Records begin at multiples of this, so that a mark never crosses a sector. */
export const recordAlignmentBytes = 64;

/** Where the mark lies in a header. It alone changes after the record was written. */
export const markOffsetBytes = 8;

/** The mark of a removed record. That of a live one is zeros. */
export const removedMark: Uint8Array = Buffer.from('REMOVED\n', 'latin1');

const leafBytes = 32;
const checksumBytes = 16;
const liveMark = new Uint8Array(removedMark.length);
const magic = Buffer.from(`FIRNREC${String.fromCharCode(formatVersion)}`, 'latin1');
const placeOffset = markOffsetBytes + removedMark.length;
const checksumOffset = recordHeaderBytes - checksumBytes;

interface RecordSizes {
  readonly sizeBytes: number;
  readonly labelSizeBytes: number;
}

/** From the beginning of a record to the end of what it keeps sealed. */
export function usedBytes({ sizeBytes, labelSizeBytes }: RecordSizes): number {
  return recordHeaderBytes + leafBytes + labelSizeBytes + sizeBytes + tagBytes;
}

/** The bytes that a record takes in a segment. */
export function recordSizeBytes(sizes: RecordSizes): number {
  return Math.ceil(usedBytes(sizes) / recordAlignmentBytes) * recordAlignmentBytes;
}

/** Writes a live record, sealed with `key`, to `into`, which is as long as the record. */
export function encodeRecord(
  { header, leaf, label, chunks }: NewRecord,
  key: SealingKey,
  into: Buffer,
): void {
  assert(header.nonce.length === 32 && leaf.length === leafBytes, 'nonce and leaf are whole');
  const sizes = { sizeBytes: header.sizeBytes, labelSizeBytes: label.length };
  const endBytes = usedBytes(sizes);
  const context = encodeHeader({ ...header, ...sizes, count: key.nextCount }, into);
  let at = recordHeaderBytes;
  for (const part of [leaf, label, ...chunks]) {
    into.set(part, at);
    at += part.length;
  }
  assert(at === endBytes - tagBytes, 'the chunks are as long as the blob');
  const place = { kind: sealedKinds.record, position: header.offsetBytes, context };
  // In one piece: each call of a cipher costs more than a copy of some kilobytes.
  key.seal(
    [into.subarray(recordHeaderBytes, at)],
    place,
    into.subarray(recordHeaderBytes, endBytes),
  );
  into.fill(0, endBytes);
}

/** What `from` begins with, or nothing when that is no intact header. */
export function decodeRecordHeader(from: Buffer): RecordHeader | undefined {
  if (from.length < recordHeaderBytes || !startsWith(from, magic)) return;
  const checksum = from.subarray(checksumOffset, recordHeaderBytes);
  if (!startsWith(checksumOf(from), checksum)) return;
  const mark = from.subarray(markOffsetBytes);
  return {
    ...claimedPlace(from),
    nonce: nonceOfRecord(from),
    writtenAtMs: Number(from.readBigUInt64BE(48)),
    sizeBytes: from.readUInt32BE(56),
    labelSizeBytes: from.readUInt32BE(60),
    count: Number(from.readBigUInt64BE(64)),
    mark: startsWith(mark, liveMark)
      ? 'live'
      : startsWith(mark, removedMark)
        ? 'removed'
        : 'damaged',
  };
}

/** What a whole record with this header keeps; nothing when it is damaged, or lies elsewhere. */
export function openRecord(
  record: Buffer,
  header: RecordHeader,
  key: KeyObject,
): RecordContent | undefined {
  const plain = openSealed(key, {
    sealed: record.subarray(recordHeaderBytes, usedBytes(header)),
    count: header.count,
    place: placeOf(header, record),
  });
  if (plain === undefined) return undefined;
  const bytesOffset = leafBytes + header.labelSizeBytes;
  return {
    leaf: plain.subarray(0, leafBytes),
    label: plain.subarray(leafBytes, bytesOffset),
    bytes: plain.subarray(bytesOffset),
  };
}

/** The nonce in a header, intact or not. */
export function nonceOfRecord(header: Buffer): string {
  return header.toString('hex', 32, 48);
}

/** Whether a part of a header, damaged as it may be, says that a record began at this place. */
export function claimsPlace(
  header: Buffer,
  place: { segment: number; offsetBytes: number },
): boolean {
  const claimed = claimedPlace(header);
  const isHere = claimed.segment === place.segment || claimed.offsetBytes === place.offsetBytes;
  return isHere || startsWith(header, magic);
}

/** Why `header` is not one that this program understands. */
export function damageOf(header: Buffer): string {
  const version = header[magic.length - 1];
  const isOurs = startsWith(header, magic.subarray(0, -1));
  if (isOurs && version !== formatVersion) {
    return `its record says format version ${version}, and this program reads version ${formatVersion}`;
  }
  return 'the header of its record fails its checksum';
}

/** Answers what of it is bound to what is sealed. */
function encodeHeader(header: Omit<RecordHeader, 'mark'>, into: Buffer): Buffer {
  into.set(magic, 0);
  into.set(liveMark, markOffsetBytes);
  writeNumber(into, header.segment, placeOffset);
  writeNumber(into, header.offsetBytes, 24);
  into.write(header.nonce, 32, 'hex');
  writeNumber(into, header.writtenAtMs, 48);
  into.writeUInt32BE(header.sizeBytes, 56);
  into.writeUInt32BE(header.labelSizeBytes, 60);
  writeNumber(into, header.count, 64);
  into.fill(0, 72, checksumOffset);
  const lasting = lastingBytes(into);
  into.set(sha256(lasting).subarray(0, checksumBytes), checksumOffset);
  return lasting;
}

/** In 8 bytes. Faster than as a BigInt, of which each would be an object. */
function writeNumber(into: Buffer, value: number, offset: number): void {
  into.writeUInt32BE(Math.floor(value / 2 ** 32), offset);
  into.writeUInt32BE(value % 2 ** 32, offset + 4);
}

function claimedPlace(header: Buffer): { segment: number; offsetBytes: number } {
  return {
    segment: Number(header.readBigUInt64BE(placeOffset)),
    offsetBytes: Number(header.readBigUInt64BE(24)),
  };
}

/** All that the header says is bound to what is sealed: nobody can change the one alone. */
function placeOf({ offsetBytes }: { offsetBytes: number }, header: Buffer) {
  return { kind: sealedKinds.record, position: offsetBytes, context: lastingBytes(header) };
}

function checksumOf(header: Buffer): Uint8Array {
  return sha256(lastingBytes(header));
}

/** The header but for its mark, which changes, and its checksum. */
function lastingBytes(header: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(magic.length + checksumOffset - placeOffset);
  header.copy(bytes, 0, 0, magic.length);
  header.copy(bytes, magic.length, placeOffset, checksumOffset);
  return bytes;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, prefix.length), prefix) === 0;
}
