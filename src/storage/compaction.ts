import type { BlobId, ListedBlob } from './blob-store.ts';

/** A file that many blobs share, and how much of it is still needed. */
export interface SegmentUse {
  readonly segment: number;
  readonly sizeBytes: number;
  /** Of blobs that were not removed, with all that belongs to them. */
  readonly liveBytes: number;
}

/**
 * What a store that packs blobs together can do about the room that removed ones still take. Blobs
 * move to new ids; whoever keeps the old ones repoints them in between.
 */
export interface Compaction {
  /** Segments that nothing is appended to any more and of which less than half is needed. */
  wasteful(): Promise<SegmentUse[]>;

  /** The blobs in the segment that were not removed. */
  blobsIn(segment: number): Promise<ListedBlob[]>;

  /**
   * Resolves to the id of a durable copy, label and time of writing included, once it was read back
   * and verified. Throws `BlobCorrupt` or `BlobNotFound` when there is nothing to copy.
   */
  copy(id: BlobId): Promise<BlobId>;

  /** Removes `ids`, which lie in the segment, at once; the file goes when nothing else is in it. */
  retire(segment: number, ids: readonly BlobId[]): Promise<void>;
}
