import assert from 'node:assert/strict';
import { join } from 'node:path';
import { assembleServices } from '../../src/compose-services.ts';
import { Pins } from '../../src/domain/pins.ts';
import { type SalvageReport, salvage } from '../../src/domain/salvage.ts';
import { MemoryJournal } from '../../src/storage/memory/memory-journal.ts';
import { MemorySnapshots } from '../../src/storage/memory/memory-snapshots.ts';
import { rebuildDatabase } from '../../src/storage/sqlite/rebuild.ts';
import { SqliteMetadataStore } from '../../src/storage/sqlite/sqlite-metadata-store.ts';
import { DiscardUploads } from '../../src/workers/discard-uploads.ts';
import { ForgetArchives } from '../../src/workers/forget-archives.ts';
import { SweepOrphans } from '../../src/workers/sweep-orphans.ts';
import { type Domain, goingOn, hourMs, openDomain, photos, runUntilIdle } from './domain.ts';
import { TemporaryDirectory } from './temporary-directory.ts';

export interface Loss {
  /** The domain over the rows that were made again. */
  readonly domain: Domain;
  /** What the journal could not bring back, as sentences. */
  readonly lost: readonly string[];
  readonly report: SalvageReport;
}

/**
 * Has `live` do something to a domain with the vault `photos`, loses those batches of its journal that
 * it answers, makes the rows again of the rest and of the labels of blobs, and has `look` see that.
 */
export async function afterLoss(
  live: (domain: Domain, journal: MemoryJournal) => Promise<readonly number[]>,
  look: (loss: Loss) => Promise<void>,
): Promise<void> {
  using directory = new TemporaryDirectory();
  await using base = await openDomain();
  const { clock, log } = base;
  const path = join(directory.path, 'firn.db');
  const open = (journal: MemoryJournal) => SqliteMetadataStore.open({ path, clock, log, journal });
  const written = new MemoryJournal();
  const lostSequences = await withDomain(base, await open(written), async (domain) => {
    await domain.vaults.create(photos);
    return await live(domain, written);
  });
  const left = written.batches.filter(({ sequence }) => !lostSequences.includes(sequence));
  assert.equal(left.length, written.batches.length - lostSequences.length);
  const journal = new MemoryJournal(left);
  const snapshots = new MemorySnapshots({ clock });
  const source = { path, clock, log, journal, snapshots };
  const { lost } = await rebuildDatabase({ ...source, loss: 'accept' });
  await withDomain(base, await open(journal), async (domain) => {
    const report = await salvage({ ...domain, signal: goingOn });
    await look({ domain, lost, report });
  });
}

async function withDomain<T>(
  base: Domain,
  store: SqliteMetadataStore,
  work: (domain: Domain) => Promise<T>,
): Promise<T> {
  await using _store = store;
  const parts = { ...base, store, pins: new Pins() };
  return await work({ ...parts, ...assembleServices(parts) });
}

/** Three weeks in which all that removes blobs does so. */
export async function passWeeks(domain: Domain): Promise<void> {
  const sweeper = new SweepOrphans(domain);
  for (let day = 0; day < 21; day += 1) {
    for (let step = 0; step < 3; step += 1) await sweeper.step(goingOn);
    await runUntilIdle(new DiscardUploads(domain));
    await runUntilIdle(new ForgetArchives(domain));
    domain.clock.advance(24 * hourMs);
  }
}
