import type { BlobId, ListedBlob } from './blob-store.ts';

/** A file that many blobs share, and how much of it is still needed. */
export interface SegmentUse {
  readonly segment: number;
  readonly sizeBytes: number;
  /** Of blobs that were not removed, with all that belongs to them. */
  readonly liveBytes: number;
}

/** Ids from one on, up to another and without that, in the order of their characters. */
export interface BlobIdRange {
  readonly from: string;
  readonly before: string;
}

/** What is left of a segment in which no blob lives that can be found. */
export interface SegmentRemnant {
  readonly segment: number;
  readonly sizeBytes: number;
  /** Every blob that lay in it has an id of these, and no other blob has. */
  readonly ids: BlobIdRange;
}

/**
 * What a store that packs blobs together can do about the room that removed ones still take. Blobs
 * move to new ids; whoever keeps the old ones repoints them in between.
 */
export interface Compaction {
  /**
   * Segments that nothing is appended to any more and of which less than half is needed, as far as
   * they are known: to look at all of them takes long, and each call goes on where the last one ended.
   */
  wasteful(): Promise<SegmentUse[]>;

  /** `false`: the last call has not looked at all segments yet, and the next one learns more. */
  readonly isSurveyed?: boolean;

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

/** What such a store can do about segments that only damage keeps. */
export interface RemnantDisposal {
  /**
   * Segments in which nothing is found to live, and which stay all the same: some place in them can't
   * be read, and what was there may live. Known as far as wasteful ones are.
   */
  remnants(): Promise<SegmentRemnant[]>;

  /**
   * Gives back the room of a whole segment, whatever is in it, for good. The caller vouches that
   * nobody needs a blob of `ids` in its remnant, or ever will. One that is appended to is left alone.
   */
  discard(segment: number): Promise<void>;
}
