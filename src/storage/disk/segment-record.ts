import { assert } from '../../lib/assert.ts';
import { sha256 } from '../../lib/node/sha256.ts';

/** What the header of a record says. FORMAT.md has every byte. */
export interface RecordHeader {
  readonly segment: number;
  readonly offsetBytes: number;
  readonly nonce: string;
  readonly writtenAtMs: number;
  readonly sizeBytes: number;
  /** The SHA-256 of the blob; zeros when it is empty. */
  readonly leaf: Uint8Array;
  readonly mark: 'live' | 'removed' | 'damaged';
}

export const recordHeaderBytes = 128;

/** Records begin at multiples of this, so that a mark never crosses a sector. */
export const recordAlignmentBytes = 64;

/** Where the mark lies in a header. It alone changes after the record was written. */
export const markOffsetBytes = 8;

/** The mark of a removed record. That of a live one is zeros. */
export const removedMark: Uint8Array = Buffer.from('REMOVED\n', 'latin1');

const liveMark = new Uint8Array(removedMark.length);
const magic = Buffer.from('FIRNREC\x01', 'latin1');
const checksumOffset = 96;

/** The bytes that a blob of `sizeBytes` takes in a segment. */
export function recordSizeBytes(sizeBytes: number): number {
  const size = recordHeaderBytes + sizeBytes;
  return Math.ceil(size / recordAlignmentBytes) * recordAlignmentBytes;
}

/** Writes the header of a live record to the beginning of `into`. */
export function encodeRecordHeader(header: Omit<RecordHeader, 'mark'>, into: Buffer): void {
  assert(header.nonce.length === 32 && header.leaf.length === 32, 'nonce and leaf are whole');
  into.set(magic, 0);
  into.set(liveMark, markOffsetBytes);
  into.writeBigUInt64BE(BigInt(header.segment), 16);
  into.writeBigUInt64BE(BigInt(header.offsetBytes), 24);
  into.write(header.nonce, 32, 'hex');
  into.writeBigUInt64BE(BigInt(header.writtenAtMs), 48);
  into.writeBigUInt64BE(BigInt(header.sizeBytes), 56);
  into.set(header.leaf, 64);
  into.set(checksumOf(into), checksumOffset);
}

/** What `from` begins with, or nothing when that is no intact header. */
export function decodeRecordHeader(from: Buffer): RecordHeader | undefined {
  if (from.length < recordHeaderBytes || !startsWith(from, magic)) return;
  if (!startsWith(from.subarray(checksumOffset), checksumOf(from))) return;
  const mark = from.subarray(markOffsetBytes);
  return {
    segment: Number(from.readBigUInt64BE(16)),
    offsetBytes: Number(from.readBigUInt64BE(24)),
    nonce: nonceOf(from),
    writtenAtMs: Number(from.readBigUInt64BE(48)),
    sizeBytes: Number(from.readBigUInt64BE(56)),
    leaf: Uint8Array.from(from.subarray(64, 96)),
    mark: startsWith(mark, liveMark)
      ? 'live'
      : startsWith(mark, removedMark)
        ? 'removed'
        : 'damaged',
  };
}

/** The nonce in a header, intact or not. */
export function nonceOf(header: Buffer): string {
  return header.toString('hex', 32, 48);
}

/** Why `header` is not one that this program understands. */
export function damageOf(header: Buffer): string {
  const version = header[magic.length - 1];
  const isOurs = startsWith(header, magic.subarray(0, -1));
  if (isOurs && version !== magic.at(-1)) {
    return `its record says format version ${version}, and this program reads version 1`;
  }
  return 'the header of its record fails its checksum';
}

/** Covers the header but for the mark, which changes, and itself. */
function checksumOf(header: Buffer): Uint8Array {
  const covered = Buffer.allocUnsafe(magic.length + checksumOffset - 16);
  covered.set(header.subarray(0, magic.length), 0);
  covered.set(header.subarray(16, checksumOffset), magic.length);
  return sha256(covered);
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, prefix.length), prefix) === 0;
}
