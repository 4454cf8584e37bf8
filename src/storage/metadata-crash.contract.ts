import assert from 'node:assert/strict';
import { isStoreError } from './errors.ts';
import {
  addArchive,
  type MetadataCase,
  removeArchive,
  sampleArchive,
  sampleRetrieval,
  sampleVault,
  withVault,
} from './metadata-specimen.ts';

/** What a crash, a restart and a failed sync may do, and what not. */
export const crashCases: readonly MetadataCase[] = [
  {
    title: 'rows outlive a store that was closed',
    run: async (specimen) => {
      assert.ok(specimen.reopen, 'needs reopen');
      await withVault(specimen);
      await addArchive(specimen.store, 'archive');
      await specimen.store.write(({ jobs }) => jobs.insert(sampleRetrieval('job')));
      await specimen.reopen();
      await specimen.store.read(async ({ vaults, archives, jobs }) => {
        assert.equal((await vaults.getById('vault'))?.archiveCount, 1);
        assert.deepEqual(await archives.get('archive'), sampleArchive('archive'));
        assert.deepEqual(await jobs.get('job'), sampleRetrieval('job'));
      });
    },
  },
  {
    title: 'an acknowledged write outlives a crash',
    run: async (specimen) => {
      assert.ok(specimen.crash, 'needs crash');
      await withVault(specimen);
      const ids = Array.from({ length: 100 }, (_, index) => `archive ${index}`);
      await Promise.all(ids.map((id) => addArchive(specimen.store, id)));
      await Promise.all(ids.slice(0, 30).map((id) => removeArchive(specimen.store, id)));
      await specimen.crash();
      const vault = await specimen.store.read(({ vaults }) => vaults.getById('vault'));
      assert.equal(vault?.archiveCount, 70);
      assert.equal(vault?.changes, 130);
      await addArchive(specimen.store, 'one more');
      await specimen.crash();
      assert.ok(await specimen.store.read(({ archives }) => archives.get('one more')));
    },
  },
  {
    title: 'a write resolves only once its sync is over',
    run: async ({ store, syncs }) => {
      assert.ok(syncs, 'needs syncs');
      const release = syncs.hold();
      const write = watched(store.write(({ facts }) => facts.set('name', 'value')));
      await turns();
      assert.equal(write.isSettled(), false);
      release();
      await write.promise;
    },
  },
  {
    title: 'a crash before the sync takes a write back whole, and nobody had seen it',
    run: async (specimen) => {
      assert.ok(specimen.crash && specimen.syncs, 'needs crash and syncs');
      const { store } = specimen;
      await store.write(({ facts }) => facts.set('name', 'before'));
      specimen.syncs.hold();
      const write = watched(store.write(({ facts }) => facts.set('name', 'after')));
      await turns();
      assert.equal(await store.read(({ facts }) => facts.get('name')), 'before');
      assert.equal(write.isSettled(), false);
      await specimen.crash();
      assert.equal(await specimen.store.read(({ facts }) => facts.get('name')), 'before');
    },
  },
  {
    title: 'reads and previews see what is durable, and wait for no sync',
    run: async ({ store, syncs }) => {
      assert.ok(syncs, 'needs syncs');
      await store.write(({ facts }) => facts.set('name', 'before'));
      const release = syncs.hold();
      const write = watched(store.write(({ facts }) => facts.set('name', 'after')));
      await turns();
      assert.equal(await store.read(({ facts }) => facts.get('name')), 'before');
      assert.equal(await store.preview(({ facts }) => facts.get('name')), 'before');
      assert.equal(write.isSettled(), false);
      release();
      await write.promise;
      assert.equal(await store.read(({ facts }) => facts.get('name')), 'after');
      assert.equal(await store.preview(({ facts }) => facts.get('name')), 'after');
    },
  },
  {
    title: 'what a write throws is told only once that which it saw is durable',
    run: async ({ store, syncs }) => {
      assert.ok(syncs, 'needs syncs');
      const release = syncs.hold();
      // The first makes a sync of its own, for which the others wait together.
      const first = store.write(({ facts }) => facts.set('first', 'value'));
      const write = store.write(({ facts }) => facts.set('name', 'value'));
      const refusal = watched(
        store.write(async ({ facts }) => {
          throw new Error(`it is ${await facts.get('name')} already`);
        }),
      );
      await turns();
      assert.equal(refusal.isSettled(), false);
      release();
      await Promise.all([first, write]);
      await assert.rejects(refusal.promise, /it is value already/);
    },
  },
  {
    title: 'concurrent writes share a sync',
    run: async ({ store, syncs }) => {
      assert.ok(syncs, 'needs syncs');
      const before = syncs.count;
      const release = syncs.hold();
      const writes = Array.from({ length: 500 }, (_, index) =>
        store.write(({ facts }) => facts.set(`fact ${index}`, 'set')),
      );
      await turns(50);
      release();
      await Promise.all(writes);
      assert.ok(syncs.count - before <= 3, `${syncs.count - before} syncs`);
    },
  },
  {
    title: 'after a failed sync every write is refused, reads go on, and opening again helps',
    run: async (specimen) => {
      assert.ok(specimen.syncs && specimen.reopen, 'needs syncs and reopen');
      const { store, syncs } = specimen;
      await store.write(({ facts }) => facts.set('name', 'value'));
      await store.checkWritable();
      const release = syncs.hold();
      syncs.isFailing = true;
      const failing = [1, 2, 3].map((each) =>
        store.write(({ vaults }) => vaults.insert(sampleVault(`vault ${each}`))),
      );
      release();
      // They may be there when it is opened again; what comes later will not.
      for (const write of failing) await assertUnavailable(write, { isRefusal: false });
      syncs.isFailing = false;
      // They wait together, and so begin together; the reads have nothing to do with the refusal.
      const write = store.write(({ facts }) => facts.set('name', 'other'));
      const read = store.read(({ facts }) => facts.get('name'));
      const preview = store.preview(({ facts }) => facts.get('name'));
      await assertUnavailable(write, { isRefusal: true });
      await assertUnavailable(store.checkWritable(), { isRefusal: true });
      assert.equal(await read, 'value');
      assert.equal(await preview, 'value');
      await specimen.reopen();
      await specimen.store.checkWritable();
      await specimen.store.write(({ facts }) => facts.set('name', 'other'));
      assert.equal(await specimen.store.read(({ facts }) => facts.get('name')), 'other');
    },
  },
];

async function assertUnavailable(
  write: Promise<unknown>,
  { isRefusal }: { readonly isRefusal: boolean },
): Promise<void> {
  await assert.rejects(write, (error) => {
    assert.ok(isStoreError(error, 'StoreUnavailable'));
    assert.equal(error.isRefusal, isRefusal);
    return true;
  });
}

/** `promise`, and whether it is over. */
function watched<T>(promise: Promise<T>) {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  return { promise, isSettled: () => isSettled };
}

/** Lets everything go on that does not wait for a sync. */
async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
