import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  openDomain,
  photos,
  runUntilIdle,
} from '../../tests/support/domain.ts';
import {
  completionOf,
  initiate,
  partOf,
  putAll,
  storeInParts,
} from '../../tests/support/domain-uploads.ts';
import { mebibyte } from '../../tests/support/tree-hash-reference.ts';
import { defined } from '../lib/assert.ts';
import { sampleBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import type { PartRow } from '../storage/rows.ts';
import { DiscardUploads } from '../workers/discard-uploads.ts';
import { type CheckOptions, check } from './check.ts';

const minuteMs = 60_000;
const whole = sampleBytes(mebibyte + 30);

function run(domain: Domain, other: Partial<CheckOptions> = {}) {
  return check({
    rows: domain.store,
    blobs: domain.blobs,
    clock: domain.clock,
    snapshots: undefined,
    journal: undefined,
    signal: goingOn,
    ...other,
  });
}

/** An open upload of two parts. */
async function openUpload(domain: Domain) {
  const uploadId = await initiate(domain);
  await putAll(domain, uploadId, whole);
  return uploadId;
}

async function partAt({ store }: Domain, uploadId: string, index: number): Promise<PartRow> {
  const query = { uploadId, after: index - 1, limit: 1 };
  const [part] = await store.read(({ uploads }) => uploads.listParts(query));
  return defined(part, 'a part');
}

const problemOf = (uploadId: string, number: number, reason: string) =>
  `Part ${number} of the upload ${uploadId} to vault photos of account 012345678901 in ` +
  `us-east-1 is damaged: ${reason}.`;

test('parts of open uploads are read, and those of archives with these', async () => {
  await using domain = await openDomain();
  await openUpload(domain);
  await initiate(domain);
  await storeInParts(domain, whole);
  const report = await run(domain);
  assert.deepEqual(
    [report.isSound, report.partsChecked, report.archivesChecked, report.bytesRead],
    [true, 2, 1, 2 * whole.length],
  );
});

test('a part that is damaged, lost or not what its row says is told', async () => {
  await using domain = await openDomain();
  const uploadId = await openUpload(domain);
  const second = await partAt(domain, uploadId, 1);
  domain.blobs.damage(second.blobId, 3);
  const { problems, isSound } = await run(domain);
  const damaged = `Frame 0 of blob ${second.blobId} fails its verification`;
  assert.deepEqual([problems, isSound], [[problemOf(uploadId, 2, damaged)], false]);
  await domain.blobs.remove(second.blobId);
  const lost = problemOf(uploadId, 2, `There is no blob ${second.blobId}`);
  assert.deepEqual((await run(domain)).problems, [lost]);
  await domain.uploads.putPart(partOf(uploadId, mebibyte, whole.subarray(mebibyte)));
  assert.deepEqual((await run(domain)).problems, []);
  const first = await partAt(domain, uploadId, 0);
  const wrong = { ...first, treeHash: '0'.repeat(64) };
  await domain.store.write(({ uploads }) => uploads.putPart(uploadId, wrong, 1));
  const other = problemOf(uploadId, 1, 'its leaf hashes do not make up its tree hash');
  assert.deepEqual((await run(domain)).problems, [other]);
  const longer = { ...first, sizeBytes: 5 };
  await domain.store.write(({ uploads }) => uploads.putPart(uploadId, longer, 1));
  const length = problemOf(uploadId, 1, 'it has 1048576 bytes, and not 5');
  assert.deepEqual((await run(domain)).problems, [length]);
});

test('more uploads than a page holds are looked through', async () => {
  await using domain = await openDomain();
  for (let count = 0; count < 205; count += 1) {
    const uploadId = await initiate(domain);
    await domain.uploads.putPart(partOf(uploadId, 0, Buffer.from(`${count}`)));
  }
  assert.equal((await run(domain)).partsChecked, 205);
});

test('parts that move, are put again, or end with their upload are no problem, whenever they do', async () => {
  const deeds: readonly ((domain: Domain, uploadId: string) => Promise<unknown>)[] = [
    async ({ store, blobs, ...domain }, uploadId) => {
      for (const index of [0, 1]) {
        const { blobId } = await partAt({ store, blobs, ...domain }, uploadId, index);
        const to = await blobs.duplicate(blobId);
        await store.write((rows) => rows.blobs.repoint(blobId, to));
        await blobs.remove(blobId);
      }
    },
    ({ uploads }, uploadId) => uploads.putPart(partOf(uploadId, 0, whole.subarray(0, mebibyte))),
    ({ uploads }, uploadId) => uploads.complete(completionOf(uploadId, whole)),
    async (domain, uploadId) => {
      await domain.uploads.abort({ vault: photos, uploadId });
      await runUntilIdle(new DiscardUploads(domain));
    },
  ];
  for (const [which, deed] of deeds.entries()) {
    for (let nth = 1; nth <= 12; nth += 1) {
      await using domain = await openDomain();
      const uploadId = await openUpload(domain);
      let reads = 0;
      const rows: CheckOptions['rows'] = {
        async read(work) {
          const result = await domain.store.read(work);
          reads += 1;
          if (reads === nth) await deed(domain, uploadId);
          return result;
        },
      };
      const report = await run(domain, { rows });
      assert.ok(report.isSound, `deed ${which} after ${nth} reads: ${report.problems}`);
    }
  }
});

test('an upload that is open though its vault was deleted is told, and no problem', async () => {
  await using domain = await openDomain();
  const uploadId = await openUpload(domain);
  const vault = await domain.store.read(({ vaults }) => vaults.get(photos));
  const vaultId = vault?.vaultId ?? '';
  await domain.store.write(({ vaults }) => vaults.remove(vaultId));
  const { notes, isSound } = await run(domain);
  assert.deepEqual(notes, [
    `The upload ${uploadId} is open, and its vault, ${vaultId}, was deleted: it is given up soon.`,
  ]);
  assert.equal(isSound, true);
  await domain.store.write(({ uploads }) => uploads.abandon(vaultId, 1, 9));
  assert.ok((await run(domain)).isSound);
});

test('blobs without a row are counted by what their labels say', async () => {
  await using domain = await openDomain();
  const { archiveId } = await storeInParts(domain, whole);
  const blobs = await domain.store.read(({ archives }) => archives.blobs(archiveId));
  const copies: BlobId[] = [];
  for (const { blobId } of blobs) copies.push(await domain.blobs.duplicate(blobId));
  domain.clock.advance(minuteMs);
  const { orphans, notes, isSound } = await run(domain);
  const sizeBytes = whole.length;
  assert.deepEqual(orphans, {
    count: 3,
    sizeBytes,
    archiveCount: 1,
    partCount: 2,
    blobIds: copies,
  });
  assert.equal(isSound, true);
  assert.match(notes.join(), /^One blob without a row is labelled as of an archive\./);
  assert.match(notes.join(), /2 blobs without a row are labelled as parts of an upload\./);
  await domain.blobs.remove(defined(copies[0], 'a copy'));
  const later = await run(domain);
  assert.match(later.notes.join(), /One blob without a row is labelled as a part of an upload\./);
});

test('an archive of which rows of parts are missing, or others than its own, is told', async () => {
  await using domain = await openDomain();
  const { archiveId, uploadId } = await storeInParts(domain, whole);
  const second = await partAt(domain, uploadId, 1);
  await domain.store.write(({ uploads }) => uploads.removeParts(uploadId, [1]));
  const [found] = (await run(domain)).damaged;
  assert.equal(found?.archiveId, archiveId);
  const listed = `Its list of blobs holds ${mebibyte} bytes, and not the ${whole.length} of the archive.`;
  assert.ok(found?.damage.startsWith(listed), found?.damage);
  await domain.store.write(({ uploads }) => uploads.removeParts(uploadId, [0]));
  assert.match((await run(domain)).damaged[0]?.damage ?? '', /^Its list of blobs holds 0 bytes/);
  const first = { ...second, index: 0, sizeBytes: whole.length };
  await domain.store.write(({ uploads }) => uploads.putPart(uploadId, first, 1));
  const { damaged, isSound } = await run(domain);
  assert.deepEqual([damaged.length, isSound], [1, false]);
});
