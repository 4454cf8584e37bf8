import type { BlobId, BlobWriting, ListedBlob, StoredBlob } from '../blob-store.ts';
import type { Compaction, SegmentUse } from '../compaction.ts';
import { MemoryBlobStore } from './memory-blob-store.ts';

interface Segment {
  sizeBytes: number;
  isSealed: boolean;
  readonly live: Map<BlobId, number>;
}

/**
 * A store in memory that keeps account of room as one does that packs blobs into segments: what a
 * removed blob took is given back only with the whole of its segment. For tests.
 */
export class PackedMemoryBlobStore extends MemoryBlobStore implements Compaction {
  /** An open segment that has reached this size is sealed. */
  segmentSizeBytes = Number.POSITIVE_INFINITY;
  readonly #segments = new Map<number, Segment>();
  #open = 0;

  /** What its segments take, with what is in them of blobs that were removed. */
  get spaceBytes(): number {
    return sum([...this.#segments.values()].map(({ sizeBytes }) => sizeBytes));
  }

  /** Begins another segment, as a store does that is opened again. */
  seal(): void {
    const segment = this.#segments.get(this.#open);
    if (segment !== undefined) {
      segment.isSealed = true;
      this.#dropIfDead(this.#open);
    }
    this.#open += 1;
  }

  override async write(
    source: AsyncIterable<Uint8Array>,
    writing: BlobWriting,
  ): Promise<StoredBlob> {
    let labelSizeBytes = 0;
    const label: BlobWriting['label'] = (content) => {
      const text = writing.label(content);
      labelSizeBytes = Buffer.byteLength(text);
      return text;
    };
    const stored = await super.write(source, { ...writing, label });
    this.#place(stored.id, stored.sizeBytes + labelSizeBytes);
    return stored;
  }

  override async remove(id: BlobId): Promise<void> {
    await super.remove(id);
    for (const [number, { live }] of this.#segments) {
      if (live.delete(id)) this.#dropIfDead(number);
    }
  }

  async wasteful(): Promise<SegmentUse[]> {
    const uses = [...this.#segments]
      .filter(([, { isSealed }]) => isSealed)
      .map(([segment, { sizeBytes, live }]) => ({
        segment,
        sizeBytes,
        liveBytes: sum(live.values()),
      }));
    return uses.filter(({ sizeBytes, liveBytes }) => liveBytes * 2 < sizeBytes);
  }

  async blobsIn(segment: number): Promise<ListedBlob[]> {
    const live = this.#segments.get(segment)?.live;
    const listed = await Array.fromAsync(this.list());
    return listed.filter(({ id }) => live?.has(id) === true);
  }

  copy(id: BlobId): Promise<BlobId> {
    return this.duplicate(id);
  }

  async retire(_segment: number, ids: readonly BlobId[]): Promise<void> {
    for (const id of ids) await this.remove(id);
  }

  #place(id: BlobId, sizeBytes: number): void {
    const segment = this.#segments.get(this.#open) ?? {
      sizeBytes: 0,
      isSealed: false,
      live: new Map(),
    };
    this.#segments.set(this.#open, segment);
    segment.sizeBytes += sizeBytes;
    segment.live.set(id, sizeBytes);
    if (segment.sizeBytes >= this.segmentSizeBytes) this.seal();
  }

  #dropIfDead(number: number): void {
    const segment = this.#segments.get(number);
    if (segment?.isSealed === true && segment.live.size === 0) this.#segments.delete(number);
  }
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
