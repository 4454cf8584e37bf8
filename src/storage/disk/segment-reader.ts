import { assert } from '../../lib/assert.ts';
import { sha256 } from '../../lib/node/sha256.ts';
import { formatBlobId, type SmallBlobName } from './disk-blob-id.ts';
import { blobCorrupt, blobNotFound, type Files, type Layout, readFailure } from './files.ts';
import {
  damageOf,
  decodeRecordHeader,
  nonceOf,
  type RecordHeader,
  recordHeaderBytes,
} from './segment-record.ts';

interface Dependencies {
  readonly files: Files;
  readonly layout: Layout;
}

/** The verified bytes of a small blob. */
export async function readSmallBlob(
  name: SmallBlobName,
  dependencies: Dependencies,
): Promise<Uint8Array> {
  // One read: the id says how much there is, and the header whether the id is right.
  const record = await readRecord(name, recordHeaderBytes + name.sizeBytes, dependencies);
  const { leaf } = headerOf(record, name);
  const bytes = record.subarray(recordHeaderBytes);
  const id = formatBlobId(name);
  if (bytes.length < name.sizeBytes) throw blobCorrupt(id, 'its segment ends within it');
  if (bytes.length > 0 && Buffer.compare(sha256(bytes), leaf) !== 0) {
    throw blobCorrupt(id, 'its bytes fail their verification');
  }
  return bytes;
}

export async function readSmallLeaves(
  name: SmallBlobName,
  dependencies: Dependencies,
): Promise<Uint8Array> {
  const { leaf } = headerOf(await readRecord(name, recordHeaderBytes, dependencies), name);
  return name.sizeBytes === 0 ? new Uint8Array(0) : leaf;
}

/** Whether `header` is that of the blob. When it is damaged, its nonce decides. */
export function isHeaderOf(header: Buffer, name: SmallBlobName): boolean {
  if (header.length < recordHeaderBytes || nonceOf(header) !== name.nonce) return false;
  const intact = decodeRecordHeader(header);
  if (intact === undefined) return true;
  // Elsewhere it is a copy: the content of another blob, perhaps.
  const isInPlace = intact.segment === name.segment && intact.offsetBytes === name.offsetBytes;
  return isInPlace && intact.sizeBytes === name.sizeBytes;
}

async function readRecord(
  name: SmallBlobName,
  sizeBytes: number,
  { files, layout }: Dependencies,
): Promise<Buffer> {
  try {
    const file = await files.open(layout.segment(name.segment), 'read');
    try {
      const record = Buffer.allocUnsafeSlow(sizeBytes);
      return record.subarray(0, await file.read(record, name.offsetBytes));
    } finally {
      await file.close();
    }
  } catch (error) {
    throw readFailure(error, formatBlobId(name));
  }
}

function headerOf(record: Buffer, name: SmallBlobName): RecordHeader {
  const id = formatBlobId(name);
  const bytes = record.subarray(0, recordHeaderBytes);
  // Another blob lies here, or none: the id is made up, or its segment's number was used again.
  if (!isHeaderOf(bytes, name)) throw blobNotFound(id);
  const header = decodeRecordHeader(bytes);
  if (header === undefined) throw blobCorrupt(id, damageOf(bytes));
  if (header.mark === 'removed') throw blobNotFound(id);
  if (header.mark === 'damaged') throw blobCorrupt(id, 'its mark is neither live nor removed');
  assert(header.sizeBytes === name.sizeBytes, 'a header that was taken for the blob is its own');
  return header;
}
