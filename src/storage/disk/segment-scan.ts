import { isDamage, type OpenFile } from './files.ts';
import { growingContentOffset } from './header-copies.ts';
import {
  claimsPlace,
  decodeRecordHeader,
  type RecordHeader,
  recordAlignmentBytes,
  recordHeaderBytes,
  recordSizeBytes,
} from './segment-record.ts';

/** A stretch of a segment. */
export type SegmentPart =
  | { readonly kind: 'record'; readonly header: RecordHeader }
  /** No header that can be read, although records follow: something in here is damaged. */
  | { readonly kind: 'gap'; readonly offsetBytes: number };

/** Read at once: many headers of tiny records. */
const windowBytes = 64 * 1024;

/** Behind a record that is larger another large one is likely: then a page is read, for its header. */
const smallRecordBytesMax = 8 * 1024;

/** Where the disk refuses to read, so much is given up at a time. */
const pageBytes = 4096;

interface Stretch {
  readonly segment: number;
  readonly fromBytes?: number;
  readonly endBytes: number;
}

/**
 * Walks the records of a segment, from the one at `fromBytes` on. After a header that is damaged it
 * goes on at the next intact one, so that one byte, or one sector that can't be read, does not hide
 * the records that follow. What no whole record follows is the torn tail of a crash, and not
 * mentioned, unless it may as well be a record of which the header was damaged later.
 */
export async function* scanSegment(
  file: OpenFile,
  { segment, fromBytes = growingContentOffset, endBytes }: Stretch,
): AsyncGenerator<SegmentPart> {
  const window = new ScanWindow(file, endBytes);
  let readBytes = windowBytes;
  let gap: { readonly offsetBytes: number; readonly mayBeRecord: boolean } | undefined;
  for (let at = fromBytes; at + recordHeaderBytes <= endBytes; ) {
    const bytes = await window.at(at, readBytes);
    readBytes = windowBytes;
    if (bytes === 'unreadable') {
      gap = { offsetBytes: gap?.offsetBytes ?? at, mayBeRecord: true };
      at = nextPage(at);
      continue;
    }
    if (bytes.length < recordHeaderBytes) break;
    if (isZeros(bytes)) {
      // Filled ahead of what would have been written next, or a hole: a window of it at a time.
      at += bytes.length - (bytes.length % recordAlignmentBytes);
      continue;
    }
    const header = decodeRecordHeader(bytes);
    // A record that says it lies elsewhere was copied here, or is the content of a blob.
    if (header === undefined || header.segment !== segment || header.offsetBytes !== at) {
      const place = { segment, offsetBytes: at };
      gap ??= { offsetBytes: at, mayBeRecord: claimsPlace(bytes, place) };
      at += recordAlignmentBytes;
      continue;
    }
    const recordBytes = recordSizeBytes(header);
    const next = at + recordBytes;
    if (next > endBytes) break;
    if (recordBytes > smallRecordBytesMax) readBytes = pageBytes;
    if (gap !== undefined) yield { kind: 'gap', offsetBytes: gap.offsetBytes };
    gap = undefined;
    yield { kind: 'record', header };
    at = next;
  }
  if (gap?.mayBeRecord === true) yield { kind: 'gap', offsetBytes: gap.offsetBytes };
}

/** What of a segment is in memory while it is scanned. */
class ScanWindow {
  readonly #file: OpenFile;
  readonly #endBytes: number;
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(file: OpenFile, endBytes: number) {
    this.#file = file;
    this.#endBytes = endBytes;
  }

  /**
   * The bytes from `offset` on: a header at least, unless the file or what is readable ends. Where they
   * are not there yet, `length` bytes are read.
   */
  async at(offset: number, length: number): Promise<Buffer | 'unreadable'> {
    const end = this.#start + this.#bytes.length;
    if (offset < this.#start || offset + recordHeaderBytes > end) {
      // A damaged sector in a blob shall not hide the header before it.
      const isRead = (await this.#read(offset, length)) || (await this.#read(offset, 0));
      if (!isRead) return 'unreadable';
    }
    return this.#bytes.subarray(offset - this.#start);
  }

  async #read(offset: number, length: number): Promise<boolean> {
    const bytes = Buffer.allocUnsafe(
      Math.min(Math.max(length, recordHeaderBytes), this.#endBytes - offset),
    );
    try {
      this.#bytes = bytes.subarray(0, await this.#file.read(bytes, offset));
      this.#start = offset;
      return true;
    } catch (error) {
      if (isDamage(error)) return false;
      throw error;
    }
  }
}

const zeros = Buffer.alloc(windowBytes);

function isZeros(bytes: Buffer): boolean {
  return (
    bytes[0] === 0 && bytes.length <= zeros.length && bytes.equals(zeros.subarray(0, bytes.length))
  );
}

function nextPage(offset: number): number {
  return offset - (offset % pageBytes) + pageBytes;
}

/** Where the torn tail of a segment begins; nothing when there is none. */
export async function findTornTail(file: OpenFile, segment: number): Promise<number | undefined> {
  const sizeBytes = await file.size();
  let endBytes = growingContentOffset;
  for await (const part of scanSegment(file, { segment, endBytes: sizeBytes })) {
    if (part.kind === 'record') endBytes = part.header.offsetBytes + recordSizeBytes(part.header);
    else if (part.offsetBytes >= endBytes) endBytes = sizeBytes;
  }
  return endBytes < sizeBytes ? endBytes : undefined;
}
