import assert from 'node:assert/strict';
import {
  addArchive,
  blobId,
  type MetadataCase,
  removeArchive,
  sampleArchive,
  withVault,
} from './metadata-specimen.ts';
import type { BlobOwner, MetadataStore } from './metadata-store.ts';
import {
  addUploadedArchive,
  completedAt,
  samplePart,
  sampleUpload,
  uploadedBlobs,
  uploadIdOf,
} from './metadata-upload-specimen.ts';

/** Archives whose bytes are the parts of an upload. */
export const uploadedArchiveCases: readonly MetadataCase[] = [
  {
    title: 'an upload becomes an archive of its parts in their order, and of a label',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await addArchive(store, 'other');
      const addedChange = await addUploadedArchive(store, 'archive');
      await addUploadedArchive(store, 'next', { partCount: 1 });
      await store.read(async ({ archives, uploads }) => {
        assert.deepEqual(await archives.get('archive'), sampleArchive('archive', { addedChange }));
        assert.deepEqual(await archives.blobs('archive'), uploadedBlobs('archive'));
        assert.deepEqual(await archives.blobs('next'), uploadedBlobs('next', 1));
        const uploadId = uploadIdOf('archive');
        const completed = completedAt(sampleUpload(uploadId), 'archive', 2);
        assert.deepEqual(await uploads.get(uploadId), completed);
        const parts = await uploads.listParts({ uploadId, after: null, limit: 9 });
        assert.deepEqual(
          parts,
          [0, 1, 2].map((index) => samplePart(uploadId, index)),
        );
      });
    },
  },
  {
    title: 'an upload becomes one archive at most, and none when it is not there',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await addUploadedArchive(store, 'archive');
      const insert = (archiveId: string, uploadId: string) =>
        store.write(({ archives }) =>
          archives.insertUploaded(sampleArchive(archiveId), uploadId, blobId('label')),
        );
      const { sizeBytes } = sampleArchive('again');
      await assert.rejects(insert('again', uploadIdOf('archive')), { code: 'Conflict' });
      await assert.rejects(insert('of nothing', 'absent'), { name: 'AssertionFailed' });
      await store.write(async ({ uploads }) => {
        await uploads.insert(sampleUpload('upload'));
        await uploads.putPart('upload', samplePart('upload', 0, { sizeBytes }), 5);
      });
      await assert.rejects(insert('archive', 'upload'), { code: 'Conflict' });
      await store.read(async ({ archives, blobs }) => {
        assert.equal(await archives.get('again'), undefined);
        assert.equal(await archives.get('of nothing'), undefined);
        assert.deepEqual(await archives.blobs('archive'), uploadedBlobs('archive'));
        assert.equal(await blobs.isReferenced(blobId('label')), false);
      });
    },
  },
  {
    title: 'an upload whose parts do not add up to the archive does not become it',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await store.write(async ({ uploads }) => {
        await uploads.insert(sampleUpload('upload'));
        await uploads.insert(sampleUpload('of no parts'));
        for (const index of [0, 2]) await uploads.putPart('upload', samplePart('upload', index), 5);
      });
      const insert = (uploadId: string, sizeBytes: number) =>
        store.write(({ archives }) => {
          const archive = sampleArchive('archive', { sizeBytes });
          return archives.insertUploaded(archive, uploadId, blobId('label'));
        });
      for (const sizeBytes of [0, 10, 19, 21, 30]) {
        await assert.rejects(insert('upload', sizeBytes), { name: 'AssertionFailed' });
      }
      await assert.rejects(insert('of no parts', 10), { name: 'AssertionFailed' });
      assert.equal(await store.read(({ archives }) => archives.get('archive')), undefined);
      await insert('upload', 20);
      assert.equal((await blobsOf(store, 'archive')).length, 3);
    },
  },
  {
    title: 'an archive that was uploaded in parts is forgotten with its parts and its upload',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      for (const archiveId of ['archive', 'other']) await addUploadedArchive(store, archiveId);
      await store.write(({ archives }) => archives.forget('archive'));
      await removeArchive(store, 'archive');
      assert.deepEqual(await blobsOf(store, 'archive'), uploadedBlobs('archive'));
      await store.write(({ archives }) => archives.forget('archive'));
      const uploadId = uploadIdOf('archive');
      const over = { ...completedAt(sampleUpload(uploadId), 'archive', 2), isDiscarded: true };
      await store.read(async ({ archives, uploads, blobs }) => {
        assert.equal(await archives.get('archive'), undefined);
        assert.deepEqual(await archives.blobs('archive'), []);
        assert.deepEqual(await uploads.listParts({ uploadId, after: null, limit: 9 }), []);
        assert.deepEqual(await uploads.get(uploadId), over);
        assert.deepEqual(await uploads.listToDiscard({ after: null, limit: 9 }), []);
        const query = { endedByMs: 2, after: null, limit: 9 };
        assert.deepEqual(await uploads.listOver(query), [over]);
        for (const { blobId: id } of uploadedBlobs('archive')) {
          assert.equal(await blobs.isReferenced(id), false);
        }
      });
      assert.deepEqual(await blobsOf(store, 'other'), uploadedBlobs('other'));
      await store.write(({ uploads }) => uploads.remove(uploadId));
      assert.equal(await store.read(({ uploads }) => uploads.get(uploadId)), undefined);
    },
  },
  {
    title: 'a part is named by its upload and by the archive that it became, and by no other',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      for (const archiveId of ['archive', 'other']) await addUploadedArchive(store, archiveId);
      await store.write(async ({ uploads }) => {
        await uploads.insert(sampleUpload('open'));
        await uploads.putPart('open', samplePart('open', 0), 5);
      });
      const isNamed = (owner: BlobOwner, id: string) =>
        store.read(({ blobs }) => blobs.isNamedBy(owner, blobId(id)));
      const uploadId = uploadIdOf('archive');
      for (const index of [0, 1, 2]) {
        assert.equal(await isNamed({ uploadId }, `${uploadId}.part ${index}`), true);
        assert.equal(await isNamed({ archiveId: 'archive' }, `${uploadId}.part ${index}`), true);
      }
      assert.equal(await isNamed({ archiveId: 'archive' }, 'archive.label'), true);
      assert.equal(await isNamed({ uploadId }, 'archive.label'), false);
      assert.equal(await isNamed({ uploadId: 'open' }, 'open.part 0'), true);
      assert.equal(await isNamed({ uploadId: 'open' }, `${uploadId}.part 0`), false);
      assert.equal(await isNamed({ uploadId: 'absent' }, 'open.part 0'), false);
      assert.equal(await isNamed({ archiveId: 'other' }, `${uploadId}.part 0`), false);
      assert.equal(await isNamed({ archiveId: 'absent' }, `${uploadId}.part 0`), false);
      assert.equal(await isNamed({ jobId: uploadId }, `${uploadId}.part 0`), false);
    },
  },
  {
    title: 'a part that moved is found under its new id alone, before it is an archive and after',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await addUploadedArchive(store, 'archive');
      await store.write(async ({ uploads }) => {
        await uploads.insert(sampleUpload('open'));
        await uploads.putPart('open', samplePart('open', 0), 5);
      });
      const repoint = (from: string, to: string) =>
        store.write(({ blobs }) => blobs.repoint(blobId(from), blobId(to)));
      const isReferenced = (id: string) =>
        store.read(({ blobs }) => blobs.isReferenced(blobId(id)));
      const old = ['open.part 0', `${uploadIdOf('archive')}.part 1`, 'archive.label'];
      for (const id of old) {
        assert.equal(await isReferenced(id), true);
        assert.equal(await repoint(id, `moved ${id}`), true);
        assert.equal(await repoint(id, 'elsewhere'), false);
        assert.equal(await isReferenced(id), false);
        assert.equal(await isReferenced(`moved ${id}`), true);
      }
      const [first, second, third, label] = uploadedBlobs('archive');
      assert.deepEqual(await blobsOf(store, 'archive'), [
        first,
        { ...second, blobId: `moved ${old[1]}` },
        third,
        { ...label, blobId: `moved ${old[2]}` },
      ]);
      const query = { uploadId: 'open', after: null, limit: 9 };
      const parts = await store.read(({ uploads }) => uploads.listParts(query));
      assert.deepEqual(parts, [samplePart('open', 0, { blobId: blobId('moved open.part 0') })]);
    },
  },
  {
    title: 'a part is referred to until it is replaced or removed',
    run: async ({ store }) => {
      const isReferenced = (id: string) =>
        store.read(({ blobs }) => blobs.isReferenced(blobId(id)));
      await store.write(async ({ uploads }) => {
        await uploads.insert(sampleUpload('upload'));
        for (const index of [0, 1]) {
          await uploads.putPart('upload', samplePart('upload', index), 5);
        }
      });
      assert.equal(await isReferenced('upload.part 0'), true);
      const other = samplePart('upload', 0, { blobId: blobId('other') });
      await store.write(({ uploads }) => uploads.putPart('upload', other, 6));
      assert.equal(await isReferenced('upload.part 0'), false);
      assert.equal(await isReferenced('other'), true);
      await store.write(({ uploads }) => uploads.removeParts('upload', [1, 5]));
      assert.equal(await isReferenced('upload.part 1'), false);
      assert.equal(await isReferenced('other'), true);
    },
  },
  {
    title: 'archives of very many parts are listed for verification a few at a time, none left out',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      const counts = { a: 3, b: 6_000, c: 6_000, d: 1, e: 2_000 };
      for (const [archiveId, partCount] of Object.entries(counts)) {
        await addUploadedArchive(store, archiveId, { partCount });
      }
      await addArchive(store, 'f');
      const found = new Map<string, number>();
      for (let afterOrdinal = 0, pages = 1; ; pages++) {
        const query = { afterOrdinal, limit: 100 };
        const page = await store.read(({ verifications }) => verifications.list(query));
        const last = page.at(-1);
        if (last === undefined) {
          assert.ok(pages > 2, `${pages} pages`);
          break;
        }
        const blobCount = page.reduce((sum, { blobs }) => sum + blobs.length, 0);
        assert.ok(blobCount < 12_000, `${blobCount} blobs in a page`);
        for (const { archive, blobs } of page) {
          assert.ok(!found.has(archive.archiveId));
          found.set(archive.archiveId, blobs.length);
          if (archive.archiveId === 'b') assert.deepEqual(blobs, uploadedBlobs('b', 6_000));
        }
        afterOrdinal = last.ordinal;
      }
      assert.deepEqual(Object.fromEntries(found), {
        ...{ a: 4, b: 6_001, c: 6_001, d: 2, e: 2_001, f: 2 },
      });
    },
  },
];

function blobsOf(store: MetadataStore, archiveId: string) {
  return store.read(({ archives }) => archives.blobs(archiveId));
}
