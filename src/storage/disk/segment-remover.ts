import { assert } from '../../lib/assert.ts';
import type { Log } from '../../lib/log.ts';
import type { SmallBlobName } from './disk-blob-id.ts';
import {
  type Files,
  ifThere,
  type Layout,
  type OpenFile,
  unlinkIfThere,
  writeFailure,
} from './files.ts';
import { growingContentOffset } from './header-copies.ts';
import { isHeaderOf } from './segment-reader.ts';
import {
  decodeRecordHeader,
  markOffsetBytes,
  type RecordHeader,
  recordHeaderBytes,
  recordSizeBytes,
  removedMark,
} from './segment-record.ts';
import { scanSegment } from './segment-scan.ts';
import type { SegmentUses } from './segment-uses.ts';
import { SharedSync } from './shared-sync.ts';
import type { WriteGate } from './write-gate.ts';

interface Pending {
  readonly segment: number;
  readonly names: readonly SmallBlobName[];
  /** `rest`: they are likely to be all that is left in the segment; `all`: it goes as it is. */
  readonly extent: 'each' | 'rest' | 'all';
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Dependencies {
  readonly files: Files;
  readonly layout: Layout;
  readonly gate: WriteGate;
  readonly log: Log;
  /** Whether a segment will not be appended to any more. */
  readonly isSealed: (segment: number) => boolean;
  readonly uses: Pick<SegmentUses, 'noteRemoval' | 'noteGap' | 'forget'>;
}

/** So many removals share one round of syncs, at most. */
const roundLengthMax = 256;

/**
 * Removes small blobs, by a mark in their record, and the segments in which none is left.
 *
 * 1. A removal resolves after a sync that followed its mark; those that arrive meanwhile share the
 *    next one.
 * 2. A mark is written only where the record's nonce is that of the id.
 * 3. A segment is unlinked only when it is sealed, each record in it is marked or being removed, and
 *    nothing in it is damaged; or when it is to be discarded. Either its marks are durable by then, so that its name may come back
 *    after a crash, or its absence is, before those who wait are told.
 */
export class SegmentRemover {
  readonly #with: Dependencies;
  readonly #queue: Pending[] = [];
  readonly #suspects = new Set<number>();
  /** Where a segment, as far as known, has its first part that keeps it alive. */
  readonly #firstLive = new Map<number, number>();
  readonly #directorySync: SharedSync;
  #running: Promise<void> | undefined;

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
    const { files, layout, gate } = dependencies;
    this.#directorySync = new SharedSync(() =>
      gate.sync(() => files.syncDirectory(layout.segments)),
    );
  }

  /** Resolves when the blob is gone for good, or was not there. */
  remove(name: SmallBlobName): Promise<void> {
    return this.#request({ segment: name.segment, names: [name], extent: 'each' });
  }

  /** The same of blobs that are likely to be all that is left in the segment. */
  retire(segment: number, names: readonly SmallBlobName[]): Promise<void> {
    const areHere = names.every((name) => name.segment === segment);
    assert(areHere, 'what is retired together lies in one segment');
    return this.#request({ segment, names, extent: 'rest' });
  }

  /** Resolves when the segment is gone for good, whatever is in it, unless it is appended to. */
  discard(segment: number): Promise<void> {
    return this.#request({ segment, names: [], extent: 'all' });
  }

  /** Has `segment` unlinked, by and by, if nothing in it is alive. */
  suspect(segment: number): void {
    this.#suspects.add(segment);
    this.#running ??= this.#run();
  }

  /** Finishes what was begun. */
  async close(): Promise<void> {
    await this.#running;
  }

  #request(removal: Omit<Pending, 'resolve' | 'reject'>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...removal, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0 || this.#suspects.size > 0) {
      const round = Map.groupBy(this.#queue.splice(0, roundLengthMax), ({ segment }) => segment);
      await Promise.all(Array.from(round, ([segment, all]) => this.#removeFrom(segment, all)));
      const suspects = [...this.#suspects];
      this.#suspects.clear();
      for (const segment of suspects) await this.#unlinkIfDead(segment);
    }
    this.#running = undefined;
  }

  async #removeFrom(segment: number, removals: readonly Pending[]): Promise<void> {
    try {
      this.#with.gate.checkSound();
      const names = removals.flatMap((removal) => removal.names);
      const extents = new Set(removals.map(({ extent }) => extent));
      const isGone =
        (extents.has('all') && (await this.#unlinkAll(segment))) ||
        (extents.has('rest') && (await this.#unlinkRest(segment, names)));
      if (!isGone && names.length > 0) await this.#mark(segment, names);
      for (const { resolve } of removals) resolve();
    } catch (error) {
      for (const { reject } of removals) reject(writeFailure(error));
    }
  }

  /** Unlinks the segment, durably, if nothing but `names` is in it: they need no marks then. */
  async #unlinkRest(segment: number, names: readonly SmallBlobName[]): Promise<boolean> {
    const { files, layout, isSealed } = this.#with;
    if (!isSealed(segment)) return false;
    const file = await ifThere(files.open(layout.segment(segment), 'read'));
    if (file === undefined) return false;
    try {
      const offsets = new Map(names.map(({ offsetBytes, nonce }) => [offsetBytes, nonce]));
      for await (const part of scanSegment(file, { segment, endBytes: await file.size() })) {
        if (part.kind === 'gap') {
          this.#with.uses.noteGap(segment);
          return false;
        }
        const { mark, offsetBytes, nonce } = part.header;
        if (mark !== 'removed' && offsets.get(offsetBytes) !== nonce) return false;
      }
    } finally {
      await file.close();
    }
    await this.#unlink(segment);
    await this.#directorySync.request();
    return true;
  }

  /** Unlinks the segment, durably, unless it is appended to. */
  async #unlinkAll(segment: number): Promise<boolean> {
    if (!this.#with.isSealed(segment)) return false;
    await this.#unlink(segment);
    await this.#directorySync.request();
    return true;
  }

  async #unlink(segment: number): Promise<void> {
    const { files, layout, uses } = this.#with;
    await unlinkIfThere(files, layout.segment(segment));
    this.#firstLive.delete(segment);
    uses.forget(segment);
  }

  async #mark(segment: number, names: readonly SmallBlobName[]): Promise<void> {
    const { files, layout, gate } = this.#with;
    const file = await ifThere(files.open(layout.segment(segment), 'read and write'));
    if (file === undefined) {
      // Perhaps unlinked by a process that died before its marks were synced: then this lasts.
      return await this.#directorySync.request();
    }
    try {
      let isMarked = false;
      for (const name of names) {
        const header = Buffer.alloc(recordHeaderBytes);
        const length = await file.read(header, name.offsetBytes);
        if (!isHeaderOf(header.subarray(0, length), name)) continue;
        await this.#markRecord(file, name, decodeRecordHeader(header));
        isMarked = true;
        const firstLive = this.#firstLive.get(segment) ?? name.offsetBytes;
        if (firstLive === name.offsetBytes) this.#suspects.add(segment);
      }
      // Also when the mark was there: its own sync may never have come.
      if (isMarked) await gate.sync(() => file.sync());
    } finally {
      await file.close();
    }
  }

  async #markRecord(
    file: OpenFile,
    { segment, offsetBytes }: SmallBlobName,
    header: RecordHeader | undefined,
  ): Promise<void> {
    const { uses } = this.#with;
    // One with a damaged header does not count as live, and one that is marked no more.
    if (header !== undefined && header.mark !== 'removed')
      uses.noteRemoval(segment, { offsetBytes, sizeBytes: recordSizeBytes(header) });
    try {
      await file.write(removedMark, offsetBytes + markOffsetBytes);
    } catch (error) {
      uses.forget(segment);
      throw error;
    }
  }

  async #unlinkIfDead(segment: number): Promise<void> {
    const { files, layout, isSealed, log } = this.#with;
    if (!isSealed(segment)) return;
    try {
      const file = await ifThere(files.open(layout.segment(segment), 'read'));
      if (file === undefined) return;
      const firstLive = await this.#findFirstLive(segment, file).finally(() => file.close());
      if (firstLive !== undefined) {
        this.#firstLive.set(segment, firstLive);
        return;
      }
      this.#with.gate.checkSound();
      await this.#unlink(segment);
    } catch (cause) {
      // Nothing is lost but room; the next listing comes by here again.
      log.warn('segment.kept', { segment, cause });
    }
  }

  /** What was removed stays removed, so each search goes on where the one before it ended. */
  async #findFirstLive(segment: number, file: OpenFile): Promise<number | undefined> {
    const fromBytes = this.#firstLive.get(segment) ?? growingContentOffset;
    const endBytes = await file.size();
    for await (const part of scanSegment(file, { segment, fromBytes, endBytes })) {
      if (part.kind === 'gap') {
        const { offsetBytes } = part;
        this.#with.uses.noteGap(segment);
        // Each look begins there: that it was seen is told once.
        if (offsetBytes !== this.#firstLive.get(segment)) {
          this.#with.log.warn('segment.damaged', { segment, offsetBytes });
        }
        return offsetBytes;
      }
      if (part.header.mark !== 'removed') return part.header.offsetBytes;
    }
    return undefined;
  }
}
