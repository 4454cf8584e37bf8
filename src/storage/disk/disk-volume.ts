import { defined } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { RandomBytes } from '../../lib/random.ts';
import { StoreError } from '../errors.ts';
import type { InspectedFile, Upkeep } from '../upkeep.ts';
import { DiskBlobStore } from './disk-blob-store.ts';
import { DiskSnapshots } from './disk-snapshots.ts';
import { openDataKey } from './file-header.ts';
import { type Files, hasFiles, Layout, otherFailure } from './files.ts';
import type { FrameCiphers } from './frame-ciphers.ts';
import { FramePool } from './frame-pipeline.ts';
import { FrameThreads } from './frame-threads.ts';
import { HeaderReader } from './header-reader.ts';
import { inspectHeaders } from './inspect-headers.ts';
import type { MasterKeys } from './master-keys.ts';
import { nodeFiles } from './node-files.ts';
import { prepareDirectories, refuseOtherVersions } from './prepare-directories.ts';
import { Room } from './room.ts';
import { type SegmentGrowth, SegmentStore } from './segment-store.ts';
import { findHeader } from './store-id-in-headers.ts';
import type { VolumeParts } from './volume-parts.ts';
import { WriteGate } from './write-gate.ts';

export interface DiskVolumeOptions extends SegmentGrowth {
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
}

/**
 * All that one directory holds.
 *
 * 1. What is kept in it shares one gate: a sync that fails, of whatever file, ends all writes.
 * 2. It opens with the master key that its newest segment was written under, or not at all, and not
 *    when that segment is another store's. Where there is none, its other files tell.
 * 3. Opening reads no blob: it takes as long as the listing of segments and the last of them.
 */
export class DiskVolume implements Upkeep, AsyncDisposable {
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
      await prepareDirectories(parts);
      await checkOwnership(parts);
      const segments = await SegmentStore.open(parts, options);
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

  inspectHeaders(signal: AbortSignal): AsyncGenerator<InspectedFile> {
    return inspectHeaders(this.parts, signal);
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
  const gate = new WriteGate(log);
  const parts: VolumeParts = {
    ...{ files, layout, storeId, masterKeys, randomBytes, clock, log },
    ciphers: options.ciphers ?? defined(ownCiphers, 'ciphers of its own'),
    gate,
    room: new Room(layout.root, { files, clock }),
    headers: new HeaderReader({ files, gate, log }),
    pool: new FramePool(),
  };
  return { parts, ownCiphers };
}

/** Whether the directory holds nothing that a master key is needed for. */
export async function isEmptyVolume(directory: string, files: Files = nodeFiles): Promise<boolean> {
  const { segments, large, journal, snapshots } = new Layout(directory);
  for (const each of [segments, large, journal, snapshots]) {
    if (await hasFiles(files, each)) return false;
  }
  return true;
}

/**
 * Throws `StoreUnavailable` when what is kept here is another store's, or its data key is wrapped with
 * a key that we do not have: better now, and once, than at each blob that is read.
 */
async function checkOwnership({ files, layout, storeId, masterKeys }: VolumeParts): Promise<void> {
  const found = await findHeader(layout, files);
  if (found === undefined) return;
  const { path, header } = found;
  if (header.storeId !== storeId) throw ofAnotherStore(path, header.storeId, storeId);
  openDataKey(header, masterKeys);
}

function ofAnotherStore(path: string, itsId: string, ourId: string): StoreError {
  return new StoreError(
    'StoreUnavailable',
    `${path} belongs to the store ${itsId}, and its directory to the store ${ourId}. Put back the ` +
      'files that belong there, from the backup that they came from.',
  );
}
