import { assert } from '../../lib/assert.ts';
import { type BlobDescription, labelBytesMax } from '../blob-store.ts';
import { formatBlobId, type SmallBlobName } from './disk-blob-id.ts';
import {
  blobCorrupt,
  blobNotFound,
  type Files,
  type Layout,
  type OpenFile,
  readFailure,
} from './files.ts';
import type { SegmentKeys } from './segment-keys.ts';
import {
  damageOf,
  decodeRecordHeader,
  nonceOfRecord,
  openRecord,
  type RecordContent,
  type RecordHeader,
  recordHeaderBytes,
  recordSizeBytes,
  usedBytes,
} from './segment-record.ts';

interface Dependencies {
  readonly files: Files;
  readonly layout: Layout;
  readonly segmentKeys: SegmentKeys;
}

/** A record that was found intact. */
export interface SmallBlobRecord extends RecordContent {
  readonly header: RecordHeader;
}

/** Read along with a blob, whose id does not tell how long its label is: few are longer. */
const labelBytesExpected = 2048;

/** What is kept of a small blob, verified. */
export async function readSmallBlob(
  name: SmallBlobName,
  { files, layout, segmentKeys }: Dependencies,
): Promise<SmallBlobRecord> {
  const id = formatBlobId(name);
  try {
    const file = await files.open(layout.segment(name.segment), 'read');
    try {
      const found = await readRecord(file, name);
      const key = await segmentKeys.of(name.segment, file);
      // Another blob lies here, or none: the id is made up, or its segment's number was used again.
      if (!isOf(name, found)) throw notHere(id, key);
      const header = soundHeader(found, name);
      const { record } = found;
      if (record.length < usedBytes(header)) throw blobCorrupt(id, 'its segment ends within it');
      if (typeof key === 'string') throw blobCorrupt(id, key);
      const content = openRecord(record, header, key);
      if (content === undefined) throw blobCorrupt(id, 'its bytes fail their verification');
      return { header, ...content };
    } finally {
      await file.close();
    }
  } catch (error) {
    throw readFailure(error, id);
  }
}

export function describeRecord({ header, leaf, label }: SmallBlobRecord): BlobDescription {
  const { sizeBytes, writtenAtMs } = header;
  const leaves = sizeBytes === 0 ? new Uint8Array(0) : leaf;
  return { sizeBytes, leaves, label: Buffer.from(label).toString(), writtenAtMs };
}

/** Whether `header` is that of the blob. When it is damaged, its nonce decides. */
export function isHeaderOf(header: Buffer, name: SmallBlobName): boolean {
  return isOf(name, { record: header, header: decodeRecordHeader(header) });
}

/** What lies where a record should be. */
interface Found {
  /** As much as was read: at least all of the record, if it is there. */
  readonly record: Buffer;
  /** Its header, if that is intact. */
  readonly header: RecordHeader | undefined;
}

function isOf(name: SmallBlobName, { record, header }: Found): boolean {
  if (record.length < recordHeaderBytes || nonceOfRecord(record) !== name.nonce) return false;
  if (header === undefined) return true;
  // Elsewhere it is a copy: the content of another blob, perhaps.
  const isInPlace = header.segment === name.segment && header.offsetBytes === name.offsetBytes;
  return isInPlace && header.sizeBytes === name.sizeBytes;
}

async function readRecord(file: OpenFile, name: SmallBlobName): Promise<Found> {
  const { sizeBytes } = name;
  // One read as a rule: the id says how much there is, and the header whether the id is right.
  const expected = recordSizeBytes({ sizeBytes, labelSizeBytes: labelBytesExpected });
  const bytes = Buffer.allocUnsafeSlow(expected);
  const record = bytes.subarray(0, await file.read(bytes, name.offsetBytes));
  const header = decodeRecordHeader(record);
  if (header === undefined || !isOf(name, { record, header })) return { record, header };
  if (usedBytes(header) <= expected || header.labelSizeBytes > labelBytesMax) {
    return { record, header };
  }
  const longer = Buffer.allocUnsafeSlow(usedBytes(header));
  return { record: longer.subarray(0, await file.read(longer, name.offsetBytes)), header };
}

function soundHeader({ record, header }: Found, name: SmallBlobName): RecordHeader {
  const id = formatBlobId(name);
  if (header === undefined) throw blobCorrupt(id, damageOf(record));
  if (header.mark === 'removed') throw blobNotFound(id);
  if (header.mark === 'damaged') throw blobCorrupt(id, 'its mark is neither live nor removed');
  assert(header.sizeBytes === name.sizeBytes, 'a header that was taken for the blob is its own');
  return header;
}

/** Where the segment itself is not what it should be, nobody knows what was here. */
function notHere(id: string, key: unknown): Error {
  return typeof key === 'string' ? blobCorrupt(id, key) : blobNotFound(id);
}
