import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimulatedClock } from '../../lib/clock.ts';
import type { Facts, Log } from '../../lib/log.ts';
import { isStoreError } from '../errors.ts';
import { MemoryJournal } from '../memory/memory-journal.ts';
import { MemorySnapshots } from '../memory/memory-snapshots.ts';
import {
  accountId,
  addArchive,
  region,
  sampleCharge,
  sampleLock,
  sampleUnit,
  sampleVault,
} from '../metadata-specimen.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

const here = { accountId, region };
const goingOn = new AbortController().signal;

/** A directory with a database, and what it is made again from. For tests. */
export interface House {
  readonly directory: string;
  readonly path: string;
  readonly clock: SimulatedClock;
  readonly log: ListedLog;
  readonly snapshots: MemorySnapshots;
  journal: MemoryJournal;
  open(): Promise<SqliteMetadataStore>;
  /** Writes this and that, with a snapshot in the middle or without. */
  fill(how: 'snapshot' | 'no snapshot'): Promise<void>;
}

export async function inHouse(work: (house: House) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'firn-recovery-'));
  const clock = new SimulatedClock();
  let round = 0;
  const house: House = {
    directory,
    path: join(directory, 'firn.db'),
    clock,
    log: new ListedLog(),
    journal: new MemoryJournal(),
    snapshots: new MemorySnapshots({ clock }),
    open: () => SqliteMetadataStore.open(house),
    fill: async (how) => {
      await using store = await house.open();
      round += 1;
      if (round === 1) {
        await store.write(async ({ vaults, vaultSettings, retrievals, capacity }) => {
          await vaults.insert(sampleVault('vault'));
          await vaultSettings.putTags('vault', [{ key: 'key', value: 'value' }]);
          await vaultSettings.setNotifications('vault', { snsTopic: 'topic', events: ['event'] });
          await vaultSettings.setAccessPolicy('vault', '{}');
          await vaultSettings.setLock('vault', sampleLock());
          await retrievals.setPolicy(here, {
            strategy: 'BytesPerHour',
            bytesPerHour: '9'.repeat(18),
          });
          await retrievals.insertCharge(sampleCharge('job'));
          await capacity.insert(sampleUnit('unit'));
        });
        for (const index of [1, 2, 3]) await addArchive(store, `archive ${index}`);
        await store.write(async ({ vaults, archives }) => {
          const change = { archives: -1, sizeBytes: -30, atMs: 5 } as const;
          await archives.markRemoved('archive 1', await vaults.recordChange('vault', change));
        });
      }
      if (how === 'snapshot') await store.takeSnapshot(goingOn);
      await store.write(({ facts }) => facts.set(`fact ${round}`, 'value'));
      await store.write(({ facts }) => facts.set('last', 'value'));
    },
  };
  try {
    await work(house);
  } finally {
    await rm(directory, { recursive: true });
  }
}

class ListedLog implements Log {
  readonly #events: (readonly [level: string, event: string, facts: Facts | undefined])[] = [];

  info(event: string, facts?: Facts): void {
    this.#events.push(['info', event, facts]);
  }

  warn(event: string, facts?: Facts): void {
    this.#events.push(['warn', event, facts]);
  }

  error(event: string, facts?: Facts): void {
    this.#events.push(['error', event, facts]);
  }

  names(level: 'info' | 'warn' | 'error'): string[] {
    return this.#events.filter(([each]) => each === level).map(([, event]) => event);
  }
}

export function factIn(store: SqliteMetadataStore, name: string): Promise<string | undefined> {
  return store.read(({ facts }) => facts.get(name));
}

export function isUnavailable(error: unknown): error is Error {
  return isStoreError(error, 'StoreUnavailable');
}
