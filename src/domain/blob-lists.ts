import { assert } from '../lib/assert.ts';
import { type BlobRange, type BlobStore, frameSizeBytes } from '../storage/blob-store.ts';
import type { BlobPart } from '../storage/rows.ts';

/** A blob of a list, and what of it a range of the whole list covers. */
interface Piece<P extends BlobPart> {
  readonly part: P;
  readonly range: BlobRange;
}

/** The bytes of `range` of a list of blobs, read as one: verified before they are handed on. */
export async function* readBlobs(
  blobs: Pick<BlobStore, 'read'>,
  parts: readonly BlobPart[],
  range: BlobRange,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (const piece of piecesOf(parts, range)) {
    yield* blobs.read(piece.part.blobId, piece.range, signal);
  }
}

/**
 * The leaf hashes that lie in `range` of a list of blobs; the range begins at a leaf and ends at
 * one or at the end. Every blob but the last is a whole number of leaves long, so that the leaves
 * of the blobs, one after the other, are the leaves of the whole.
 */
export async function leavesOfBlobs(
  blobs: Pick<BlobStore, 'describe'>,
  parts: readonly BlobPart[],
  range: BlobRange,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (const { part, range: covered } of piecesOf(parts, range)) {
    const { leaves } = await blobs.describe(part.blobId);
    const first = covered.offsetBytes / frameSizeBytes;
    const end = Math.ceil((covered.offsetBytes + covered.lengthBytes) / frameSizeBytes);
    assert(Number.isInteger(first), 'a range of leaves begins at a leaf');
    pieces.push(leaves.subarray(first * 32, end * 32));
  }
  return Buffer.concat(pieces);
}

/** The blobs of a list that have bytes in `range` of it. */
export function blobsIn<P extends BlobPart>(parts: readonly P[], range: BlobRange): P[] {
  return Array.from(piecesOf(parts, range), ({ part }) => part);
}

/** The blobs that make up `range` of a list of blobs; undefined when it takes only some of one. */
export function wholeBlobs<P extends BlobPart>(
  parts: readonly P[],
  range: BlobRange,
): P[] | undefined {
  const whole: P[] = [];
  for (const { part, range: covered } of piecesOf(parts, range)) {
    if (covered.lengthBytes !== part.sizeBytes) return undefined;
    whole.push(part);
  }
  return whole;
}

/** Blobs without a byte, such as that of the label of an archive of parts, are passed over. */
function* piecesOf<P extends BlobPart>(parts: readonly P[], range: BlobRange): Generator<Piece<P>> {
  const end = range.offsetBytes + range.lengthBytes;
  let partStart = 0;
  for (const part of parts) {
    if (partStart >= end) return;
    const partEnd = partStart + part.sizeBytes;
    const from = Math.max(partStart, range.offsetBytes);
    const to = Math.min(partEnd, end);
    if (from < to) {
      yield { part, range: { offsetBytes: from - partStart, lengthBytes: to - from } };
    }
    partStart = partEnd;
  }
  assert(end <= partStart, 'a range lies in the blobs that it is read from');
}
