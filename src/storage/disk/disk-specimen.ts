import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defined } from '../../lib/assert.ts';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { systemRandomBytes } from '../../lib/node/random.ts';
import type { BlobDamage, BlobSpecimen } from '../blob-specimen.ts';
import { type BlobId, frameSizeBytes } from '../blob-store.ts';
import { parseBlobId } from './disk-blob-id.ts';
import { DiskBlobStore } from './disk-blob-store.ts';
import { type BeforeFileDeed, FaultyFiles, fileError } from './faulty-files.ts';
import { type Files, Layout } from './files.ts';
import { largeHeaderBytes } from './large-header.ts';
import { nodeFiles } from './node-files.ts';
import { recordHeaderBytes, recordSizeBytes } from './segment-record.ts';
import { SimulatedFiles, type Survives } from './simulated-files.ts';

/** A disk store for tests, over files that fail when told to. */
export class DiskSpecimen implements BlobSpecimen {
  readonly directory: string;
  readonly clock = new SimulatedClock();
  /** The files themselves, without faults. */
  readonly files: Files;
  /** Called before each deed on a file; may throw. */
  before: BeforeFileDeed = () => {};
  readonly setRoom = (bytes: number) => {
    this.#roomBytes = bytes;
  };
  readonly setSyncsFail = (isFailing: boolean) => {
    this.#isSyncFailing = isFailing;
  };
  readonly #crashFiles: () => void;
  readonly #dispose: () => Promise<void>;
  #faulty: FaultyFiles;
  #store: DiskBlobStore | undefined;
  #roomBytes = Number.POSITIVE_INFINITY;
  #isSyncFailing = false;

  constructor(
    directory: string,
    files: Files,
    { crash, dispose }: { crash: (survives?: Survives) => void; dispose: () => Promise<void> },
  ) {
    this.directory = directory;
    this.files = files;
    this.#crashFiles = crash;
    this.#dispose = dispose;
    this.#faulty = this.#newFaulty();
  }

  /** On a file system in memory, which forgets at a crash what was not synced. */
  static async simulated(survives?: Survives): Promise<DiskSpecimen> {
    const files = new SimulatedFiles('/');
    const crash = () => files.crash(survives);
    const specimen = new DiskSpecimen('/store', files, { crash, dispose: async () => {} });
    await specimen.#open();
    return specimen;
  }

  /** In a temporary directory. A crash is one of the process, not of the machine. */
  static async real(): Promise<DiskSpecimen> {
    const parent = await mkdtemp(join(tmpdir(), 'firn-blobs-'));
    const dispose = () => rm(parent, { recursive: true });
    const directory = join(parent, 'store');
    const specimen = new DiskSpecimen(directory, nodeFiles, { crash: () => {}, dispose });
    await specimen.#open();
    return specimen;
  }

  get store(): DiskBlobStore {
    return defined(this.#store, 'an open store');
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
    await this.store[Symbol.asyncDispose]();
    await this.#open();
  };

  readonly damages = async (id: BlobId, sizeBytes: number): Promise<BlobDamage[]> => {
    const name = defined(parseBlobId(id), 'a name of this store');
    const layout = new Layout(this.directory);
    if (name.kind === 'small') {
      const path = layout.segment(name.segment);
      return this.#flips(path, name.offsetBytes, smallBytes(sizeBytes));
    }
    const path = join(layout.large, id);
    const lost = [
      this.#truncation(path, largeHeaderBytes + sizeBytes),
      this.#truncation(path, largeHeaderBytes + frameSizeBytes + 1),
      this.#truncation(path, 100),
      this.#truncation(path, 0),
      this.#absence(path),
    ];
    return [...this.#flips(path, 0, largeBytes(sizeBytes)), ...lost];
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store?.[Symbol.asyncDispose]();
    await this.#dispose();
  }

  async #open(): Promise<void> {
    this.#faulty = this.#newFaulty();
    this.#store = await DiskBlobStore.open({
      directory: this.directory,
      files: this.#faulty,
      randomBytes: systemRandomBytes,
      clock: this.clock,
      log: silentLog,
    });
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

  #flips(path: string, start: number, bytes: Readonly<Record<string, number>>): BlobDamage[] {
    return Object.entries(bytes).map(([what, offset]) => ({
      what,
      isHarmless: what === 'padding',
      apply: async () => {
        const flip = async () => {
          const file = await this.files.open(path, 'read and write');
          const byte = new Uint8Array(1);
          await file.read(byte, start + offset);
          await file.write(Uint8Array.of((byte[0] ?? 0) ^ 1), start + offset);
          await file.close();
        };
        await flip();
        return flip;
      },
    }));
  }

  #truncation(path: string, size: number): BlobDamage {
    return {
      what: `the file ends after ${size} bytes`,
      apply: async () => {
        const file = await this.files.open(path, 'read and write');
        const lost = new Uint8Array((await file.size()) - size);
        await file.read(lost, size);
        await file.truncate(size);
        return async () => {
          await file.write(lost, size);
          await file.close();
        };
      },
    };
  }

  #absence(path: string): BlobDamage {
    return {
      what: 'the file is missing',
      apply: async () => {
        const elsewhere = join(this.directory, 'elsewhere');
        await this.files.rename(path, elsewhere);
        return () => this.files.rename(elsewhere, path);
      },
    };
  }
}

/** One byte of each class in a record of a segment. */
function smallBytes(sizeBytes: number): Record<string, number> {
  const end = recordHeaderBytes + sizeBytes;
  return {
    magic: 0,
    version: 7,
    mark: 8,
    'segment number': 23,
    'record offset': 31,
    nonce: 40,
    'time of writing': 55,
    size: 63,
    'size, high': 56,
    leaf: 64,
    checksum: 127,
    ...dataBytes(recordHeaderBytes, sizeBytes),
    ...(end < recordSizeBytes(sizeBytes) ? { padding: end } : {}),
  };
}

/** One byte of each class in the file of a large blob. */
function largeBytes(sizeBytes: number): Record<string, number> {
  return {
    magic: 0,
    version: 7,
    'time of writing': 15,
    nonce: 20,
    size: 39,
    'checksum of the leaves': 40,
    reserved: 1000,
    checksum: largeHeaderBytes - 1,
    ...dataBytes(largeHeaderBytes, sizeBytes),
    'first leaf': largeHeaderBytes + sizeBytes,
    'last leaf': largeHeaderBytes + sizeBytes + Math.ceil(sizeBytes / frameSizeBytes) * 32 - 1,
  };
}

function dataBytes(start: number, sizeBytes: number): Record<string, number> {
  const offsets = [0, sizeBytes >> 1, sizeBytes - 1];
  return Object.fromEntries(offsets.map((offset) => [`byte ${offset}`, start + offset]));
}
