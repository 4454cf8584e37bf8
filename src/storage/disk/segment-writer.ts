import { assert } from '../../lib/assert.ts';
import type { RandomBytes } from '../../lib/random.ts';
import type { BlobId } from '../blob-store.ts';
import { formatBlobId } from './disk-blob-id.ts';
import { type Files, type Layout, type OpenFile, writeFailure } from './files.ts';
import type { Room } from './room.ts';
import { encodeRecordHeader, recordHeaderBytes, recordSizeBytes } from './segment-record.ts';
import type { WriteGate } from './write-gate.ts';

/** A blob, whole, that is to be appended. */
export interface SmallBlob {
  readonly chunks: readonly Uint8Array[];
  readonly sizeBytes: number;
  readonly leaf: Uint8Array;
  readonly writtenAtMs: number;
}

interface Pending {
  readonly blob: SmallBlob;
  readonly resolve: (id: BlobId) => void;
  readonly reject: (error: unknown) => void;
}

interface Dependencies {
  readonly files: Files;
  readonly layout: Layout;
  readonly gate: WriteGate;
  readonly room: Room;
  readonly randomBytes: RandomBytes;
  /** Called with the number of a segment that will not be appended to any more. */
  readonly onSealed: (segment: number) => void;
}

/** A segment that has grown to this is sealed. */
const segmentSizeBytesMin = 32 * 1024 * 1024;

/** At most this much goes out in one write. */
const batchSizeBytesMax = 4 * 1024 * 1024;

/**
 * Appends small blobs to the newest segment.
 *
 * 1. An id is handed out after the sync that followed the write of its record.
 * 2. What arrives while a write and its sync run goes out in the next write, with one sync for all.
 * 3. A segment that an earlier run began is never appended to: what a crash left at its end stays
 *    there, and stays behind the last record that was acknowledged.
 * 4. After a write that failed the segment ends where it ended before.
 */
export class SegmentWriter {
  readonly #with: Dependencies;
  readonly #queue: Pending[] = [];
  readonly #batch = Buffer.allocUnsafeSlow(batchSizeBytesMax);
  #running: Promise<void> | undefined;
  #number: number;
  #lastSealed: number;
  #file: OpenFile | undefined;
  #endBytes = 0;

  /** `lastNumber` is that of the newest segment there is. */
  constructor(lastNumber: number, dependencies: Dependencies) {
    this.#number = lastNumber;
    this.#lastSealed = lastNumber;
    this.#with = dependencies;
  }

  /** Resolves when the blob is durable. */
  append(blob: SmallBlob): Promise<BlobId> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ blob, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** How far `segment` holds acknowledged records only; nothing when it is sealed. */
  openEndBytes(segment: number): number | undefined {
    if (segment <= this.#lastSealed) return undefined;
    return segment === this.#number && this.#file !== undefined ? this.#endBytes : 0;
  }

  /** Finishes what was begun, and seals the segment. */
  async close(): Promise<void> {
    await this.#running;
    await this.#seal();
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) await this.#commitNext();
    this.#running = undefined;
  }

  async #commitNext(): Promise<void> {
    const batch: Pending[] = [];
    try {
      const file = await this.#openSegment();
      const ids: BlobId[] = [];
      let sizeBytes = 0;
      for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
        const recordBytes = recordSizeBytes(next.blob.sizeBytes);
        if (sizeBytes + recordBytes > batchSizeBytesMax) break;
        const into = this.#batch.subarray(sizeBytes, sizeBytes + recordBytes);
        ids.push(this.#encode(next.blob, this.#endBytes + sizeBytes, into));
        sizeBytes += recordBytes;
        batch.push(next);
        this.#queue.shift();
      }
      const bytes = this.#batch.subarray(0, sizeBytes);
      await this.#with.room.spend(sizeBytes, () => this.#commit(file, bytes));
      for (const [index, { resolve }] of batch.entries()) resolve(ids[index] ?? ('' as BlobId));
    } catch (error) {
      // Without a segment none of those that wait can be written.
      const failed = batch.length > 0 ? batch : this.#queue.splice(0);
      for (const { reject } of failed) reject(writeFailure(error));
    }
  }

  #encode(blob: SmallBlob, offsetBytes: number, into: Buffer): BlobId {
    const nonce = Buffer.from(this.#with.randomBytes(16)).toString('hex');
    const { sizeBytes } = blob;
    encodeRecordHeader({ ...blob, segment: this.#number, offsetBytes, nonce }, into);
    let at = recordHeaderBytes;
    for (const chunk of blob.chunks) {
      into.set(chunk, at);
      at += chunk.length;
    }
    assert(at === recordHeaderBytes + sizeBytes, 'the chunks are as long as the blob');
    into.fill(0, at);
    return formatBlobId({ kind: 'small', segment: this.#number, offsetBytes, sizeBytes, nonce });
  }

  async #commit(file: OpenFile, bytes: Uint8Array): Promise<void> {
    const { gate } = this.#with;
    try {
      await file.write(bytes, this.#endBytes);
    } catch (error) {
      await this.#takeBack(file);
      throw error;
    }
    try {
      await gate.sync(() => file.sync());
    } catch (error) {
      // Not needed for safety: nobody has the ids. But a listing should not show what was refused.
      await file.truncate(this.#endBytes).catch(() => undefined);
      throw error;
    }
    this.#endBytes += bytes.length;
  }

  /** Ends the file where it ended before a write that failed. */
  async #takeBack(file: OpenFile): Promise<void> {
    try {
      await file.truncate(this.#endBytes);
    } catch {
      // Its tail stays, as after a crash; what comes goes to a segment of its own.
      await this.#seal();
      return;
    }
    await this.#with.gate.sync(() => file.sync());
  }

  async #openSegment(): Promise<OpenFile> {
    const { files, layout, gate } = this.#with;
    gate.checkSound();
    if (this.#file !== undefined && this.#endBytes < segmentSizeBytesMin) return this.#file;
    await this.#seal();
    // Never again the number of an attempt that failed: its file may be there after all.
    this.#number += 1;
    const file = await files.create(layout.segment(this.#number));
    try {
      // The file's name must be as durable as the records in it.
      await gate.sync(() => files.syncDirectory(layout.segments));
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#file = file;
    this.#endBytes = 0;
    return file;
  }

  async #seal(): Promise<void> {
    const file = this.#file;
    this.#lastSealed = this.#number;
    if (file === undefined) return;
    this.#file = undefined;
    // All in it is synced or given up: closing has nothing left to report.
    await file.close().catch(() => undefined);
    this.#with.onSealed(this.#number);
  }
}
