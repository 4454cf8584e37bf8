import { assert } from '../lib/assert.ts';
import { type BlobRange, type BlobStore, frameSizeBytes } from '../storage/blob-store.ts';
import type { BlobPart } from '../storage/rows.ts';

/** A blob of a list, and what of it a range of the whole list covers. */
interface Piece {
  readonly part: BlobPart;
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

function* piecesOf(parts: readonly BlobPart[], range: BlobRange): Generator<Piece> {
  const end = range.offsetBytes + range.lengthBytes;
  let partStart = 0;
  for (const part of parts) {
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
