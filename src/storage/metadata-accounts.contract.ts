import assert from 'node:assert/strict';
import {
  accountId,
  addArchive,
  blobId,
  type MetadataCase,
  removeArchive,
  sampleInventoryJob,
  succeeded,
  withVault,
} from './metadata-specimen.ts';
import type { AccessKeyRow } from './rows.ts';

/** Accounts, their keys, single facts, and which blobs are referred to. */
export const accountCases: readonly MetadataCase[] = [
  {
    title: 'accounts are found by their id and listed',
    run: async ({ store }) => {
      const first = { accountId, name: 'first', createdAtMs: 1 };
      const second = { accountId: '000000000001', name: 'second', createdAtMs: 2 };
      await store.write(async ({ accounts }) => {
        await accounts.insert(first);
        await accounts.insert(second);
      });
      await store.read(async ({ accounts }) => {
        assert.deepEqual(await accounts.get(accountId), first);
        assert.equal(await accounts.get('000000000002'), undefined);
        assert.deepEqual(await accounts.list(), [second, first]);
      });
      const again = store.write(({ accounts }) => accounts.insert(first));
      await assert.rejects(again, { code: 'Conflict' });
    },
  },
  {
    title: 'access keys are found by their id until they are removed',
    run: async ({ store }) => {
      const key = (accessKeyId: string, isActive: boolean): AccessKeyRow => ({
        accessKeyId,
        secretAccessKey: `secret of ${accessKeyId}`,
        accountId,
        isActive,
        createdAtMs: 3,
      });
      await store.write(async ({ accounts }) => {
        await accounts.insert({ accountId, name: 'first', createdAtMs: 1 });
        await accounts.insertAccessKey(key('active', true));
        await accounts.insertAccessKey(key('inactive', false));
      });
      await store.read(async ({ accounts }) => {
        assert.deepEqual(await accounts.accessKey('active'), key('active', true));
        assert.deepEqual(await accounts.accessKey('inactive'), key('inactive', false));
        assert.equal(await accounts.accessKey('absent'), undefined);
      });
      const again = store.write(({ accounts }) => accounts.insertAccessKey(key('active', true)));
      await assert.rejects(again, { code: 'Conflict' });
      await store.write(async ({ accounts }) => {
        await accounts.removeAccessKey('active');
        await accounts.removeAccessKey('absent');
      });
      assert.equal(await store.read(({ accounts }) => accounts.accessKey('active')), undefined);
    },
  },
  {
    title: 'a fact has the value that it was last given',
    run: async ({ store }) => {
      assert.equal(await store.read(({ facts }) => facts.get('name')), undefined);
      await store.write(({ facts }) => facts.set('name', 'first'));
      await store.write(({ facts }) => facts.set('name', 'second'));
      assert.equal(await store.read(({ facts }) => facts.get('name')), 'second');
    },
  },
  {
    title: 'a blob is named by the row of its own archive or job, and by no other',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await addArchive(store, 'archive');
      await addArchive(store, 'other');
      const output = { blobId: blobId('output'), sizeBytes: 5 };
      const job = succeeded(sampleInventoryJob('job', { output }));
      await store.write(({ jobs }) => jobs.insert(job));
      const ofArchive = (archiveId: string, id: string) =>
        store.read(({ blobs }) => blobs.isNamedBy({ archiveId }, blobId(id)));
      const ofJob = (jobId: string, id: string) =>
        store.write(({ blobs }) => blobs.isNamedBy({ jobId }, blobId(id)));
      assert.equal(await ofArchive('archive', 'archive.1'), true);
      assert.equal(await ofArchive('archive', 'archive.2'), true);
      assert.equal(await ofArchive('other', 'archive.1'), false);
      assert.equal(await ofArchive('absent', 'archive.1'), false);
      assert.equal(await ofArchive('job', 'output'), false);
      assert.equal(await ofJob('job', 'output'), true);
      assert.equal(await ofJob('job', 'archive.1'), false);
      assert.equal(await ofJob('absent', 'output'), false);
      await store.write(({ blobs }) => blobs.repoint(blobId('archive.1'), blobId('moved')));
      assert.equal(await ofArchive('archive', 'archive.1'), false);
      assert.equal(await ofArchive('archive', 'moved'), true);
    },
  },
  {
    title: 'a blob is referred to by an archive until it is forgotten, and by the output of a job',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      const isReferenced = (id: string) =>
        store.read(({ blobs }) => blobs.isReferenced(blobId(id)));
      assert.equal(await isReferenced('archive.1'), false);
      await addArchive(store, 'archive');
      await removeArchive(store, 'archive');
      assert.equal(await isReferenced('archive.1'), true);
      assert.equal(await isReferenced('archive.2'), true);
      await store.write(({ archives }) => archives.forget('archive'));
      assert.equal(await isReferenced('archive.1'), false);

      const output = { blobId: blobId('output'), sizeBytes: 5 };
      const job = succeeded(sampleInventoryJob('job', { output }));
      await store.write(({ jobs }) => jobs.insert(job));
      assert.equal(await isReferenced('output'), true);
      await store.write(({ jobs }) => jobs.remove('job'));
      assert.equal(await isReferenced('output'), false);
    },
  },
];
