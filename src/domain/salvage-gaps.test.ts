import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  outputOf,
  photos,
  retrieve,
  runUntilIdle,
} from '../../tests/support/domain.ts';
import {
  completionOf,
  cut,
  initiate,
  partOf,
  putAll,
  storeInParts,
} from '../../tests/support/domain-uploads.ts';
import { afterLoss, passWeeks } from '../../tests/support/lost-batches.ts';
import { mebibyte } from '../../tests/support/tree-hash-reference.ts';
import { sampleBytes } from '../storage/blob-specimen.ts';
import { DiscardUploads } from '../workers/discard-uploads.ts';
import { RetrieveArchives } from '../workers/retrieve-archives.ts';
import { salvage } from './salvage.ts';

const whole = sampleBytes(2 * mebibyte + 9);

/** Asserts that the archive can be retrieved, all of it, weeks after the loss. */
async function assertKept(domain: Domain, archiveId: string, bytes = whole): Promise<void> {
  await passWeeks(domain);
  const jobId = await retrieve(domain, archiveId);
  await runUntilIdle(new RetrieveArchives({ ...domain, arrivals: domain.arrivals.retrievals }));
  assert.ok((await outputOf(domain, jobId)).equals(bytes));
}

test('an archive is whole again when any one change of its upload is lost', async () => {
  const changes = ['initiate', 'put 1', 'put 2', 'put 3', 'complete'];
  for (const [index, change] of changes.entries()) {
    let archiveId = '';
    await afterLoss(
      async (domain, journal) => {
        const before = journal.lastSequence;
        archiveId = (await storeInParts(domain, whole)).archiveId;
        assert.equal(journal.lastSequence, before + changes.length);
        return [before + 1 + index];
      },
      async ({ domain, report, lost }) => {
        assert.deepEqual([change, report.archivesMade], [change, 1]);
        assert.equal(report.archivesIncompleteCount, 0);
        if (change.startsWith('put')) assert.match(lost.join(), /archives\.insertUploaded/);
        await assertKept(domain, archiveId);
      },
    );
  }
});

test('an archive is whole again when the replacement of a part is lost, and the part is gone', async () => {
  let archiveId = '';
  await afterLoss(
    async (domain, journal) => {
      const uploadId = await initiate(domain);
      await domain.uploads.putPart(partOf(uploadId, 0, sampleBytes(mebibyte, 9)));
      const before = journal.lastSequence;
      await putAll(domain, uploadId, whole);
      archiveId = (await domain.uploads.complete(completionOf(uploadId, whole))).archiveId;
      return [before + 1];
    },
    async ({ domain, report }) => {
      assert.deepEqual([report.archivesMade, report.archivesRepointed], [0, 1]);
      assert.deepEqual([report.partsLeftAlone, report.archivesIncompleteCount], [0, 0]);
      const again = await salvage({ ...domain, signal: goingOn });
      assert.deepEqual([again.archivesRepointed, again.archivesIncompleteCount], [0, 0]);
      await assertKept(domain, archiveId);
    },
  );
});

test('an archive whose deletion is lost, and whose bytes are gone, is told', async () => {
  for (const leavesLabel of [true, false]) {
    let archiveId = '';
    await afterLoss(
      async (domain, journal) => {
        archiveId = (await storeInParts(domain, whole, { description: 'old' })).archiveId;
        const before = journal.lastSequence;
        await domain.archives.remove(photos, archiveId);
        const blobs = await domain.store.read(({ archives }) => archives.blobs(archiveId));
        for (const { blobId } of leavesLabel ? blobs.slice(1, -1) : blobs.slice(-1)) {
          await domain.blobs.remove(blobId);
        }
        return [before + 1];
      },
      async ({ report }) => {
        const problem = leavesLabel
          ? 'Of its 3 parts these are missing: 2-3.'
          : 'The blob with its label is lost.';
        assert.equal(report.archivesIncompleteCount, 1);
        const [found] = report.archivesIncomplete;
        assert.deepEqual(found, {
          ...photos,
          ...{ archiveId, description: 'old', sizeBytes: whole.length, problem },
          createdAtMs: Date.UTC(2026, 0, 31, 14, 26, 33, 31),
        });
      },
    );
  }
});

test('an upload whose discarded parts are back is discarded again, and holds up no other', async () => {
  let uploadId = '';
  await afterLoss(
    async (domain, journal) => {
      uploadId = await initiate(domain);
      for (const [at] of cut(new Uint8Array(110 * mebibyte))) {
        await domain.uploads.putPart(partOf(uploadId, at, sampleBytes(10)));
      }
      await domain.uploads.abort({ vault: photos, uploadId });
      const before = journal.lastSequence;
      await runUntilIdle(new DiscardUploads(domain));
      assert.equal(journal.lastSequence, before + 2);
      return [before + 1];
    },
    async ({ domain }) => {
      const found = () => domain.store.read(({ uploads }) => uploads.get(uploadId));
      assert.deepEqual([(await found())?.state, (await found())?.isDiscarded], ['Aborted', false]);
      await passWeeks(domain);
      assert.equal(await found(), undefined);
    },
  );
});
