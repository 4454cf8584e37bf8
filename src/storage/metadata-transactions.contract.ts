import assert from 'node:assert/strict';
import { isStoreError } from './errors.ts';
import {
  addArchive,
  type MetadataCase,
  removeArchive,
  sampleArchive,
  sampleBlobs,
  sampleVault,
  withVault,
} from './metadata-specimen.ts';
import type { MetadataStore, Rows } from './metadata-store.ts';

/** All or nothing, one after the other, and what a failure leaves. */
export const transactionCases: readonly MetadataCase[] = [
  {
    title: 'a write that throws leaves nothing, and rejects with what was thrown',
    run: async ({ store }) => {
      const reason = new Error('second thoughts');
      const write = store.write(async ({ vaults, facts }) => {
        await vaults.insert(sampleVault('vault'));
        await facts.set('name', 'value');
        throw reason;
      });
      await assert.rejects(write, reason);
      assert.equal(await store.read(({ vaults }) => vaults.getById('vault')), undefined);
      assert.equal(await store.read(({ facts }) => facts.get('name')), undefined);
    },
  },
  {
    title: 'a write that throws disturbs none of those that run beside it',
    run: async ({ store }) => {
      const writes = Array.from({ length: 300 }, (_, index) =>
        store.write(async ({ facts }) => {
          await facts.set(`fact ${index}`, 'set');
          if (index % 3 === 0) throw new Error(`no ${index}`);
          return index;
        }),
      );
      const outcomes = await Promise.allSettled(writes);
      for (const [index, outcome] of outcomes.entries()) {
        const isKept = index % 3 !== 0;
        assert.equal(outcome.status, isKept ? 'fulfilled' : 'rejected');
        const value = await store.read(({ facts }) => facts.get(`fact ${index}`));
        assert.equal(value, isKept ? 'set' : undefined);
      }
    },
  },
  {
    title: 'a write sees its own changes, and reads see them once it has resolved',
    run: async ({ store }) => {
      const seen = await store.write(async ({ facts }) => {
        await facts.set('name', 'one');
        await facts.set('name', 'two');
        return await facts.get('name');
      });
      assert.equal(seen, 'two');
      assert.equal(await store.read(({ facts }) => facts.get('name')), 'two');
    },
  },
  {
    title: 'of concurrent increments none is lost',
    run: async ({ store }) => {
      const seen = await Promise.all(Array.from({ length: 200 }, () => increment(store)));
      assert.deepEqual(
        seen.sort((a, b) => a - b),
        Array.from({ length: 200 }, (_, index) => index + 1),
      );
    },
  },
  {
    title: 'a read never sees half of a write',
    run: async ({ store }) => {
      const writes = Array.from({ length: 100 }, (_, index) =>
        store.write(async ({ facts }) => {
          await facts.set('left', `${index}`);
          await facts.set('right', `${index}`);
        }),
      );
      const reads = Array.from({ length: 100 }, () =>
        store.read(async ({ facts }) => [await facts.get('left'), await facts.get('right')]),
      );
      for (const [left, right] of await Promise.all(reads)) assert.equal(left, right);
      await Promise.all(writes);
    },
  },
  {
    title: 'a row that must be new and is there already is a Conflict, and nothing is changed',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await addArchive(store, 'archive');
      const write = store.write(async ({ archives, facts }) => {
        await facts.set('name', 'value');
        await archives.insert(sampleArchive('archive'), sampleBlobs('archive'));
      });
      await assert.rejects(write, (error) => isStoreError(error, 'Conflict'));
      assert.equal(await store.read(({ facts }) => facts.get('name')), undefined);
      assert.equal((await store.read(({ archives }) => archives.blobs('archive'))).length, 2);
    },
  },
  {
    title: 'a write may take a Conflict for an answer and go on',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await store.write(async ({ vaults, facts }) => {
        await assert.rejects(vaults.insert(sampleVault('vault')), (error) =>
          isStoreError(error, 'Conflict'),
        );
        await facts.set('name', 'value');
      });
      assert.equal(await store.read(({ facts }) => facts.get('name')), 'value');
    },
  },
  {
    title: 'rows are refused outside of their transaction',
    run: async ({ store }) => {
      const leaked: Rows = await store.read(async (rows) => rows);
      await assert.rejects(leaked.facts.get('name'));
    },
  },
  {
    title: 'a full store refuses with StoreFull, keeps what it has, and goes on when there is room',
    run: async (specimen) => {
      assert.ok(specimen.setRoom, 'needs setRoom');
      await withVault(specimen);
      await specimen.setRoom(256 * 1024);
      const added = await fill(specimen.store);
      assert.ok(added > 10, `only ${added} archives had room`);
      await assertHolds(specimen.store, added);
      for (let index = 0; index < 20; index++) {
        await removeArchive(specimen.store, `archive ${index}`);
        await specimen.store.write(({ archives }) => archives.forget(`archive ${index}`));
      }
      await addArchive(specimen.store, 'in the room that was made');
      await specimen.setRoom(Number.POSITIVE_INFINITY);
      await addArchive(specimen.store, 'in new room', { description: 'x'.repeat(500_000) });
      await assertHolds(specimen.store, added - 18);
    },
  },
  {
    title: 'transactions that come after the store was closed are refused',
    run: async ({ store }) => {
      const last = store.write(({ facts }) => facts.set('name', 'value'));
      await store[Symbol.asyncDispose]();
      await last;
      const isRefused = (error: unknown) => isStoreError(error, 'StoreUnavailable');
      await assert.rejects(
        store.read(({ facts }) => facts.get('name')),
        isRefused,
      );
      await assert.rejects(
        store.write(({ facts }) => facts.set('name', 'x')),
        isRefused,
      );
      await store[Symbol.asyncDispose]();
    },
  },
];

function increment(store: MetadataStore): Promise<number> {
  return store.write(async ({ facts }) => {
    const next = Number((await facts.get('count')) ?? '0') + 1;
    await facts.set('count', `${next}`);
    return next;
  });
}

/** Adds archives until there is no room. Answers how many had room. */
async function fill(store: MetadataStore): Promise<number> {
  for (let index = 0; index < 10_000; index++) {
    try {
      await addArchive(store, `archive ${index}`, { description: 'x'.repeat(1_000) });
    } catch (error) {
      assert.ok(isStoreError(error, 'StoreFull'), String(error));
      return index;
    }
  }
  throw new Error('the store never became full');
}

async function assertHolds(store: MetadataStore, archiveCount: number): Promise<void> {
  const vault = await store.read(({ vaults }) => vaults.getById('vault'));
  assert.equal(vault?.archiveCount, archiveCount);
  const { archives } = await store.read((rows) =>
    rows.archives.listForInventory({
      vaultId: 'vault',
      asOfChange: vault.changes,
      createdFromMs: null,
      createdBeforeMs: null,
      after: null,
      limit: 100_000,
    }),
  );
  assert.equal(archives.length, archiveCount);
}
