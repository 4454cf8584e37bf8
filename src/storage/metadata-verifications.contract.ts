import assert from 'node:assert/strict';
import {
  addArchive,
  blobId,
  listedBlobs,
  type MetadataCase,
  removeArchive,
  sampleArchive,
  sampleInventoryJob,
  succeeded,
  withVault,
} from './metadata-specimen.ts';
import type { MetadataStore } from './metadata-store.ts';

/** When archives were last read back, and blobs that move. */
export const verificationCases: readonly MetadataCase[] = [
  {
    title: 'archives are listed for verification in the order of their insertion, removed ones too',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      for (const archiveId of ['c', 'a', 'b']) await addArchive(store, archiveId);
      await removeArchive(store, 'a');
      const listed = await list(store);
      assert.deepEqual(
        listed.map(({ archive }) => archive.archiveId),
        ['c', 'a', 'b'],
      );
      const [first, second] = listed;
      assert.ok(first !== undefined && second !== undefined);
      assert.deepEqual(first, {
        ordinal: first.ordinal,
        archive: sampleArchive('c', { addedChange: 1 }),
        blobs: listedBlobs('c'),
        last: null,
      });
      assert.ok(first.ordinal >= 1 && first.ordinal < second.ordinal);
      assert.deepEqual(await list(store, first.ordinal, 1), [second]);
      await store.write(({ archives }) => archives.forget('a'));
      assert.deepEqual(await ids(store), ['c', 'b']);
    },
  },
  {
    title: 'what the last verification found is kept until the next, and goes with the archive',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      for (const archiveId of ['a', 'b']) await addArchive(store, archiveId);
      const ordinals = (await list(store)).map(({ ordinal }) => ordinal);
      const get = (id: string) => store.read(({ verifications }) => verifications.get(id));
      assert.equal(await get('a'), undefined);
      assert.equal(await get('absent'), undefined);
      const whole = { verifiedAtMs: 10, damage: null };
      const damaged = { verifiedAtMs: 20, damage: 'frame 3 is damaged' };
      await store.write(({ verifications }) => verifications.note(ordinals, whole));
      await store.write(({ verifications }) => verifications.note(ordinals.slice(1), damaged));
      assert.deepEqual(await get('a'), whole);
      assert.deepEqual(await get('b'), damaged);
      assert.deepEqual(
        (await list(store)).map(({ last }) => last),
        [whole, damaged],
      );
      await removeArchive(store, 'b');
      await store.write(({ archives }) => archives.forget('b'));
      assert.equal(await get('b'), undefined);
    },
  },
  {
    title: 'an ordinal is never given again, so what was forgotten is passed over',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await addArchive(store, 'forgotten');
      const ordinals = (await list(store)).map(({ ordinal }) => ordinal);
      await removeArchive(store, 'forgotten');
      await store.write(({ archives }) => archives.forget('forgotten'));
      await addArchive(store, 'next');
      const verification = { verifiedAtMs: 10, damage: null };
      await store.write(({ verifications }) => verifications.note(ordinals, verification));
      const last = await store.read(({ verifications }) => verifications.get('next'));
      assert.equal(last, undefined);
    },
  },
  {
    title: 'a summary of verifications counts archives that are in their vaults',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      const summary = () => store.read(({ verifications }) => verifications.summarise());
      const none = { archiveCount: 0, unverifiedCount: 0, damagedCount: 0 };
      assert.deepEqual(await summary(), { ...none, oldestVerifiedAtMs: null });
      for (const archiveId of ['a', 'b', 'c', 'd', 'e']) await addArchive(store, archiveId);
      const ordinals = (await list(store)).map(({ ordinal }) => ordinal);
      const note = (from: number, to: number, verifiedAtMs: number, damage: string | null) =>
        store.write(({ verifications }) =>
          verifications.note(ordinals.slice(from, to), { verifiedAtMs, damage }),
        );
      await note(0, 1, 10, 'it is gone');
      await note(1, 2, 20, null);
      await note(2, 4, 30, 'frame 3 is damaged');
      await removeArchive(store, 'a');
      assert.deepEqual(await summary(), {
        archiveCount: 4,
        unverifiedCount: 1,
        damagedCount: 2,
        oldestVerifiedAtMs: 20,
      });
      const listDamaged = async (limit: number) =>
        await store.read(({ verifications }) => verifications.listDamaged(limit));
      const damaged = await listDamaged(10);
      assert.deepEqual(
        damaged.map(({ archive, last }) => [archive.archiveId, last?.damage]),
        [
          ['c', 'frame 3 is damaged'],
          ['d', 'frame 3 is damaged'],
        ],
      );
      assert.deepEqual(await listDamaged(1), damaged.slice(0, 1));
    },
  },
  {
    title: 'a blob that moved is found under its new id in every row, and nowhere under the old',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await addArchive(store, 'archive');
      const output = { blobId: blobId('output'), sizeBytes: 5 };
      const job = succeeded(sampleInventoryJob('job', { output }));
      await store.write(({ jobs }) => jobs.insert(job));
      const repoint = (from: string, to: string) =>
        store.write(({ blobs }) => blobs.repoint(blobId(from), blobId(to)));
      assert.equal(await repoint('archive.1', 'moved'), true);
      assert.equal(await repoint('output', 'moved output'), true);
      assert.equal(await repoint('archive.1', 'elsewhere'), false);
      await store.read(async ({ archives, blobs, jobs }) => {
        assert.deepEqual(await archives.blobs('archive'), [
          { blobId: blobId('archive.2'), sizeBytes: 20, treeHash: null },
          { blobId: blobId('moved'), sizeBytes: 10, treeHash: null },
        ]);
        assert.equal((await jobs.get('job'))?.output?.blobId, 'moved output');
        assert.equal(await blobs.isReferenced(blobId('archive.1')), false);
        assert.equal(await blobs.isReferenced(blobId('output')), false);
        assert.equal(await blobs.isReferenced(blobId('moved')), true);
        assert.equal(await blobs.isReferenced(blobId('moved output')), true);
      });
    },
  },
];

function list(store: MetadataStore, afterOrdinal = 0, limit = 100) {
  return store.read(({ verifications }) => verifications.list({ afterOrdinal, limit }));
}

async function ids(store: MetadataStore): Promise<string[]> {
  return (await list(store)).map(({ archive }) => archive.archiveId);
}
