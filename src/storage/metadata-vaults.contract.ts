import assert from 'node:assert/strict';
import {
  accountId,
  addArchive,
  type MetadataCase,
  region,
  sampleInventoryJob,
  sampleRetrieval,
  sampleVault,
  withVault,
} from './metadata-specimen.ts';

export const vaultCases: readonly MetadataCase[] = [
  {
    title: 'a vault is found by its key and by its id, as it was inserted',
    run: async ({ store }) => {
      const plain = sampleVault('plain');
      const full = sampleVault('full', {
        archiveCount: 3,
        sizeBytes: 2 ** 50,
        changes: 7,
        changedAtMs: 9,
        lastInventory: { takenAtMs: 8, asOfChange: 6, archiveCount: 2, sizeBytes: 2 ** 49 },
      });
      await store.write(async ({ vaults }) => {
        await vaults.insert(plain);
        await vaults.insert(full);
      });
      await store.read(async ({ vaults }) => {
        for (const vault of [plain, full]) {
          assert.deepEqual(await vaults.get(vault), vault);
          assert.deepEqual(await vaults.getById(vault.vaultId), vault);
        }
        assert.equal(await vaults.get({ ...plain, region: 'elsewhere' }), undefined);
        assert.equal(await vaults.get({ ...plain, accountId: '000000000000' }), undefined);
        assert.equal(await vaults.getById('another'), undefined);
      });
    },
  },
  {
    title: 'a name is taken once in an account and region, and free in others',
    run: async ({ store }) => {
      const insert = (vaultId: string, members: object) =>
        store.write(({ vaults }) =>
          vaults.insert(sampleVault(vaultId, { vaultName: 'photos', ...members })),
        );
      await insert('1', {});
      await insert('2', { region: 'elsewhere' });
      await insert('3', { accountId: '000000000000' });
      await assert.rejects(insert('4', {}), { code: 'Conflict' });
      await assert.rejects(insert('1', { vaultName: 'films' }), { code: 'Conflict' });
    },
  },
  {
    title: 'vaults are listed by the bytes of their names, after a name, up to a limit',
    run: async ({ store }) => {
      const names = ['Z', '-', 'a', '_', 'aa', 'B', '.', '0', 'a.'];
      await store.write(async ({ vaults }) => {
        for (const vaultName of names) {
          await vaults.insert(sampleVault(`1 ${vaultName}`, { vaultName }));
          await vaults.insert(sampleVault(`2 ${vaultName}`, { vaultName, region: 'elsewhere' }));
        }
      });
      const list = (after: string | null, limit: number) =>
        store.read(async ({ vaults }) => {
          const found = await vaults.list({ accountId, region, after, limit });
          return found.map(({ vaultName }) => vaultName);
        });
      const sorted = ['-', '.', '0', 'B', 'Z', '_', 'a', 'a.', 'aa'];
      assert.deepEqual(await list(null, 100), sorted);
      assert.deepEqual(await list(null, 2), ['-', '.']);
      assert.deepEqual(await list('B', 3), ['Z', '_', 'a']);
      assert.deepEqual(await list('C', 1), ['Z']);
      assert.deepEqual(await list('aa', 5), []);
    },
  },
  {
    title: 'the vaults of an account and region are counted, up to a number',
    run: async ({ store }) => {
      await store.write(async ({ vaults }) => {
        for (const name of ['a', 'b', 'c']) await vaults.insert(sampleVault(name));
        await vaults.insert(sampleVault('d', { region: 'elsewhere' }));
        await vaults.insert(sampleVault('e', { accountId: '000000000000' }));
      });
      const count = (members: { readonly region?: string; readonly countMax: number }) =>
        store.read(({ vaults }) => vaults.count({ accountId, region, ...members }));
      assert.equal(await count({ countMax: 100 }), 3);
      assert.equal(await count({ countMax: 3 }), 3);
      assert.equal(await count({ countMax: 2 }), 2);
      assert.equal(await count({ region: 'nowhere', countMax: 100 }), 0);
    },
  },
  {
    title: 'all vaults are listed by id, whatever account and region they are of',
    run: async ({ store }) => {
      await store.write(async ({ vaults }) => {
        await vaults.insert(sampleVault('c', { vaultName: 'same' }));
        await vaults.insert(sampleVault('a', { vaultName: 'same', region: 'elsewhere' }));
        await vaults.insert(sampleVault('b', { vaultName: 'same', accountId: '000000000000' }));
      });
      const list = (after: string | null, limit: number) =>
        store.read(async ({ vaults }) => {
          const found = await vaults.listAll({ after, limit });
          return found.map(({ vaultId }) => vaultId);
        });
      assert.deepEqual(await list(null, 100), ['a', 'b', 'c']);
      assert.deepEqual(await list(null, 2), ['a', 'b']);
      assert.deepEqual(await list('b', 2), ['c']);
      assert.deepEqual(await list('c', 2), []);
    },
  },
  {
    title: 'a change adds to the totals and is counted',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      const change = (archives: 1 | -1, sizeBytes: number, atMs: number) =>
        store.write(({ vaults }) => vaults.recordChange('vault', { archives, sizeBytes, atMs }));
      assert.equal(await change(1, 100, 5_000), 1);
      assert.equal(await change(1, 11, 5_001), 2);
      assert.equal(await change(-1, -100, 5_002), 3);
      assert.deepEqual(
        await store.read(({ vaults }) => vaults.getById('vault')),
        sampleVault('vault', { archiveCount: 1, sizeBytes: 11, changes: 3, changedAtMs: 5_002 }),
      );
      const absent = store.write(({ vaults }) =>
        vaults.recordChange('absent', { archives: 1, sizeBytes: 1, atMs: 1 }),
      );
      await assert.rejects(absent, { name: 'AssertionFailed' });
    },
  },
  {
    title: 'vaults are due for an inventory when they changed since the last or never had one',
    run: async ({ store }) => {
      await store.write(async ({ vaults }) => {
        await vaults.insert(sampleVault('new', { createdAtMs: 300 }));
        await vaults.insert(sampleVault('newer', { createdAtMs: 501 }));
        await vaults.insert(sampleVault('unchanged', { changes: 4, ...inventory(100, 4) }));
        await vaults.insert(sampleVault('changed', { changes: 5, ...inventory(200, 4) }));
        await vaults.insert(sampleVault('recent', { changes: 5, ...inventory(600, 4) }));
      });
      const due = (dueBeforeMs: number, limit: number) =>
        store.read(async ({ vaults }) => {
          const found = await vaults.listDueForInventory(dueBeforeMs, limit);
          return found.map(({ vaultId }) => vaultId);
        });
      assert.deepEqual(await due(500, 10), ['changed', 'new']);
      assert.deepEqual(await due(500, 1), ['changed']);
      assert.deepEqual(await due(300, 10), ['changed', 'new']);
      assert.deepEqual(await due(299, 10), ['changed']);
      const taken = { takenAtMs: 400, asOfChange: 5, archiveCount: 1, sizeBytes: 2 };
      await store.write(({ vaults }) => vaults.setLastInventory('changed', taken));
      assert.deepEqual(await due(500, 10), ['new']);
      const changed = await store.read(({ vaults }) => vaults.getById('changed'));
      assert.deepEqual(changed?.lastInventory, taken);
      await store.write(({ vaults }) =>
        vaults.recordChange('changed', { archives: 1, sizeBytes: 1, atMs: 1 }),
      );
      assert.deepEqual(await due(500, 10), ['new', 'changed']);
    },
  },
  {
    title: 'clearing the last inventories makes every vault one that never had one',
    run: async ({ store }) => {
      await store.write(async ({ vaults }) => {
        await vaults.insert(sampleVault('inventoried', inventory(100, 4)));
        await vaults.insert(sampleVault('new'));
        await vaults.clearLastInventories();
        await vaults.clearLastInventories();
      });
      const found = await store.read(async ({ vaults }) => [
        await vaults.getById('inventoried'),
        await vaults.getById('new'),
      ]);
      assert.deepEqual(
        found.map((vault) => vault?.lastInventory),
        [null, null],
      );
    },
  },
  {
    title: 'a vault that is removed takes its jobs along and leaves its archives',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await addArchive(store, 'archive');
      await store.write(async ({ vaults, jobs }) => {
        await vaults.insert(sampleVault('other'));
        await jobs.insert(sampleRetrieval('retrieval'));
        await jobs.insert(sampleInventoryJob('inventory'));
        await jobs.insert(sampleRetrieval('other', { vaultId: 'other' }));
      });
      await store.write(async ({ vaults, archives }) => {
        await archives.markRemoved('archive', 2);
        await vaults.remove('vault');
        await vaults.remove('absent');
      });
      await store.read(async ({ vaults, archives, jobs }) => {
        assert.equal(await vaults.getById('vault'), undefined);
        assert.equal(await jobs.get('retrieval'), undefined);
        assert.equal(await jobs.get('inventory'), undefined);
        assert.ok(await jobs.get('other'));
        assert.ok(await archives.get('archive'));
      });
      await store.write(({ vaults }) =>
        vaults.insert(sampleVault('again', { vaultName: 'name-of-vault' })),
      );
    },
  },
];

function inventory(takenAtMs: number, asOfChange: number) {
  return { lastInventory: { takenAtMs, asOfChange, archiveCount: 0, sizeBytes: 0 } };
}
