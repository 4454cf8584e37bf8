import type { OpenFile } from './files.ts';
import {
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

/** Read at once: so many headers of tiny records, without reading much of large ones in vain. */
const windowBytes = 64 * 1024;

/**
 * Walks the records of a segment, from the one at `fromBytes` on. After a header that is damaged it
 * goes on at the next intact one, so that one byte does not hide the records that follow. What no
 * whole record follows is the torn tail of a crash, and not mentioned.
 */
export async function* scanSegment(
  file: OpenFile,
  { segment, fromBytes, endBytes }: { segment: number; fromBytes: number; endBytes: number },
): AsyncGenerator<SegmentPart> {
  let window: Buffer = Buffer.alloc(0);
  let windowStart = 0;
  let gapStart: number | undefined;
  for (let at = fromBytes; at + recordHeaderBytes <= endBytes; ) {
    if (at < windowStart || at + recordHeaderBytes > windowStart + window.length) {
      window = Buffer.allocUnsafe(Math.min(windowBytes, endBytes - at));
      windowStart = at;
      window = window.subarray(0, await file.read(window, at));
      if (window.length < recordHeaderBytes) return;
    }
    const header = decodeRecordHeader(window.subarray(at - windowStart));
    // A record that says it lies elsewhere was copied here, or is the content of a blob.
    if (header === undefined || header.segment !== segment || header.offsetBytes !== at) {
      gapStart ??= at;
      at += recordAlignmentBytes;
      continue;
    }
    const next = at + recordSizeBytes(header.sizeBytes);
    if (next > endBytes) return;
    if (gapStart !== undefined) yield { kind: 'gap', offsetBytes: gapStart };
    gapStart = undefined;
    yield { kind: 'record', header };
    at = next;
  }
}
