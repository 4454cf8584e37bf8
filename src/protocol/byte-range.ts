import { leafSizeBytes } from './tree-hash.ts';

/** Bytes of an archive or of an output, counted from 0. Both ends are within the range. */
export interface ByteRange {
  readonly firstByte: number;
  readonly lastByte: number;
}

/**
 * What a `Range` header of GetJobOutput asks for, of an output of `sizeBytes`: all of it, a range
 * that ends within it, or a range that starts `past-end`, which is refused.
 *
 * An end past the output is cut off, because clients ask for full last chunks. A header that the
 * live service does not understand (another syntax, several ranges, an end before the start) has no
 * effect there: the whole output is sent.
 */
export function parseRangeHeader(
  value: string | undefined,
  sizeBytes: number,
): 'whole' | 'past-end' | ByteRange {
  const [, first = '', last = ''] = /^bytes=[ \t]*([0-9]*)-([0-9]*)$/i.exec(value ?? '') ?? [];
  if (first === '' && last === '') return 'whole';
  if (first === '') return lastBytes(Number(last), sizeBytes);

  // Numbers past 2^53 lose their last digits here. They are past every output all the same.
  const firstByte = Number(first);
  if (last !== '' && BigInt(last) < BigInt(first)) return 'whole';
  if (firstByte >= sizeBytes) return 'past-end';
  return {
    firstByte,
    lastByte: last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1),
  };
}

/** RFC 9110, section 14.1.2: `-n` asks for the last n bytes, or for all when there are fewer. */
function lastBytes(count: number, sizeBytes: number): 'whole' | 'past-end' | ByteRange {
  if (count === 0) return 'past-end';
  if (sizeBytes === 0) return 'whole';
  return { firstByte: Math.max(sizeBytes - count, 0), lastByte: sizeBytes - 1 };
}

/**
 * Reads the member `RetrievalByteRange` of InitiateJob: `StartByteValue-EndByteValue`, both within
 * the range. Nothing when the text is not of that form, ends before it starts, or counts further
 * than a number can.
 */
export function parseRetrievalByteRange(text: string): ByteRange | undefined {
  const [, first, last] = /^([0-9]+)-([0-9]+)$/.exec(text) ?? [];
  const range = { firstByte: Number(first), lastByte: Number(last) };
  if (!Number.isSafeInteger(range.firstByte) || !Number.isSafeInteger(range.lastByte)) {
    return undefined;
  }
  return range.firstByte <= range.lastByte ? range : undefined;
}

/**
 * Reads the header `Content-Range` of UploadMultipartPart. Developer guide, "Upload Part":
 * `bytes <first>-<last>/*`; a total in the place of the star has no effect. Nothing when the text is
 * not of that form, ends before it starts, or counts further than a number can.
 */
export function parseContentRange(text: string): ByteRange | undefined {
  const [, range = ''] = /^bytes +([0-9]+-[0-9]+)\/(?:\*|[0-9]+)$/i.exec(text) ?? [];
  return parseRetrievalByteRange(range);
}

/**
 * API reference, "JobParameters": a range must start on a multiple of 1,048,576 bytes, and end just
 * before one or at the end of the archive. A range that leaves the `sizeBytes` is not aligned.
 */
export function isMegabyteAligned({ firstByte, lastByte }: ByteRange, sizeBytes: number): boolean {
  if (firstByte < 0 || firstByte > lastByte || lastByte >= sizeBytes) return false;
  if (firstByte % leafSizeBytes !== 0) return false;
  return (lastByte + 1) % leafSizeBytes === 0 || lastByte === sizeBytes - 1;
}

/**
 * Whether a range covers exactly the leaves below one node of the tree of an archive, or of a
 * retrieved range that is itself aligned, of `sizeBytes`. Only then is there a hash to compare.
 *
 * Developer guide, "Receiving Checksums When Downloading Data": its formula is misprinted; the rule
 * is that [P, Q) is a node of the tree when Q = min(P + 2^i, number of leaves) for an i with
 * P mod 2^i = 0.
 */
export function isTreeHashAligned(range: ByteRange, sizeBytes: number): boolean {
  if (!isMegabyteAligned(range, sizeBytes)) return false;
  const leafCount = Math.ceil(sizeBytes / leafSizeBytes);
  const firstLeaf = range.firstByte / leafSizeBytes;
  const endLeaf = Math.ceil((range.lastByte + 1) / leafSizeBytes);

  let width = 1;
  while (firstLeaf + width < endLeaf) width *= 2;
  const reachesEnd = Math.min(firstLeaf + width, leafCount) === endLeaf;
  return reachesEnd && firstLeaf % width === 0;
}
