import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defined } from '../../lib/assert.ts';
import { SimulatedClock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { silentLog } from '../../lib/log.ts';
import { systemRandomBytes } from '../../lib/node/random.ts';
import type { BlobDamage, SampleBlob } from '../blob-specimen.ts';
import type { CompactionSpecimen } from '../compaction.contract.ts';
import { type BeforeRead, withBadSectors } from './bad-sectors.ts';
import { parseBlobId } from './disk-blob-id.ts';
import type { DiskBlobStore } from './disk-blob-store.ts';
import { damagesOfLarge, damagesOfSmall } from './disk-damages.ts';
import type { DiskSnapshots } from './disk-snapshots.ts';
import { DiskVolume, type DiskVolumeOptions } from './disk-volume.ts';
import { type BeforeFileDeed, FaultyFiles, fileError } from './faulty-files.ts';
import { type Files, Layout } from './files.ts';
import { type FrameCiphers, inlineFrameCiphers } from './frame-ciphers.ts';
import { FrameThreads } from './frame-threads.ts';
import { MasterKeys } from './master-keys.ts';
import { nodeFiles } from './node-files.ts';
import { SimulatedFiles, type Survives } from './simulated-files.ts';

/** A disk store for tests, over files that fail when told to. */
export class DiskSpecimen implements CompactionSpecimen {
  readonly directory: string;
  readonly clock = new SimulatedClock();
  /** The files themselves, without faults. */
  readonly files: Files;
  /** Called before each deed on a file; may throw. */
  before: BeforeFileDeed = () => {};
  /** Called before each read; may throw. */
  beforeRead: BeforeRead = () => {};
  readonly setRoom = (bytes: number) => {
    this.#roomBytes = bytes;
  };
  readonly setSyncsFail = (isFailing: boolean) => {
    this.#isSyncFailing = isFailing;
  };
  /** The keys that the store is opened with from the next time on. */
  masterKeys = new MasterKeys([new Uint8Array(32).fill(7)]);
  storeId = '000102030405060708090a0b0c0d0e0f';
  log: Log = silentLog;
  readonly #crashFiles: () => void;
  readonly #dispose: () => Promise<void>;
  readonly #ciphers: FrameCiphers;
  readonly #segmentAheadBytes: number;
  #faulty: FaultyFiles;
  #volume: DiskVolume | undefined;
  #roomBytes = Number.POSITIVE_INFINITY;
  #isSyncFailing = false;

  constructor(directory: string, files: Files, means: Means) {
    const { crash, dispose, ciphers, segmentAheadBytes = 0 } = means;
    this.#ciphers = ciphers;
    this.#segmentAheadBytes = segmentAheadBytes;
    this.directory = directory;
    this.files = files;
    this.#crashFiles = crash;
    this.#dispose = dispose;
    this.#faulty = this.#newFaulty();
  }

  /** On a file system in memory, which forgets at a crash what was not synced. */
  static async simulated(
    survives?: Survives,
    growth: Pick<Means, 'segmentAheadBytes'> = {},
  ): Promise<DiskSpecimen> {
    const files = new SimulatedFiles('/');
    const crash = () => files.crash(survives);
    const dispose = async () => {};
    const ciphers = inlineFrameCiphers;
    const specimen = new DiskSpecimen('/store', files, { crash, dispose, ciphers, ...growth });
    await specimen.#open();
    return specimen;
  }

  /** In a temporary directory. A crash is one of the process, not of the machine. */
  static async real(): Promise<DiskSpecimen> {
    const parent = await mkdtemp(join(tmpdir(), 'firn-blobs-'));
    const ciphers = new FrameThreads();
    const dispose = async () => {
      await ciphers[Symbol.asyncDispose]();
      await rm(parent, { recursive: true });
    };
    const directory = join(parent, 'store');
    const specimen = new DiskSpecimen(directory, nodeFiles, { crash: () => {}, dispose, ciphers });
    await specimen.#open();
    return specimen;
  }

  get volume(): DiskVolume {
    return defined(this.#volume, 'an open volume');
  }

  get store(): DiskBlobStore {
    return this.volume.blobs;
  }

  get compaction(): DiskBlobStore {
    return this.store;
  }

  get snapshots(): DiskSnapshots {
    return this.volume.snapshots;
  }

  get openFileCount(): number {
    return this.#faulty.openCount;
  }

  readonly crash = async (): Promise<void> => {
    await this.#faulty.cut();
    this.#crashFiles();
    await this.#open();
  };

  readonly reopen = async (): Promise<void> => {
    await this.volume[Symbol.asyncDispose]();
    await this.#open();
  };

  readonly damages = async (blob: SampleBlob): Promise<BlobDamage[]> => {
    const name = defined(parseBlobId(blob.id), 'a name of this store');
    const layout = new Layout(this.directory);
    if (name.kind === 'large') {
      return damagesOfLarge({ files: this.files, path: join(layout.large, blob.id) }, blob);
    }
    const place = { files: this.files, path: layout.segment(name.segment) };
    return damagesOfSmall({ ...place, offsetBytes: name.offsetBytes }, blob);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#volume?.[Symbol.asyncDispose]();
    await this.#dispose();
  }

  /** As it would be opened beside another one. */
  openToRead(): Promise<DiskVolume> {
    return DiskVolume.openToRead(this.#options());
  }

  async #open(): Promise<void> {
    this.#faulty = this.#newFaulty();
    this.#volume = await DiskVolume.open(this.#options());
  }

  #options(): DiskVolumeOptions {
    return {
      directory: this.directory,
      files: withBadSectors(this.#faulty, (...place) => this.beforeRead(...place)),
      storeId: this.storeId,
      masterKeys: this.masterKeys,
      ciphers: this.#ciphers,
      randomBytes: systemRandomBytes,
      clock: this.clock,
      log: this.log,
      segmentAheadBytes: this.#segmentAheadBytes,
    };
  }

  #newFaulty(): FaultyFiles {
    return new FaultyFiles(this.files, (deed, path, sizeBytes) => {
      this.before(deed, path, sizeBytes);
      const isSync = deed === 'sync' || deed === 'syncDirectory';
      if (isSync && this.#isSyncFailing) throw fileError('EIO', deed);
      // A mark is written over what is there: that needs no room.
      if (deed !== 'write' || sizeBytes <= 8) return;
      if (this.#roomBytes < sizeBytes) throw fileError('ENOSPC', deed);
      this.#roomBytes -= sizeBytes;
    });
  }
}

/** What differs between files in memory and those on a disk. */
interface Means {
  readonly crash: (survives?: Survives) => void;
  readonly dispose: () => Promise<void>;
  readonly ciphers: FrameCiphers;
  /** None unless a test says otherwise: a segment is then what was written to it, and no more. */
  readonly segmentAheadBytes?: number;
}
