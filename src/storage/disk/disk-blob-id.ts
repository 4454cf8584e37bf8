import { type BlobId, frameSizeBytes } from '../blob-store.ts';
import type { BlobIdRange } from '../compaction.ts';
import { recordAlignmentBytes } from './segment-record.ts';

/** A blob that lies in a segment, with others. */
export interface SmallBlobName {
  readonly kind: 'small';
  readonly segment: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** 128 random bits, as hexadecimal digits: without them an id finds nothing. */
  readonly nonce: string;
}

/** A blob that has a file of its own. */
export interface LargeBlobName {
  readonly kind: 'large';
  readonly writtenAtMs: number;
  readonly sizeBytes: number;
  readonly nonce: string;
}

const number = '(0|[1-9][0-9]{0,14})';
const smallPattern = new RegExp(`^s\\.${number}\\.${number}\\.${number}\\.([0-9a-f]{32})$`);
const largePattern = new RegExp(`^l\\.${number}\\.${number}\\.([0-9a-f]{32})$`);

export function formatBlobId(name: SmallBlobName | LargeBlobName): BlobId {
  const parts =
    name.kind === 'small'
      ? ['s', name.segment, name.offsetBytes, name.sizeBytes, name.nonce]
      : ['l', name.writtenAtMs, name.sizeBytes, name.nonce];
  return parts.join('.') as BlobId;
}

/** All ids, in the order of their characters, of blobs that lie in a segment. */
export function idsInSegment(segment: number): BlobIdRange {
  // The character that follows the full stop.
  return { from: `s.${segment}.`, before: `s.${segment}/` };
}

/** What `id` says, or nothing when no store of this kind can have made it. */
export function parseBlobId(id: string): SmallBlobName | LargeBlobName | undefined {
  const small = smallPattern.exec(id);
  if (small !== null) {
    const [, segment, offset, size, nonce = ''] = small;
    const name = {
      kind: 'small',
      segment: Number(segment),
      offsetBytes: Number(offset),
      sizeBytes: Number(size),
      nonce,
    } as const;
    // A larger one would make a reader allocate whatever a made-up id asks for.
    if (name.sizeBytes > frameSizeBytes || name.offsetBytes % recordAlignmentBytes !== 0) return;
    return name;
  }
  const large = largePattern.exec(id);
  if (large === null) return;
  const [, writtenAt, size, nonce = ''] = large;
  return { kind: 'large', writtenAtMs: Number(writtenAt), sizeBytes: Number(size), nonce };
}
