import { defined } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { RandomBytes } from '../../lib/random.ts';
import { StoreError } from '../errors.ts';
import { DiskBlobStore } from './disk-blob-store.ts';
import { DiskSnapshots } from './disk-snapshots.ts';
import { type FileHeader, openDataKey } from './file-header.ts';
import { type Files, isFileError, Layout, numbersIn, otherFailure } from './files.ts';
import type { FrameCiphers } from './frame-ciphers.ts';
import { FramePool } from './frame-pipeline.ts';
import { FrameThreads } from './frame-threads.ts';
import { readGrowingHeader } from './header-copies.ts';
import { HeaderReader } from './header-reader.ts';
import type { MasterKeys } from './master-keys.ts';
import { nodeFiles } from './node-files.ts';
import { openSegment } from './open-segment.ts';
import { prepareDirectories, refuseOtherVersions } from './prepare-directories.ts';
import { Room } from './room.ts';
import { SegmentStore } from './segment-store.ts';
import type { VolumeParts } from './volume-parts.ts';
import { WriteGate } from './write-gate.ts';

export interface DiskVolumeOptions {
  /** Where everything is. Its parent exists. Nobody else has it open. */
  readonly directory: string;
  readonly files?: Files;
  readonly storeId: string;
  readonly masterKeys: MasterKeys;
  readonly randomBytes: RandomBytes;
  readonly clock: Clock;
  readonly log: Log;
  /** Stay open when the volume is closed. Threads of its own where none are given. */
  readonly ciphers?: FrameCiphers;
  /** A segment that has grown to this is sealed. */
  readonly segmentSizeBytesMin?: number;
}

/**
 * All that one directory holds.
 *
 * 1. What is kept in it shares one gate: a sync that fails, of whatever file, ends all writes.
 * 2. It opens with the master key that its newest segment was written under, or not at all, and not
 *    when that segment is another store's.
 * 3. Opening reads no blob: it takes as long as the listing of segments and the last of them.
 */
export class DiskVolume implements AsyncDisposable {
  readonly blobs: DiskBlobStore;
  readonly snapshots: DiskSnapshots;
  /** For whatever else is kept in the directory. */
  readonly parts: VolumeParts;
  readonly #ownCiphers: FrameCiphers | undefined;

  private constructor(parts: VolumeParts, segments: SegmentStore, ownCiphers?: FrameCiphers) {
    this.parts = parts;
    this.blobs = new DiskBlobStore(parts, segments);
    this.snapshots = new DiskSnapshots(parts);
    this.#ownCiphers = ownCiphers;
  }

  static async open(options: DiskVolumeOptions): Promise<DiskVolume> {
    const { parts, ownCiphers } = partsOf(options);
    try {
      await prepareDirectories(parts.files, parts.layout);
      await checkOwnership(parts);
      const segments = await SegmentStore.open(parts, options.segmentSizeBytesMin);
      return new DiskVolume(parts, segments, ownCiphers);
    } catch (error) {
      throw otherFailure(error, 'read');
    }
  }

  /**
   * Opens what is there without changing a byte of it, now or later, also while a server runs on it.
   * Of what that one is writing at the moment, more may be listed than was acknowledged.
   */
  static async openToRead(options: DiskVolumeOptions): Promise<DiskVolume> {
    const { parts, ownCiphers } = partsOf(options);
    parts.gate.close();
    try {
      await refuseOtherVersions(parts.files, parts.layout);
      await checkOwnership(parts);
      return new DiskVolume(parts, SegmentStore.toRead(parts), ownCiphers);
    } catch (error) {
      throw otherFailure(error, 'read');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.blobs[Symbol.asyncDispose]();
    this.parts.gate.close();
    await this.#ownCiphers?.[Symbol.asyncDispose]();
  }
}

function partsOf(options: DiskVolumeOptions) {
  const { directory, files = nodeFiles, storeId, masterKeys, randomBytes, clock, log } = options;
  const layout = new Layout(directory);
  const ownCiphers = options.ciphers === undefined ? new FrameThreads() : undefined;
  const parts: VolumeParts = {
    ...{ files, layout, storeId, masterKeys, randomBytes, clock, log },
    ciphers: options.ciphers ?? defined(ownCiphers, 'ciphers of its own'),
    gate: new WriteGate(log),
    room: new Room(layout.root, { files, clock }),
    headers: new HeaderReader(log),
    pool: new FramePool(),
  };
  return { parts, ownCiphers };
}

/** Whether the directory holds nothing that a master key is needed for. */
export async function isEmptyVolume(directory: string, files: Files = nodeFiles): Promise<boolean> {
  const { segments, large, journal, snapshots } = new Layout(directory);
  for (const each of [segments, large, journal, snapshots]) {
    if (await hasFiles(each, files)) return false;
  }
  return true;
}

async function hasFiles(directory: string, files: Files): Promise<boolean> {
  try {
    for await (const _ of files.list(directory)) return true;
    return false;
  } catch (error) {
    if (isFileError(error, 'ENOENT')) return false;
    throw otherFailure(error, 'list');
  }
}

/**
 * Throws `StoreUnavailable` when the newest segment is another store's, or its data key is wrapped
 * with a key that we do not have: better now, and once, than at each blob that is read.
 */
async function checkOwnership(parts: VolumeParts): Promise<void> {
  const { files, layout, storeId, masterKeys } = parts;
  for (const number of (await numbersIn(files, layout.segments)).reverse()) {
    const header = await headerOfSegment(number, parts);
    // One that died before its header was durable says nothing: the one before it does.
    if (header === undefined) continue;
    if (header.storeId !== storeId) {
      throw ofAnotherStore(layout.segment(number), header.storeId, storeId);
    }
    openDataKey(header, masterKeys);
    return;
  }
}

async function headerOfSegment(
  number: number,
  parts: VolumeParts,
): Promise<FileHeader | undefined> {
  const file = await openSegment(number, parts);
  if (file === undefined) return undefined;
  try {
    return (await readGrowingHeader(file)).header;
  } finally {
    await file.close();
  }
}

function ofAnotherStore(path: string, itsId: string, ourId: string): StoreError {
  return new StoreError(
    'StoreUnavailable',
    `${path} belongs to the store ${itsId}, and its directory to the store ${ourId}. Put back the ` +
      'files that belong there, from the backup that they came from.',
  );
}
