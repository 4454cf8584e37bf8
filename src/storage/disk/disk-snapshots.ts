import { join } from 'node:path';
import { isStoreError } from '../errors.ts';
import type { Snapshot, Snapshots } from '../snapshots.ts';
import { SourceReader } from '../source-reader.ts';
import { blobCorrupt, blobNotFound, otherFailure, unlinkIfThere, writeFailure } from './files.ts';
import {
  fileOfSnapshot,
  formatSnapshotName,
  parseSnapshotName,
  type SnapshotName,
} from './large-file-name.ts';
import { ReadingFrames, readLargeFile, withLargeFile } from './large-reader.ts';
import { writeLargeFile } from './large-writer.ts';
import { SharedSync } from './shared-sync.ts';
import type { VolumeParts } from './volume-parts.ts';

/**
 * Keeps snapshots as files of the same format as large blobs.
 *
 * 1. A snapshot is written under a temporary name, synced, renamed, and its name synced.
 * 2. Its name tells what it is, and is not believed: what is sealed in the file must say the same.
 * 3. Each is looked at once, and not at every listing: a snapshot never changes, and one that is
 *    damaged is told once.
 */
export class DiskSnapshots implements Snapshots {
  readonly #parts: VolumeParts;
  readonly #directorySync: SharedSync;
  readonly #readingFrames = new ReadingFrames();
  readonly #known = new Map<string, Snapshot | 'damaged'>();

  constructor(parts: VolumeParts) {
    const { files, layout, gate } = parts;
    this.#parts = parts;
    this.#directorySync = new SharedSync(() =>
      gate.sync(() => files.syncDirectory(layout.snapshots)),
    );
  }

  async list(): Promise<Snapshot[]> {
    const known = [...(await this.#look()).values()];
    const sound = known.filter((snapshot) => snapshot !== 'damaged');
    return sound.sort((a, b) => b.sequence - a.sequence || b.takenAtMs - a.takenAtMs);
  }

  async damaged(): Promise<string[]> {
    const known = [...(await this.#look())];
    return known.filter(([, found]) => found === 'damaged').map(([name]) => name);
  }

  async write(source: AsyncIterable<Uint8Array>, sequence: number): Promise<Snapshot> {
    const { gate, layout, clock } = this.#parts;
    await using reader = new SourceReader(source);
    gate.checkOpen();
    const takenAtMs = clock.now();
    const plan = {
      kind: 'snapshot' as const,
      createdAtMs: takenAtMs,
      directory: layout.snapshots,
      directorySync: this.#directorySync,
      label: () => Buffer.from(labelOf({ sequence, takenAtMs })),
      nameOf: ({ fileId }: { fileId: string }) =>
        formatSnapshotName({ sequence, takenAtMs, fileId }),
    };
    const written = await writeLargeFile({ chunks: [], rest: reader }, plan, this.#parts);
    return { name: written.name, sequence, takenAtMs, sizeBytes: written.sizeBytes };
  }

  async *read(name: string): AsyncGenerator<Uint8Array> {
    const parsed = parseSnapshotName(name);
    if (parsed === undefined) throw blobNotFound(name);
    const parts = { ...this.#parts, readingFrames: this.#readingFrames };
    try {
      yield* readLargeFile(fileOfSnapshot(parts.layout, parsed), {}, parts);
    } catch (error) {
      // Not as it was when it was looked at.
      this.#known.delete(name);
      throw error;
    }
  }

  async remove(name: string): Promise<void> {
    const { files, layout, gate } = this.#parts;
    gate.checkSound();
    if (parseSnapshotName(name) === undefined) return;
    this.#known.delete(name);
    try {
      await unlinkIfThere(files, join(layout.snapshots, name));
      await this.#directorySync.request();
    } catch (error) {
      throw writeFailure(error);
    }
  }

  /** Looks at what it has not looked at yet. */
  async #look(): Promise<ReadonlyMap<string, Snapshot | 'damaged'>> {
    const { files, layout } = this.#parts;
    try {
      const names = new Set(await Array.fromAsync(files.list(layout.snapshots)));
      for (const name of this.#known.keys()) {
        if (!names.has(name)) this.#known.delete(name);
      }
      for (const name of names) {
        const parsed = parseSnapshotName(name);
        if (parsed === undefined || this.#known.has(name)) continue;
        const found = await this.#describe(name, parsed);
        if (found !== undefined) this.#known.set(name, found);
      }
    } catch (error) {
      throw otherFailure(error, 'list');
    }
    return this.#known;
  }

  /** Nothing when it has gone meanwhile. */
  async #describe(name: string, parsed: SnapshotName): Promise<Snapshot | 'damaged' | undefined> {
    const { layout, log } = this.#parts;
    const { sequence, takenAtMs } = parsed;
    try {
      return await withLargeFile(fileOfSnapshot(layout, parsed), this.#parts, async (file) => {
        const { label, sizeBytes } = await file.describe();
        if (label === labelOf(parsed)) return { name, sequence, takenAtMs, sizeBytes };
        throw blobCorrupt(name, `it says that it is another snapshot, ${label}`);
      });
    } catch (cause) {
      if (isStoreError(cause, 'BlobNotFound')) return undefined;
      if (!isStoreError(cause, 'BlobCorrupt')) throw cause;
      log.error('snapshot.damaged', { name, cause });
      return 'damaged';
    }
  }
}

function labelOf({ sequence, takenAtMs }: Omit<SnapshotName, 'fileId'>): string {
  return JSON.stringify({ sequence, takenAtMs });
}
