import { defined } from '../../lib/assert.ts';
import type { BlobId } from '../blob-store.ts';
import { isStoreError } from '../errors.ts';
import { AheadFiller } from './ahead-filler.ts';
import type { SealingKey } from './data-key.ts';
import { formatBlobId } from './disk-blob-id.ts';
import { newDataKey } from './file-header.ts';
import { type OpenFile, writeFailure } from './files.ts';
import { growingContentOffset, writeGrowingHeaders } from './header-copies.ts';
import type { SegmentKeys } from './segment-keys.ts';
import { encodeRecord, recordSizeBytes } from './segment-record.ts';
import type { VolumeParts } from './volume-parts.ts';

/** A blob, whole, that is to be appended. */
export interface SmallBlob {
  readonly chunks: readonly Uint8Array[];
  readonly sizeBytes: number;
  readonly leaf: Uint8Array;
  readonly label: Uint8Array;
  readonly writtenAtMs: number;
  /** See `BlobWriting`. Of one that needs to, since the store is full. */
  readonly mayUseReserve?: boolean;
}

interface Pending {
  readonly blob: SmallBlob;
  readonly resolve: (id: BlobId) => void;
  readonly reject: (error: unknown) => void;
}

type Dependencies = Pick<
  VolumeParts,
  'files' | 'layout' | 'storeId' | 'masterKeys' | 'randomBytes' | 'clock' | 'gate' | 'room'
> & {
  readonly segmentKeys: SegmentKeys;
  /** Called with the number of a segment that will not be appended to any more. */
  readonly onSealed: (segment: number) => void;
  /** A segment that has grown to this is sealed. */
  readonly sizeBytesMin: number;
  /** So much of it is filled with zeros ahead of what is written. */
  readonly aheadBytes: number;
};

interface Filled {
  readonly file: OpenFile;
  readonly filler: AheadFiller;
}

interface OpenSegment extends Filled {
  readonly key: SealingKey;
}

/** At most this much goes out in one write. */
const batchSizeBytesMax = 4 * 1024 * 1024;

/** Of a larger batch the sync costs so much that filling ahead would gain nothing. */
const smallBatchBytesMax = 512 * 1024;

/**
 * Appends small blobs to the newest segment.
 *
 * 1. An id is handed out after the sync that followed the write of its record.
 * 2. What arrives while a write and its sync run goes out in the next write, with one sync for all.
 * 3. A segment that an earlier run began is never appended to: its key has sealed nobody knows how
 *    much, and what a crash left at its end stays behind the last record that was acknowledged.
 * 4. After a write that failed the segment ends where it ended before. What is written there next is
 *    sealed under another count.
 */
