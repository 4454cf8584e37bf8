import { assert } from '../lib/assert.ts';
import { type ByteRange, isTreeHashAligned, parseRangeHeader } from '../protocol/byte-range.ts';
import { invalidParameter } from '../protocol/errors.ts';
import type { BlobRange, BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { ArchiveBlob, ArchiveRow, JobRow } from '../storage/rows.ts';
import { areBlobsOf, treeHashOfRange } from './archive-hashes.ts';
import { blobsIn, readBlobs } from './blob-lists.ts';
import type { Pins } from './pins.ts';

/** A list of ten thousand parts takes some milliseconds to check: so it is not, for each range of it. */
const checkedListsMax = 1000;

/** What GetJobOutput answers. Positions count in the output, not in the archive. */
export interface JobOutput {
  readonly contentType: 'application/octet-stream' | 'application/json' | 'text/csv';
  readonly sizeBytes: number;
  readonly firstByte: number;
  readonly lastByte: number;
  /** Whether a range was asked for. */
  readonly isPartial: boolean;
  /** Tree hash of the bytes from `firstByte` to `lastByte`, where they have one. */
  readonly treeHash: string | null;
  readonly archiveDescription: string | null;
  /** The bytes from `firstByte` to `lastByte`, verified. */
  read(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

interface OutputRequest {
  readonly job: JobRow;
  /** The blobs of the whole archive, or the one that holds the inventory. */
  readonly parts: readonly ArchiveBlob[];
  readonly archive: ArchiveRow | undefined;
  readonly rangeHeader: string | undefined;
  /** Looks up `parts` again: blobs may move. */
  readonly findParts: () => Promise<readonly ArchiveBlob[]>;
}

/** Hands out what jobs brought. */
export class JobOutputs {
  readonly #blobs: BlobStore;
  readonly #pins: Pins;
  /** How many blobs the lists have that were checked: of these nothing but places ever changes. */
  readonly #partCounts = new Map<string, number>();

  constructor({ blobs, pins }: { readonly blobs: BlobStore; readonly pins: Pins }) {
    this.#blobs = blobs;
    this.#pins = pins;
  }

  async open(request: OutputRequest): Promise<JobOutput> {
    const { job, parts, archive, rangeHeader } = request;
    if (job.status !== 'Succeeded') {
      throw invalidParameter(`The job is not currently available for download: ${job.jobId}`);
    }
    this.#checkList(job, parts);
    const { start, sizeBytes } = whereOutputLies(job);
    const range = parseRangeHeader(rangeHeader, sizeBytes);
    if (range === 'past-end') {
      throw invalidParameter(
        `The start of the range is larger than size of retrieved data: ${rangeHeader}`,
      );
    }
    const asked = range === 'whole' ? { firstByte: 0, lastByte: sizeBytes - 1 } : range;
    const inParts = {
      offsetBytes: start + asked.firstByte,
      lengthBytes: asked.lastByte - asked.firstByte + 1,
    };
    const read = (signal: AbortSignal) => this.#read(request, inParts, signal);
    return {
      ...asked,
      contentType: contentTypeOf(job),
      sizeBytes,
      isPartial: range !== 'whole',
      treeHash: await this.#treeHash(job, parts, asked),
      archiveDescription: archive === undefined ? null : archive.description || null,
      read,
    };
  }

  async *#read(
    { job, parts, findParts }: OutputRequest,
    range: BlobRange,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    let isBegun = false;
    try {
      for await (const chunk of this.#readHeld(parts, range, signal)) {
        isBegun = true;
        yield chunk;
      }
      return;
    } catch (error) {
      if (isBegun || !isStoreError(error, 'BlobNotFound')) throw error;
    }
    // Since they were found somebody took longer than the grace period: they may have moved.
    const now = await findParts();
    this.#checkList(job, now);
    yield* this.#readHeld(now, range, signal);
  }

  /** In a list from which a part is missing other bytes than the archive's would be found. */
  #checkList({ retrieval }: JobRow, parts: readonly ArchiveBlob[]): void {
    if (retrieval === null) return;
    const { archiveId, archiveSizeBytes, archiveTreeHash } = retrieval;
    if (this.#partCounts.get(archiveId) === parts.length) return;
    if (!areBlobsOf(parts, { sizeBytes: archiveSizeBytes, treeHash: archiveTreeHash })) {
      throw new Error(`The rows list other blobs than those of the archive ${archiveId}.`);
    }
    if (this.#partCounts.size >= checkedListsMax) this.#partCounts.clear();
    this.#partCounts.set(archiveId, parts.length);
  }

  async *#readHeld(
    parts: readonly ArchiveBlob[],
    range: BlobRange,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    // Those that are read, and no others: an archive may have thousands.
    using _pin = this.#pins.hold(blobsIn(parts, range).map(({ blobId }) => blobId));
    yield* readBlobs(this.#blobs, parts, range, signal);
  }

  /**
   * Developer guide, "Get Job Output": a checksum comes only with a range that is tree-hash aligned,
   * out of a retrieval that was tree-hash aligned itself.
   */
  async #treeHash(
    { retrieval }: JobRow,
    parts: readonly ArchiveBlob[],
    asked: ByteRange,
  ): Promise<string | null> {
    if (retrieval === null || retrieval.treeHash === null) return null;
    const sizeBytes = retrieval.lastByte - retrieval.firstByte + 1;
    if (asked.firstByte === 0 && asked.lastByte === sizeBytes - 1) return retrieval.treeHash;
    if (!isTreeHashAligned(asked, sizeBytes)) return null;
    return treeHashOfRange(this.#blobs, parts, {
      firstByte: retrieval.firstByte + asked.firstByte,
      lastByte: retrieval.firstByte + asked.lastByte,
    });
  }
}

/** Where the output begins in the job's blobs, and how long it is. */
function whereOutputLies({ retrieval, output }: JobRow): { start: number; sizeBytes: number } {
  if (retrieval !== null) {
    const { firstByte, lastByte } = retrieval;
    return { start: firstByte, sizeBytes: lastByte - firstByte + 1 };
  }
  assert(output !== null, 'an inventory job that succeeded has an output');
  return { start: 0, sizeBytes: output.sizeBytes };
}

function contentTypeOf({ inventory }: JobRow): JobOutput['contentType'] {
  if (inventory === null) return 'application/octet-stream';
  return inventory.format === 'JSON' ? 'application/json' : 'text/csv';
}
