import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { StoreError } from '../errors.ts';
import type { Journal, JournalBatch } from '../journal.ts';
import { MemoryJournal } from '../memory/memory-journal.ts';
import type { MetadataSpecimen, SyncControl } from '../metadata-specimen.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

/**
 * A database on disk that can be crashed, filled, and have its journal disturbed. For tests. A crash
 * leaves of the database what `survives` says: the file alone, without what only SQLite's log had,
 * or nothing at all.
 */
export async function openSqliteSpecimen(
  survives: 'database' | 'nothing' = 'database',
): Promise<MetadataSpecimen> {
  const directory = await mkdtemp(join(tmpdir(), 'firn-sqlite-'));
  const specimen = new SqliteSpecimen(directory, survives);
  await specimen.open();
  return specimen;
}

class SqliteSpecimen implements MetadataSpecimen {
  readonly clock = new SimulatedClock();
  readonly syncs = new DisturbedJournal();
  readonly #directory: string;
  readonly #survives: 'database' | 'nothing';
  readonly #dropped: SqliteMetadataStore[] = [];
  #path: string;
  #crashes = 0;
  #store: SqliteMetadataStore | undefined;

  constructor(directory: string, survives: 'database' | 'nothing') {
    this.#directory = directory;
    this.#survives = survives;
    this.#path = join(directory, 'firn.db');
  }

  get store(): SqliteMetadataStore {
    if (this.#store === undefined) throw new Error('not open');
    return this.#store;
  }

  async open(sizeBytesMax = Number.POSITIVE_INFINITY): Promise<void> {
    this.#store = await SqliteMetadataStore.open({
      path: this.#path,
      clock: this.clock,
      log: silentLog,
      journal: this.syncs.reopened(),
      ...(Number.isFinite(sizeBytesMax) ? { sizeBytesMax } : {}),
    });
  }

  async reopen(): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await this.open();
  }

  async setRoom(bytes: number): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await this.open((await stat(this.#path)).size + bytes);
  }

  async crash(): Promise<void> {
    this.#dropped.push(this.store);
    this.#crashes += 1;
    const path = join(this.#directory, `after-${this.#crashes}.db`);
    if (this.#survives === 'database') await copyFile(this.#path, path);
    this.#path = path;
    await this.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.syncs.release();
    await this.store[Symbol.asyncDispose]();
    for (const store of this.#dropped) await store[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true });
  }
}

/** The journals of one store after the other, each with what the one before it took. */
class DisturbedJournal implements SyncControl {
  count = 0;
  isFailing = false;
  #held: Promise<void> | undefined;
  #inner = new MemoryJournal();
  release: () => void = () => undefined;

  /** As after a restart: what is held by `hold` is not in it, and never will be. */
  reopened(): Journal {
    const inner = new MemoryJournal(this.#inner.batches);
    this.#inner = inner;
    // It goes to the journal before, which nobody reads any more; an opening may append to this one.
    this.release();
    let isInDoubt = false;
    return {
      get lastSequence() {
        return inner.lastSequence;
      },
      get sizeBytes() {
        return inner.sizeBytes;
      },
      append: async (batch: JournalBatch) => {
        this.count += 1;
        await this.#held;
        isInDoubt ||= this.isFailing;
        if (isInDoubt) throw new StoreError('StoreUnavailable', 'EIO: i/o error');
        await inner.append(batch);
      },
      read: (afterSequence) => inner.read(afterSequence),
      forget: (throughSequence) => inner.forget(throughSequence),
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
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
