import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { defined } from '../../lib/assert.ts';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { systemRandomBytes } from '../../lib/node/random.ts';
import type { BatchDamage, JournalSpecimen } from '../journal.contract.ts';
import { DiskJournal, type DiskJournalOptions } from './disk-journal.ts';
import { type BeforeFileDeed, FaultyFiles, fileError } from './faulty-files.ts';
import { fileHeaderBytes } from './file-header.ts';
import { type Files, Layout, numbersIn, type OpenFile } from './files.ts';
import { growingContentOffset } from './header-copies.ts';
import { decodeEntryHeader, entryHeaderBytes, entrySizeBytes } from './journal-entry.ts';
import { MasterKeys } from './master-keys.ts';
import { nodeFiles } from './node-files.ts';
import { SimulatedFiles, type Survives } from './simulated-files.ts';
import { WriteGate } from './write-gate.ts';

export const journalStoreId = '000102030405060708090a0b0c0d0e0f';
export const journalMasterKeys = new MasterKeys([new Uint8Array(32).fill(7)]);

/** A disk journal for tests, over files that fail when told to. */
export class DiskJournalSpecimen implements JournalSpecimen {
  readonly layout: Layout;
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
  options: Partial<DiskJournalOptions> = {};
  readonly #crashFiles: () => void;
  readonly #dispose: () => Promise<void>;
  #faulty: FaultyFiles;
  #journal: DiskJournal | undefined;
  #roomBytes = Number.POSITIVE_INFINITY;
  #isSyncFailing = false;

  constructor(
    directory: string,
    files: Files,
    { crash, dispose }: { crash: () => void; dispose: () => Promise<void> },
  ) {
    this.layout = new Layout(directory);
    this.files = files;
    this.#crashFiles = crash;
    this.#dispose = dispose;
    this.#faulty = this.#newFaulty();
  }

  /** On a file system in memory, which forgets at a crash what was not synced. */
  static async simulated(survives?: Survives): Promise<DiskJournalSpecimen> {
    const files = new SimulatedFiles('/');
    const crash = () => files.crash(survives);
    const specimen = new DiskJournalSpecimen('/store', files, { crash, dispose: async () => {} });
    await specimen.#begin();
    return specimen;
  }

  /** In a temporary directory. A crash is one of the process, not of the machine. */
  static async real(): Promise<DiskJournalSpecimen> {
    const parent = await mkdtemp(join(tmpdir(), 'firn-journal-'));
    const dispose = () => rm(parent, { recursive: true });
    const place = { crash: () => {}, dispose };
    const specimen = new DiskJournalSpecimen(join(parent, 'store'), nodeFiles, place);
    await specimen.#begin();
    return specimen;
  }

  get journal(): DiskJournal {
    return defined(this.#journal, 'an open journal');
  }

  get openFileCount(): number {
    return this.#faulty.openCount;
  }

  readonly crash = async (): Promise<void> => {
    await this.#faulty.cut();
    this.#crashFiles();
    await this.open();
  };

  /** The death of the process alone: what it wrote is still seen, synced or not. */
  readonly kill = async (): Promise<void> => {
    await this.#faulty.cut();
    await this.open();
  };

  readonly reopen = async (): Promise<void> => {
    await this.journal[Symbol.asyncDispose]();
    await this.open();
  };

  readonly damages = async (sequence: number): Promise<BatchDamage[]> => {
    const { path, offset, payloadBytes } = await this.#find(sequence);
    const sealed = offset + entryHeaderBytes;
    const end = offset + entrySizeBytes(payloadBytes);
    const fields = { magic: 0, version: 7, sequence: 15, size: 22, count: 31, number: 39 };
    const inHeader = Object.entries({ ...fields, offset: 47, checksum: 48 });
    const fatal = inHeader.map(([what, at]): [string, number] => [what, offset + at]);
    fatal.push(['payload', sealed], ['tag', end - 1]);
    const harmless: [string, number][] = [['first header', 100]];
    harmless.push(['second header', growingContentOffset - fileHeaderBytes + 100]);
    if (end % 64 !== 0) harmless.push(['what lies between two entries', end]);
    return [
      ...fatal.map(([what, at]) => this.#flip(what, path, at)),
      ...harmless.map(([what, at]) => ({
        ...this.#flip(what, path, at),
        isHarmless: true,
      })),
    ];
  };

  async open(): Promise<void> {
    this.#faulty = this.#newFaulty();
    this.#journal = await DiskJournal.open({
      layout: this.layout,
      files: this.#faulty,
      gate: new WriteGate(silentLog),
      storeId: journalStoreId,
      masterKeys: journalMasterKeys,
      randomBytes: systemRandomBytes,
      clock: new SimulatedClock(),
      log: silentLog,
      ...this.options,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#journal?.[Symbol.asyncDispose]();
    await this.#dispose();
  }

  async #begin(): Promise<void> {
    const { root, version, journal } = this.layout;
    for (const directory of [root, version, journal]) {
      await this.files.makeDirectory(directory);
      await this.files.syncDirectory(dirname(directory));
    }
    await this.open();
  }

  /** Where the entry of a batch is. */
  async #find(sequence: number) {
    for (const number of await numbersIn(this.files, this.layout.journal)) {
      const path = this.layout.journalFile(number);
      const bytes = await this.content(path);
      for (let offset = growingContentOffset; offset < bytes.length; offset += 64) {
        const place = { fileNumber: number, offsetBytes: offset };
        const header = decodeEntryHeader(bytes.subarray(offset), place);
        if (header?.sequence === sequence) return { path, offset, ...header };
      }
    }
    throw new Error(`there is no entry of batch ${sequence}`);
  }

  async content(path: string): Promise<Buffer> {
    const file = await this.files.open(path, 'read');
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    await file.close();
    return bytes;
  }

  /** Runs `change` on a file. */
  async change(path: string, change: (file: OpenFile) => Promise<void>): Promise<void> {
    const file = await this.files.open(path, 'read and write');
    await change(file);
    await file.close();
  }

  #flip(what: string, path: string, offset: number): BatchDamage {
    const flip = () =>
      this.change(path, async (file) => {
        const byte = new Uint8Array(1);
        await file.read(byte, offset);
        await file.write(Uint8Array.of((byte[0] ?? 0) ^ 1), offset);
      });
    const apply = async () => {
      await flip();
      return flip;
    };
    return { what, apply };
  }

  #newFaulty(): FaultyFiles {
    return new FaultyFiles(this.files, (deed, path, sizeBytes) => {
      this.before(deed, path, sizeBytes);
      const isSync = deed === 'sync' || deed === 'syncDirectory';
      if (isSync && this.#isSyncFailing) throw fileError('EIO', deed);
      if (deed !== 'write') return;
      if (this.#roomBytes < sizeBytes) throw fileError('ENOSPC', deed);
      this.#roomBytes -= sizeBytes;
    });
  }
}