export class SegmentWriter {
  readonly #with: Dependencies;
  readonly #queue: Pending[] = [];
  /** Made with the first segment: who only reads, or removes, needs none. */
  #memory: Buffer | undefined;
  #running: Promise<void> | undefined;
  #number: number;
  #lastSealed: number;
  #open: OpenSegment | undefined;
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
    return segment === this.#number && this.#open !== undefined ? this.#endBytes : 0;
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
    const mayUseReserve = isOfReserve(this.#queue[0]);
    try {
      const segment = await this.#openSegment(mayUseReserve);
      this.#memory ??= Buffer.allocUnsafeSlow(batchSizeBytesMax);
      const memory = this.#memory;
      const ids: BlobId[] = [];
      let sizeBytes = 0;
      for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
        const recordBytes = sizeOf(next.blob);
        if (sizeBytes + recordBytes > batchSizeBytesMax) break;
        // What may take of the reserve takes nobody else along.
        if (isOfReserve(next) !== mayUseReserve) break;
        this.#queue.shift();
        batch.push(next);
        const into = memory.subarray(sizeBytes, sizeBytes + recordBytes);
        ids.push(
          this.#encode(next.blob, { ...segment, into, atBytes: this.#endBytes + sizeBytes }),
        );
        sizeBytes += recordBytes;
      }
      const bytes = memory.subarray(0, sizeBytes);
      const spending = { mayUseReserve };
      await this.#with.room.spend(sizeBytes, () => this.#commit(segment, bytes), spending);
      for (const [index, { resolve }] of batch.entries()) resolve(defined(ids[index], 'an id'));
    } catch (error) {
      // Without a segment none of those that wait can be written.
      const failed = batch.length > 0 ? batch : this.#takeAll(mayUseReserve);
      for (const { reject } of failed) reject(writeFailure(error));
    }
  }

  /** Takes those out of the queue that may use the reserve, or those that may not. */
  #takeAll(mayUseReserve: boolean): Pending[] {
    const all = this.#queue.splice(0);
    this.#queue.push(...all.filter((one) => isOfReserve(one) !== mayUseReserve));
    return all.filter((one) => isOfReserve(one) === mayUseReserve);
  }

  #encode(blob: SmallBlob, to: { key: SealingKey; into: Buffer; atBytes: number }): BlobId {
    const nonce = Buffer.from(this.#with.randomBytes(16)).toString('hex');
    const { sizeBytes, writtenAtMs } = blob;
    const name = { segment: this.#number, offsetBytes: to.atBytes, sizeBytes, nonce };
    encodeRecord({ ...blob, header: { ...name, writtenAtMs } }, to.key, to.into);
    return formatBlobId({ ...name, kind: 'small' });
  }

  async #commit({ file, filler }: Filled, bytes: Uint8Array): Promise<void> {
    const { gate } = this.#with;
    try {
      await file.write(bytes, this.#endBytes);
    } catch (error) {
      await this.#takeBack(file);
      filler.noteCut(this.#endBytes);
      throw error;
    }
    if (bytes.length <= smallBatchBytesMax) {
      await this.#fillAhead({ file, filler }, this.#endBytes + bytes.length);
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

  /** Takes no room that is kept for others. */
  async #fillAhead({ file, filler }: Filled, endBytes: number): Promise<void> {
    if (filler.isAhead(endBytes)) return;
    const { room, aheadBytes } = this.#with;
    try {
      await room.spend(aheadBytes, () => filler.fill(file, endBytes));
    } catch (error) {
      // What counts has been written already, and goes on without.
      if (!isStoreError(error, 'StoreFull')) throw error;
    }
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

  async #openSegment(mayUseReserve: boolean): Promise<OpenSegment> {
    const { files, layout, gate, segmentKeys } = this.#with;
    gate.checkSound();
    if (this.#open !== undefined && this.#endBytes < this.#with.sizeBytesMin) return this.#open;
    await this.#seal();
    // Never again the number of an attempt that failed: its file may be there after all.
    this.#number += 1;
    const path = layout.segment(this.#number);
    const file = await files.create(path);
    try {
      const key = await this.#writeHeaders(file, mayUseReserve);
      // The file's name must be as durable as the records in it. The first of them sync the headers.
      await gate.sync(() => files.syncDirectory(layout.segments));
      segmentKeys.put(this.#number, key.keyObject);
      const filler = new AheadFiller({
        aheadBytes: this.#with.aheadBytes,
        limitBytes: this.#with.sizeBytesMin,
      });
      this.#open = { file, key, filler };
      this.#endBytes = growingContentOffset;
      return this.#open;
    } catch (error) {
      await file.close();
      // Nothing is in it. What cannot be unlinked now goes with a later listing.
      await files.unlink(path).catch(() => undefined);
      throw error;
    }
  }

  async #writeHeaders(file: OpenFile, mayUseReserve: boolean): Promise<SealingKey> {
    const { storeId, clock, randomBytes, room } = this.#with;
    const fileId = Buffer.from(randomBytes(16)).toString('hex');
    const createdAtMs = clock.now();
    const common = { kind: 'segment', storeId, fileId, number: this.#number, createdAtMs } as const;
    const { key, wrappedKey } = newDataKey(common, this.#with);
    const header = { ...common, wrappedKey, contentBytes: 0, descriptionBytes: 0 };
    const write = () => writeGrowingHeaders(file, header);
    await room.spend(growingContentOffset, write, { mayUseReserve });
    return key;
  }

  async #seal(): Promise<void> {
    const open = this.#open;
    this.#lastSealed = this.#number;
    if (open === undefined) return;
    this.#open = undefined;
    try {
      // After a sync that failed nothing is changed any more.
      this.#with.gate.checkSound();
      await open.file.truncate(this.#endBytes);
    } catch {
      // It would only have given back what was filled ahead: zeros end the segment as well.
    }
    // All in it is synced or given up: closing has nothing left to report.
    await open.file.close().catch(() => undefined);
    this.#with.onSealed(this.#number);
  }
}

function isOfReserve(pending: Pending | undefined): boolean {
  return pending?.blob.mayUseReserve === true;
}

function sizeOf({ sizeBytes, label }: SmallBlob): number {
  return recordSizeBytes({ sizeBytes, labelSizeBytes: label.length });
}
