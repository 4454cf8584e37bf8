import type { Log } from '../../lib/log.ts';
import type { SmallBlobName } from './disk-blob-id.ts';
import { type Files, isFileError, type Layout, type OpenFile, writeFailure } from './files.ts';
import { isHeaderOf } from './segment-reader.ts';
import { markOffsetBytes, recordHeaderBytes, removedMark } from './segment-record.ts';
import { scanSegment } from './segment-scan.ts';
import { SharedSync } from './shared-sync.ts';
import type { WriteGate } from './write-gate.ts';

interface Pending {
  readonly name: SmallBlobName;
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
}

/** So many removals share one round of syncs, at most. */
const roundLengthMax = 256;

/**
 * Removes small blobs, by a mark in their record, and the segments in which none is left.
 *
 * 1. A removal resolves after a sync that followed its mark; those that arrive meanwhile share the
 *    next one.
 * 2. A mark is written only where the record's nonce is that of the id.
 * 3. A segment is unlinked only when it is sealed, each record in it is marked, and nothing in it
 *    is damaged. Its marks are durable by then, so that its name may come back after a crash.
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
    return new Promise((resolve, reject) => {
      this.#queue.push({ name, resolve, reject });
      this.#running ??= this.#run();
    });
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

  async #run(): Promise<void> {
    while (this.#queue.length > 0 || this.#suspects.size > 0) {
      const round = Map.groupBy(this.#queue.splice(0, roundLengthMax), ({ name }) => name.segment);
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
      await this.#mark(
        segment,
        removals.map(({ name }) => name),
      );
      for (const { resolve } of removals) resolve();
    } catch (error) {
      for (const { reject } of removals) reject(writeFailure(error));
    }
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
        await file.write(removedMark, name.offsetBytes + markOffsetBytes);
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
      await files.unlink(layout.segment(segment));
      this.#firstLive.delete(segment);
    } catch (cause) {
      // Nothing is lost but room; the next listing comes by here again.
      log.warn('segment.kept', { segment, cause });
    }
  }

  /** What was removed stays removed, so each search goes on where the one before it ended. */
  async #findFirstLive(segment: number, file: OpenFile): Promise<number | undefined> {
    const fromBytes = this.#firstLive.get(segment) ?? 0;
    const endBytes = await file.size();
    for await (const part of scanSegment(file, { segment, fromBytes, endBytes })) {
      if (part.kind === 'gap') {
        this.#with.log.warn('segment.damaged', { segment, offsetBytes: part.offsetBytes });
        return part.offsetBytes;
      }
      if (part.header.mark !== 'removed') return part.header.offsetBytes;
    }
    return undefined;
  }
}

/** The file, unless there is none of that name. */
async function ifThere(opening: Promise<OpenFile>): Promise<OpenFile | undefined> {
  try {
    return await opening;
  } catch (error) {
    if (isFileError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
