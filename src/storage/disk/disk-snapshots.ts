import { join } from 'node:path';
import { isStoreError, StoreError } from '../errors.ts';
import type { Snapshot, Snapshots } from '../snapshots.ts';
import { SourceReader } from '../source-reader.ts';
import { blobNotFound, isFileError, otherFailure, writeFailure } from './files.ts';
import { type LargeFileName, ReadingFrames, readLargeFile, withLargeFile } from './large-reader.ts';
import { writeLargeFile } from './large-writer.ts';
import { SharedSync } from './shared-sync.ts';
import type { VolumeParts } from './volume-parts.ts';

interface SnapshotName {
  readonly sequence: number;
  readonly takenAtMs: number;
  readonly fileId: string;
}

const number = '(0|[1-9][0-9]{0,14})';
const namePattern = new RegExp(`^${number}-${number}-([0-9a-f]{32})$`);

/**
 * Keeps snapshots as files of the same format as large blobs.
 *
 * 1. A snapshot is written under a temporary name, synced, renamed, and its name synced.
 * 2. Its name tells what it is, and is not believed: what is sealed in the file must say the same.
 */
export class DiskSnapshots implements Snapshots {
  readonly #parts: VolumeParts;
  readonly #directorySync: SharedSync;
  readonly #readingFrames = new ReadingFrames();

  constructor(parts: VolumeParts) {
    const { files, layout, gate } = parts;
    this.#parts = parts;
    this.#directorySync = new SharedSync(() =>
      gate.sync(() => files.syncDirectory(layout.snapshots)),
    );
  }

  async list(): Promise<Snapshot[]> {
    const { files, layout, log } = this.#parts;
    const snapshots: Snapshot[] = [];
    try {
      for await (const name of files.list(layout.snapshots)) {
        const parsed = parseName(name);
        if (parsed === undefined) continue;
        try {
          snapshots.push(await this.#describe(name, parsed));
        } catch (cause) {
          if (isStoreError(cause, 'BlobNotFound')) continue;
          if (!isStoreError(cause, 'BlobCorrupt')) throw cause;
          log.error('snapshot.damaged', { name, cause });
        }
      }
    } catch (error) {
      throw otherFailure(error, 'list');
    }
    return snapshots.sort((a, b) => b.sequence - a.sequence || b.takenAtMs - a.takenAtMs);
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
      nameOf: ({ fileId }: { fileId: string }) => `${sequence}-${takenAtMs}-${fileId}`,
    };
    const written = await writeLargeFile({ chunks: [], rest: reader }, plan, this.#parts);
    return { name: written.name, sequence, takenAtMs, sizeBytes: written.sizeBytes };
  }

  async *read(name: string): AsyncGenerator<Uint8Array> {
    const parsed = parseName(name);
    if (parsed === undefined) throw blobNotFound(name);
    const parts = { ...this.#parts, readingFrames: this.#readingFrames };
    yield* readLargeFile(this.#fileOf(name, parsed), {}, parts);
  }

  async remove(name: string): Promise<void> {
    const { files, layout, gate } = this.#parts;
    gate.checkSound();
    if (parseName(name) === undefined) return;
    try {
      await files.unlink(join(layout.snapshots, name));
    } catch (error) {
      if (!isFileError(error, 'ENOENT')) throw writeFailure(error);
    }
    try {
      await this.#directorySync.request();
    } catch (error) {
      throw writeFailure(error);
    }
  }

  async #describe(name: string, parsed: SnapshotName): Promise<Snapshot> {
    const { sequence, takenAtMs } = parsed;
    return await withLargeFile(this.#fileOf(name, parsed), this.#parts, async (file) => {
      const { label, sizeBytes } = await file.describe();
      if (label === labelOf(parsed)) return { name, sequence, takenAtMs, sizeBytes };
      throw new StoreError('BlobCorrupt', `The snapshot ${name} says that it is another: ${label}`);
    });
  }

  #fileOf(name: string, { fileId, takenAtMs }: SnapshotName): LargeFileName {
    const path = join(this.#parts.layout.snapshots, name);
    return { path, id: name, expected: { kind: 'snapshot', fileId, createdAtMs: takenAtMs } };
  }
}

function parseName(name: string): SnapshotName | undefined {
  const [, sequence, takenAt, fileId] = namePattern.exec(name) ?? [];
  if (fileId === undefined) return undefined;
  return { sequence: Number(sequence), takenAtMs: Number(takenAt), fileId };
}

function labelOf({ sequence, takenAtMs }: Omit<SnapshotName, 'fileId'>): string {
  return JSON.stringify({ sequence, takenAtMs });
}
