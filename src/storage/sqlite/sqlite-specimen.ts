import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import type { MetadataSpecimen, SyncControl } from '../metadata-specimen.ts';
import type { SyncFile } from './durability.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

/** A database on disk that can be crashed, filled, and have its syncs disturbed. For tests. */
export async function openSqliteSpecimen(): Promise<MetadataSpecimen> {
  const specimen = new SqliteSpecimen(await mkdtemp(join(tmpdir(), 'firn-sqlite-')));
  await specimen.open();
  return specimen;
}

class SqliteSpecimen implements MetadataSpecimen {
  readonly clock = new SimulatedClock();
  readonly syncs = new DisturbedSyncs();
  readonly #directory: string;
  readonly #dropped: SqliteMetadataStore[] = [];
  #path: string;
  #crashes = 0;
  #store: SqliteMetadataStore | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, 'firn.db');
  }

  get store(): SqliteMetadataStore {
    if (this.#store === undefined) throw new Error('not open');
    return this.#store;
  }

  async open(sizeBytesMax = Number.POSITIVE_INFINITY): Promise<void> {
    const path = this.#path;
    this.#store = await SqliteMetadataStore.open({
      path,
      log: silentLog,
      sync: this.syncs.over(`${path}-wal`),
      ...(Number.isFinite(sizeBytesMax) ? { sizeBytesMax } : {}),
    });
    await this.syncs.noteDurable(`${path}-wal`);
  }

  async reopen(): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await this.open();
  }

  async setRoom(bytes: number): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await this.open((await stat(this.#path)).size + bytes);
  }

  /**
   * What a power cut leaves: the database, which only checkpoints write, and of its log, which only
   * grows until it is copied, what it held when the last sync began.
   */
  async crash(): Promise<void> {
    this.#dropped.push(this.store);
    const database = await readFile(this.#path);
    const written = await readFile(`${this.#path}-wal`);
    this.#crashes += 1;
    this.#path = join(this.#directory, `after-${this.#crashes}.db`);
    await writeFile(this.#path, database);
    await writeFile(`${this.#path}-wal`, written.subarray(0, this.syncs.durableBytes));
    this.syncs.release();
    await this.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.syncs.release();
    await this.store[Symbol.asyncDispose]();
    for (const store of this.#dropped) await store[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true });
  }
}

class DisturbedSyncs implements SyncControl {
  count = 0;
  isFailing = false;
  durableBytes = 0;
  #held: Promise<void> | undefined;
  release: () => void = () => undefined;

  over(path: string): SyncFile {
    return async () => {
      this.count += 1;
      const { size } = await stat(path);
      await this.#held;
      if (this.isFailing) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
      this.durableBytes = size;
    };
  }

  async noteDurable(path: string): Promise<void> {
    this.durableBytes = (await stat(path)).size;
  }

  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    this.release = () => {
      this.#held = undefined;
      resolve();
    };
    return this.release;
  }
}
