import { assert } from '../../lib/assert.ts';
import { sha256 } from '../../lib/node/sha256.ts';
import type { JournalBatch } from '../journal.ts';
import { openSealed, type SealedPlace, type SealingKey, tagBytes } from './data-key.ts';

/** Entries begin at multiples of this: after damage, that is where the next can be looked for. */
export const entryAlignmentBytes = 64;
export const entryHeaderBytes = 64;
export const entryPayloadBytesMax = 64 * 1024 * 1024;

/** What each entry begins with: a name and the version of the format. */
export const entryMagic = Buffer.from('FIRNJNL\x02', 'latin1');
const checksumOffset = 48;
/** No other kind of file has a sealed thing of this number. */
const journalEntryKind = 16;

/** What stands before a sealed batch, in clear. FORMAT.md has every byte. */
export interface EntryHeader {
  readonly sequence: number;
  /** Of the batch, before it was sealed. */
  readonly payloadBytes: number;
  /** The count of the file's key that it is sealed with. */
  readonly count: number;
  /** Where it belongs: an entry that was copied elsewhere is none. */
  readonly place: EntryPlace;
}

export interface EntryPlace {
  readonly fileNumber: number;
  readonly offsetBytes: number;
}

/** All bytes of an entry, as it is written at `place` in the file whose key is `key`. */
export function sealEntry(key: SealingKey, batch: JournalBatch, place: EntryPlace): Buffer {
  const { sequence, payload } = batch;
  assert(payload.length <= entryPayloadBytesMax, 'a batch is within its limit');
  assert(place.offsetBytes % entryAlignmentBytes === 0, 'an entry begins where one may begin');
  const entry = Buffer.alloc(entrySizeBytes(payload.length));
  const header = encodeHeader({
    sequence,
    payloadBytes: payload.length,
    count: key.nextCount,
    place,
  });
  entry.set(header);
  key.seal([payload], sealedPlace(place, header), entry.subarray(entryHeaderBytes));
  return entry;
}

/** The header that `bytes` begin with; nothing when they are not an intact one of `place`. */
export function decodeEntryHeader(bytes: Buffer, place: EntryPlace): EntryHeader | undefined {
  if (bytes.length < entryHeaderBytes || bytes.compare(entryMagic, 0, 8, 0, 8) !== 0)
    return undefined;
  const checksum = bytes.subarray(checksumOffset, entryHeaderBytes);
  if (Buffer.compare(checksumOf(bytes), checksum) !== 0) return undefined;
  const number = (index: number) => Number(bytes.readBigUInt64BE(entryMagic.length + 8 * index));
  const header = { sequence: number(0), payloadBytes: number(1), count: number(2), place };
  const isInPlace = number(3) === place.fileNumber && number(4) === place.offsetBytes;
  return isInPlace && header.payloadBytes <= entryPayloadBytesMax ? header : undefined;
}

/** The batch of an entry; nothing when a byte of it is damaged, or of its header. */
export function openEntry(
  key: Uint8Array,
  header: EntryHeader,
  sealed: Uint8Array,
): JournalBatch | undefined {
  const { sequence, payloadBytes, count, place } = header;
  if (sealed.length !== entrySizeBytes(payloadBytes) - entryHeaderBytes) return undefined;
  const payload = openSealed(key, {
    sealed,
    count,
    place: sealedPlace(place, encodeHeader(header)),
  });
  return payload === undefined ? undefined : { sequence, payload };
}

/** The bytes of an entry. What lies between its end and the next one is zeros. */
export function entrySizeBytes(payloadBytes: number): number {
  return entryHeaderBytes + payloadBytes + tagBytes;
}

/** Where the entry behind one that ends at `offsetBytes` begins. */
export function nextEntryOffset(offsetBytes: number): number {
  return Math.ceil(offsetBytes / entryAlignmentBytes) * entryAlignmentBytes;
}

/** The header is bound to the batch: its checksum guards it against accidents alone. */
function sealedPlace({ offsetBytes }: EntryPlace, header: Buffer): SealedPlace {
  return { kind: journalEntryKind, position: offsetBytes, context: header };
}

function encodeHeader({ sequence, payloadBytes, count, place }: EntryHeader): Buffer {
  const header = Buffer.alloc(entryHeaderBytes);
  entryMagic.copy(header);
  const numbers = [sequence, payloadBytes, count, place.fileNumber, place.offsetBytes];
  for (const [index, number] of numbers.entries()) {
    header.writeBigUInt64BE(BigInt(number), entryMagic.length + 8 * index);
  }
  header.set(checksumOf(header), checksumOffset);
  return header;
}

function checksumOf(entry: Buffer): Buffer {
  const bytes = sha256(entry.subarray(0, checksumOffset));
  return Buffer.from(bytes).subarray(0, entryHeaderBytes - checksumOffset);
}
