import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  addArchive,
  type MetadataCase,
  type MetadataSpecimen,
  removeArchive,
  sampleInventoryJob,
  sampleRetrieval,
  sampleVault,
  succeeded,
  withVault,
} from './metadata-specimen.ts';
import type { MetadataStore } from './metadata-store.ts';
import { addUploadedArchive } from './metadata-upload-specimen.ts';
import type { InventoryFacts, JobRow } from './rows.ts';

const nowMs = 50_000;

/** Which removed archives nobody needs any more. */
export const forgettingCases: readonly MetadataCase[] = [
  {
    title: 'an archive in its vault is never forgettable, a removed one that nobody needs is',
    run: async (specimen) => {
      await withRemoved(specimen);
      assert.deepEqual(await forgettable(specimen.store), ['archive']);
      await specimen.store.write(({ archives }) => archives.forget('archive'));
      assert.deepEqual(await forgettable(specimen.store), []);
    },
  },
  {
    title: 'those that were passed over are not listed again',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      for (const id of ['a', 'b', 'c']) {
        await addArchive(store, id);
        await removeArchive(store, id);
      }
      const list = async (limit: number, passedOver?: number) =>
        (
          await store.read(({ archives }) => archives.listForgettable(nowMs, limit, passedOver))
        ).map(({ archiveId }) => archiveId);
      const all = await list(9);
      assert.deepEqual([...all].sort(), ['a', 'b', 'c']);
      assert.deepEqual(await list(1, 1), all.slice(1, 2));
      assert.deepEqual(await list(9, 2), all.slice(2));
      assert.deepEqual(await list(9, 3), []);
    },
  },
  {
    title: 'a retrieval keeps its archive while it is in progress, or succeeded and not expired',
    run: async (specimen) => {
      const { store } = specimen;
      await withRemoved(specimen);
      const job = sampleRetrieval('job');
      await store.write(({ jobs }) => jobs.insert(job));
      assert.deepEqual(await forgettable(store), []);
      const becomes = (row: JobRow) => store.write(({ jobs }) => jobs.update(row));
      await becomes(succeeded(job, nowMs + 1));
      assert.deepEqual(await forgettable(store), []);
      await becomes(succeeded(job, nowMs));
      assert.deepEqual(await forgettable(store), ['archive']);
      await becomes({ ...succeeded(job, nowMs + 1), status: 'Failed' });
      assert.deepEqual(await forgettable(store), ['archive']);
    },
  },
  {
    title: 'an inventory in progress and the last inventory keep what they show',
    run: async (specimen) => {
      const { store } = specimen;
      await withRemoved(specimen);
      // The archive was added by change 1 and removed by change 3.
      const isKeptBy = [false, true, true, false];
      for (const [asOfChange, isKept] of isKeptBy.entries()) {
        await store.write(({ vaults }) => vaults.setLastInventory('vault', asOf(asOfChange)));
        assert.deepEqual(await forgettable(store), isKept ? [] : ['archive'], `${asOfChange}`);
      }
      for (const [asOfChange, isKept] of isKeptBy.entries()) {
        const job = inventoryJob(`job ${asOfChange}`, 'vault', asOfChange);
        await store.write(({ jobs }) => jobs.insert(job));
        assert.deepEqual(await forgettable(store), isKept ? [] : ['archive'], `${asOfChange}`);
        await store.write(({ jobs }) => jobs.update(succeeded(job)));
        assert.deepEqual(await forgettable(store), ['archive']);
      }
    },
  },
  {
    title: 'archives of a vault that is gone are forgettable at once',
    run: async (specimen) => {
      const { store } = specimen;
      await withRemoved(specimen);
      await removeArchive(store, 'kept');
      await store.write(async ({ jobs, vaults }) => {
        await vaults.setLastInventory('vault', asOf(2));
        await jobs.insert(succeeded(sampleRetrieval('job'), nowMs + 1));
      });
      assert.deepEqual(await forgettable(store), []);
      await store.write(({ vaults }) => vaults.remove('vault'));
      assert.deepEqual(await forgettable(store), ['archive', 'kept']);
    },
  },
  {
    title: 'over random histories, exactly the removed archives that nobody needs are forgettable',
    run: async ({ store }) => {
      let round = 0;
      const archive = fc.record({
        isInParts: fc.boolean(),
        isRemoved: fc.boolean(),
        isRetrieved: fc.boolean(),
      });
      const history = fc.record({
        archives: fc.array(archive, { maxLength: 12 }),
        inventory: fc.option(fc.nat(24)),
        jobs: fc.array(fc.nat(24), { maxLength: 3 }),
        isVaultGone: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(history, async ({ archives, inventory, jobs, isVaultGone }) => {
          round += 1;
          const vaultId = `vault ${round}`;
          await store.write(({ vaults }) => vaults.insert(sampleVault(vaultId)));
          const ids = archives.map((_, index) => `${vaultId} archive ${index}`);
          const changes = new Map<string, { added: number; removed: number }>();
          for (const [index, id] of ids.entries()) {
            const add = archives[index]?.isInParts ? addUploadedArchive : addArchive;
            const added = await add(store, id, { vaultId });
            changes.set(id, { added, removed: Number.POSITIVE_INFINITY });
          }
          for (const [index, { isRemoved }] of archives.entries()) {
            const change = changes.get(ids[index] ?? '');
            if (isRemoved && change) change.removed = await removeArchive(store, ids[index] ?? '');
          }
          await store.write(async (rows) => {
            if (inventory !== null) await rows.vaults.setLastInventory(vaultId, asOf(inventory));
            for (const [index, asOfChange] of jobs.entries()) {
              await rows.jobs.insert(inventoryJob(`${vaultId} ${index}`, vaultId, asOfChange));
            }
            for (const [index, { isRetrieved }] of archives.entries()) {
              if (isRetrieved) await rows.jobs.insert(retrievalOf(ids[index] ?? '', vaultId));
            }
            if (isVaultGone) await rows.vaults.remove(vaultId);
          });
          const shownAt = isVaultGone ? [] : [...jobs, ...(inventory === null ? [] : [inventory])];
          const expected = ids.filter((id, index) => {
            const { added, removed } = changes.get(id) ?? { added: 0, removed: 0 };
            if (removed === Number.POSITIVE_INFINITY) return false;
            if (archives[index]?.isRetrieved && !isVaultGone) return false;
            return !shownAt.some((asOfChange) => added <= asOfChange && asOfChange < removed);
          });
          const found = await forgettable(store);
          assert.deepEqual(found, expected.sort());
          if (found.length > 0) assert.equal((await forgettable(store, 1)).length, 1);
          for (const id of found) await store.write((rows) => rows.archives.forget(id));
        }),
        { numRuns: 30 },
      );
    },
  },
];

/** A vault with `archive`, which is removed, and `kept`, which is not. */
async function withRemoved(specimen: MetadataSpecimen): Promise<void> {
  await withVault(specimen);
  await addArchive(specimen.store, 'archive');
  await addArchive(specimen.store, 'kept');
  await removeArchive(specimen.store, 'archive');
}

async function forgettable(store: MetadataStore, limit = 1_000): Promise<string[]> {
  const found = await store.read(({ archives }) => archives.listForgettable(nowMs, limit));
  return found.map(({ archiveId }) => archiveId).sort();
}

function asOf(asOfChange: number): InventoryFacts {
  return { takenAtMs: 1, asOfChange, archiveCount: 1, sizeBytes: 1 };
}

function inventoryJob(jobId: string, vaultId: string, asOfChange: number): JobRow {
  const job = sampleInventoryJob(jobId, { vaultId });
  return { ...job, inventory: job.inventory && { ...job.inventory, asOfChange } };
}

function retrievalOf(archiveId: string, vaultId: string): JobRow {
  const job = sampleRetrieval(`retrieval of ${archiveId}`, { vaultId });
  return { ...job, retrieval: job.retrieval && { ...job.retrieval, archiveId } };
}
