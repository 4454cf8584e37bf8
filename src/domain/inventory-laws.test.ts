import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  type Domain,
  hourMs,
  inventory,
  openDomain,
  outputOf,
  photos,
  runUntilIdle,
  storeText,
} from '../../tests/support/domain.ts';
import { ExpireJobs } from '../workers/expire-jobs.ts';
import { ForgetArchives } from '../workers/forget-archives.ts';
import { RefreshInventories } from '../workers/refresh-inventories.ts';
import { SweepOrphans } from '../workers/sweep-orphans.ts';
import { TakeInventories } from '../workers/take-inventories.ts';

fc.configureGlobal({ seed: 20_260_131 });

const deedNames = [
  'store',
  'store',
  'remove',
  'let a second pass',
  'let the workers clean up',
  'refresh inventories',
  'ask for an inventory',
  'do the inventory jobs',
] as const;

const histories = fc.array(
  fc.record({ deed: fc.constantFrom(...deedNames), choice: fc.nat({ max: 100 }) }),
  { maxLength: 25 },
);

/** What a history has come to, kept as simply as can be. */
class Model {
  /** What the vault holds, in the order of its inventory. */
  held: readonly { readonly archiveId: string; readonly createdAtMs: number }[] = [];
  lastInventory: readonly string[] | null = null;
  readonly expected = new Map<string, readonly string[]>();

  get ids(): readonly string[] {
    return this.held.map(({ archiveId }) => archiveId);
  }

  add(archiveId: string, createdAtMs: number): void {
    this.held = [...this.held, { archiveId, createdAtMs }].sort(
      (a, b) => a.createdAtMs - b.createdAtMs || (a.archiveId < b.archiveId ? -1 : 1),
    );
  }

  remove(archiveId: string): void {
    this.held = this.held.filter((one) => one.archiveId !== archiveId);
  }
}

function workersOf(domain: Domain) {
  return {
    inventories: new TakeInventories({ ...domain, arrivals: domain.arrivals.inventories }),
    cleaners: [new ForgetArchives(domain), new ExpireJobs(domain), new SweepOrphans(domain)],
    refresh: new RefreshInventories({ ...domain, intervalMs: 0 }),
  };
}

async function live(domain: Domain, history: readonly { deed: string; choice: number }[]) {
  const model = new Model();
  const { inventories, cleaners, refresh } = workersOf(domain);
  for (const { deed, choice } of history) {
    if (deed === 'store') {
      model.add(await storeText(domain, `archive ${choice}`), domain.clock.now());
    } else if (deed === 'remove') {
      const archiveId = model.ids[choice % Math.max(model.ids.length, 1)];
      if (archiveId === undefined) continue;
      await domain.archives.remove(photos, archiveId);
      model.remove(archiveId);
    } else if (deed === 'let a second pass') {
      domain.clock.advance(1000);
    } else if (deed === 'let the workers clean up') {
      for (const worker of cleaners) await runUntilIdle(worker);
    } else if (deed === 'refresh inventories') {
      if (domain.inventoryMode === 'live') continue;
      await runUntilIdle(refresh);
      model.lastInventory = model.ids;
    } else if (deed === 'do the inventory jobs') {
      await runUntilIdle(inventories);
    } else {
      const expected = domain.inventoryMode === 'live' ? model.ids : model.lastInventory;
      if (expected !== null) model.expected.set(await inventory(domain), expected);
    }
  }
  await runUntilIdle(inventories);
  return model;
}

for (const [inventoryMode, moment] of [
  ['live', 'the moment of asking'],
  ['scheduled', 'the last inventory before it was asked for'],
] as const) {
  test(`an inventory is what was stored minus what was deleted as of ${moment}`, async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        await using domain = await openDomain({ inventoryMode });
        const { expected } = await live(domain, history);
        for (const [jobId, archiveIds] of expected) {
          const { ArchiveList } = JSON.parse((await outputOf(domain, jobId)).toString());
          const shown = ArchiveList.map((entry: { ArchiveId: string }) => entry.ArchiveId);
          assert.deepEqual(shown, archiveIds);
        }
      }),
      { numRuns: 30 },
    );
  });
}

for (const inventoryMode of ['live', 'scheduled'] as const) {
  test(`of what was deleted, expired and cleaned up nothing is left under ${inventoryMode} inventories`, async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        await using domain = await openDomain({ inventoryMode });
        const { ids, expected } = await live(domain, history);
        for (const archiveId of ids) await domain.archives.remove(photos, archiveId);
        domain.clock.advance(26 * hourMs);
        const { refresh, cleaners } = workersOf(domain);
        if (inventoryMode === 'scheduled') await runUntilIdle(refresh);
        for (const worker of cleaners) await runUntilIdle(worker);
        assert.equal(domain.blobs.usedBytes, 0);
        const left = await domain.store.read(async ({ archives, jobs }) => [
          ...(await Promise.all(ids.map((id) => archives.get(id)))),
          ...(await Promise.all([...expected.keys()].map((id) => jobs.get(id)))),
        ]);
        assert.deepEqual(
          left.filter((row) => row !== undefined),
          [],
        );
      }),
      { numRuns: 20 },
    );
  });
}
