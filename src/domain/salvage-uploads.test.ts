import assert from 'node:assert/strict';
import test from 'node:test';
import {
  accountId,
  type Domain,
  goingOn,
  openDomain,
  photos,
  runUntilIdle,
  storeText,
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
import { listIds, sampleBytes, writeBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import type { ArchiveBlob, ArchiveRow } from '../storage/rows.ts';
import { DiscardUploads } from '../workers/discard-uploads.ts';
import { ForgetArchives } from '../workers/forget-archives.ts';
import { ArchiveVerification } from './archive-verification.ts';
import { encodeBlobLabel, parseBlobLabel } from './blob-labels.ts';
import { type SalvageOptions, salvage } from './salvage.ts';

const whole = sampleBytes(2 * mebibyte + 9);

type Stores = Pick<Domain, 'store' | 'blobs' | 'clock'>;

/** Other rows, none of them there yet, over the same bytes. */
async function withoutRows(domain: Domain) {
  const empty = await openDomain();
  await empty.vaults.remove(photos);
  return { ...empty, blobs: domain.blobs };
}

/** What salvaging did, without what it always says. */
async function run(domain: Stores, other: Partial<SalvageOptions> = {}) {
  const report = await salvage({ ...domain, signal: goingOn, ...other });
  const { accountsWithoutRow: _accounts, ...counts } = report;
  return Object.fromEntries(
    Object.entries(counts).filter(([, value]) => value !== 0 && !isEmpty(value)),
  );
}

const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0;

/** The archive's rows, after every byte and label of it was found to be right. */
async function soundArchive(domain: Stores, archiveId: string) {
  const { archive, parts } = await domain.store.read(async ({ archives }) => ({
    archive: await archives.get(archiveId),
    parts: await archives.blobs(archiveId),
  }));
  assert.ok(archive !== undefined, 'the archive has a row');
  const verification = new ArchiveVerification({ ...domain, archive, parts });
  const { bytesRead: _bytes, ...outcome } = await verification.advance(goingOn);
  assert.deepEqual(outcome, { kind: 'verified' });
  return { archive, parts };
}

function shown({ archive, parts }: { archive: ArchiveRow; parts: readonly ArchiveBlob[] }) {
  const { addedChange: _change, ...facts } = archive;
  return { ...facts, parts };
}

async function blobsOf({ store }: Stores, archiveId: string): Promise<readonly BlobId[]> {
  const blobs = await store.read(({ archives }) => archives.blobs(archiveId));
  return blobs.map(({ blobId }) => blobId);
}

const at = (blobs: readonly BlobId[], index: number) => defined(blobs.at(index), 'a blob');

/** What of an archive is told that could not be made. */
const incompleteWith = (problem: string, archiveId: string) => ({
  archivesIncompleteCount: 1,
  archivesIncomplete: [
    {
      ...photos,
      archiveId,
      description: 'in parts',
      sizeBytes: whole.length,
      createdAtMs: Date.UTC(2026, 0, 31, 14, 26, 33, 31),
      problem,
    },
  ],
});

test('archives of parts are back with their uploads, beside others, and salvaging again changes nothing', async () => {
  await using domain = await openDomain();
  const stored = [
    await storeInParts(domain, whole, { description: 'in parts' }),
    await storeInParts(domain, sampleBytes(77)),
    await storeInParts(domain, whole, { partSizeBytes: 2 * mebibyte }),
  ];
  const text = await storeText(domain, 'hello');
  await using other = await withoutRows(domain);
  assert.deepEqual(await run(other), { vaultsMade: 1, archivesMade: 4 });
  assert.deepEqual(await run(other), {});
  await soundArchive(other, text);
  for (const { archiveId, uploadId } of stored) {
    const made = await soundArchive(other, archiveId);
    assert.deepEqual(shown(made), shown(await soundArchive(domain, archiveId)));
    const upload = await other.store.read(({ uploads }) => uploads.get(uploadId));
    const original = await domain.store.read(({ uploads }) => uploads.get(uploadId));
    assert.deepEqual(upload, original);
  }
  const vault = await other.store.read(({ vaults }) => vaults.get(photos));
  assert.deepEqual([vault?.archiveCount, vault?.sizeBytes], [4, 2 * whole.length + 77 + 5]);
});

test('an archive that is back is removed and forgotten as any other', async () => {
  await using domain = await openDomain();
  const { archiveId, uploadId } = await storeInParts(domain, whole);
  await using other = await withoutRows(domain);
  await run(other);
  await other.archives.remove(photos, archiveId);
  await runUntilIdle(new ForgetArchives(other));
  assert.deepEqual(await listIds(other.blobs), []);
  const upload = await other.store.read(({ uploads }) => uploads.get(uploadId));
  assert.equal(upload?.isDiscarded, true);
});

test('an archive of which parts are missing is not made, and it is told which', async () => {
  await using domain = await openDomain();
  const { archiveId } = await storeInParts(domain, whole, { description: 'in parts' });
  const blobs = await blobsOf(domain, archiveId);
  await domain.blobs.remove(at(blobs, 0));
  domain.blobs.damageLabel(at(blobs, 1), 2);
  await using other = await withoutRows(domain);
  const { blobsUnreadable: _blobs, ...report } = await run(other);
  const expected = incompleteWith('Of its 3 parts these are missing: 1-2.', archiveId);
  assert.deepEqual(report, { ...expected, blobsUnreadableCount: 1 });
  const rows = await other.store.read(async ({ vaults, archives }) => [
    await vaults.get(photos),
    await archives.get(archiveId),
  ]);
  assert.deepEqual(rows, [undefined, undefined]);
});

test('an archive whose label is lost with its row is parts that are left alone', async () => {
  await using domain = await openDomain();
  const { archiveId } = await storeInParts(domain, whole);
  await domain.blobs.remove(at(await blobsOf(domain, archiveId), -1));
  await using other = await withoutRows(domain);
  assert.deepEqual(await run(other), { partsLeftAlone: 3 });
});

test('uploads that were never completed are counted, and left alone', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await putAll(domain, uploadId, whole);
  assert.deepEqual(await run(domain), {});
  await using other = await withoutRows(domain);
  assert.deepEqual(await run(other), { partsLeftAlone: 3 });
  assert.equal(await other.store.read(({ uploads }) => uploads.get(uploadId)), undefined);
});

test('of parts that were put in one place those are taken that are the archive', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain, { description: 'in parts' });
  const kept: BlobId[] = [];
  for (const seed of [1, 2, 3]) {
    for (const start of [0, mebibyte]) {
      await domain.uploads.putPart(partOf(uploadId, start, sampleBytes(mebibyte, seed)));
    }
    // As if the removal of those that are replaced now had failed.
    for (const id of await listIds(domain.blobs)) kept.push(await domain.blobs.duplicate(id));
  }
  await putAll(domain, uploadId, whole);
  const { archiveId } = await domain.uploads.complete(completionOf(uploadId, whole));
  await using other = await withoutRows(domain);
  assert.deepEqual(await run(other), { vaultsMade: 1, archivesMade: 1 });
  await soundArchive(other, archiveId);
  assert.ok(kept.length > 6);
});

test('an upload that the rows know as open becomes its archive, whatever they have of its parts', async () => {
  await using domain = await openDomain();
  const { archiveId, uploadId } = await storeInParts(domain, whole, { description: 'in parts' });
  const blobs = await blobsOf(domain, archiveId);
  await using other = await withoutRows(domain);
  await other.vaults.create(photos);
  await other.store.write(async ({ vaults, uploads }) => {
    // The vault as it was made, not another one of its name.
    const { vaultId = '' } = (await vaults.get(photos)) ?? {};
    await vaults.remove(vaultId);
    const vault = await domain.store.read((rows) => rows.vaults.get(photos));
    await vaults.insert({ ...defined(vault, 'the vault'), archiveCount: 0, sizeBytes: 0 });
    const upload = await domain.store.read((rows) => rows.uploads.get(uploadId));
    await uploads.insert({
      ...defined(upload, 'the upload'),
      ...{ state: 'Open', archive: null, endedAtMs: null, createdAtMs: 5 },
    });
    const before = { sizeBytes: mebibyte, treeHash: '0'.repeat(64) };
    await uploads.putPart(uploadId, { ...before, index: 0, blobId: 'lost' as BlobId }, 6);
    const parts = await domain.store.read((rows) =>
      rows.uploads.listParts({ uploadId, after: 0, limit: 1 }),
    );
    await uploads.putPart(uploadId, defined(parts[0], 'the second part'), 6);
  });
  assert.deepEqual(await run(other), { archivesMade: 1 });
  await soundArchive(other, archiveId);
  assert.deepEqual(await blobsOf(other, archiveId), blobs);
  const upload = await other.store.read(({ uploads }) => uploads.get(uploadId));
  assert.deepEqual(
    [upload?.state, upload?.archive?.archiveId, upload?.createdAtMs],
    ['Completed', archiveId, 5],
  );
  assert.deepEqual(await run(other), {});
});

test('a copy of the label of an upload that was aborted, or became another archive, makes none', async () => {
  await using domain = await openDomain();
  const { archiveId, uploadId } = await storeInParts(domain, whole);
  const own = at(await blobsOf(domain, archiveId), -1);
  const parsed = parseBlobLabel((await domain.blobs.describe(own)).label);
  assert.ok(parsed?.kind === 'uploaded-archive');
  const rival = encodeBlobLabel({ ...parsed, archiveId: 'x'.repeat(138) });
  await writeBytes(domain.blobs, new Uint8Array(0), rival);
  assert.deepEqual(await run(domain), {});
  const aborted = await initiate(domain);
  await domain.uploads.putPart(partOf(aborted, 0, sampleBytes(50)));
  const copies = await listIds(domain.blobs);
  const label = encodeBlobLabel({
    ...parsed,
    ...{ uploadId: aborted, archiveId: 'y'.repeat(138), partCount: 1, sizeBytes: 50 },
  });
  await writeBytes(domain.blobs, new Uint8Array(0), label);
  for (const id of copies) await domain.blobs.duplicate(id);
  await domain.uploads.abort({ vault: photos, uploadId: aborted });
  assert.deepEqual(await run(domain), {});
  await runUntilIdle(new DiscardUploads(domain));
  assert.deepEqual(await run(domain), {});
  assert.ok((await domain.store.read(({ uploads }) => uploads.get(uploadId)))?.archive);
});

test('of two labels of one upload the later makes the archive, and one is made', async () => {
  await using domain = await openDomain();
  const { archiveId } = await storeInParts(domain, whole);
  const own = at(await blobsOf(domain, archiveId), -1);
  const parsed = parseBlobLabel((await domain.blobs.describe(own)).label);
  assert.ok(parsed?.kind === 'uploaded-archive');
  for (const [id, afterMs, treeHash] of [
    ['earlier', -1, parsed.treeHash],
    ['of other parts', 1, '0'.repeat(64)],
  ] as const) {
    const createdAtMs = parsed.createdAtMs + afterMs;
    const label = encodeBlobLabel({ ...parsed, archiveId: id.padEnd(138), createdAtMs, treeHash });
    await writeBytes(domain.blobs, new Uint8Array(0), label);
  }
  await using other = await withoutRows(domain);
  assert.deepEqual(await run(other), { vaultsMade: 1, archivesMade: 1 });
  await soundArchive(other, archiveId);
  assert.deepEqual(await run(other), {});
});

test('rows whose part, or label, is gone get another copy', async () => {
  await using domain = await openDomain();
  const { archiveId } = await storeInParts(domain, whole);
  const open = await initiate(domain);
  await putAll(domain, open, whole);
  const parts = await domain.store.read(({ uploads }) =>
    uploads.listParts({ uploadId: open, after: null, limit: 1 }),
  );
  const blobs = await blobsOf(domain, archiveId);
  for (const id of [at(blobs, 1), at(blobs, -1), defined(parts[0], 'a part').blobId]) {
    await domain.blobs.duplicate(id);
    await domain.blobs.duplicate(id);
    await domain.blobs.remove(id);
  }
  await domain.blobs.duplicate(at(blobs, 0));
  assert.deepEqual(await run(domain), { archivesRepointed: 1, partsRepointed: 2 });
  await soundArchive(domain, archiveId);
  await domain.uploads.complete(completionOf(open, whole));
  assert.deepEqual(await run(domain), {});
});

test('archives of parts of a vault that was deleted are not made', async () => {
  await using domain = await openDomain();
  const { archiveId } = await storeInParts(domain, whole);
  await domain.archives.remove(photos, archiveId);
  await domain.vaults.remove(photos);
  domain.clock.advance(1000);
  await domain.vaults.create(photos);
  const young = await storeInParts(domain, sampleBytes(9));
  await using other = await withoutRows(domain);
  assert.deepEqual(await run(other), {
    ...{ vaultsMade: 1, archivesMade: 1, archivesOfDeletedVaults: 1 },
  });
  await soundArchive(other, young.archiveId);
});

test('more parts than are kept in mind at once are gathered in rounds', async () => {
  await using domain = await openDomain();
  const stored = [];
  for (let seed = 1; seed <= 4; seed += 1) {
    stored.push(await storeInParts(domain, sampleBytes(mebibyte + seed, seed)));
  }
  await storeText(domain, 'hello');
  await using other = await withoutRows(domain);
  const seen: number[] = [];
  const report = await run(other, { partsAtOnce: 5, onProgress: (count) => seen.push(count) });
  assert.deepEqual(report, { vaultsMade: 1, archivesMade: 5 });
  assert.deepEqual(seen, [13, 26, 39]);
  for (const { archiveId } of stored) await soundArchive(other, archiveId);
});

test('accounts whose vaults came back with archives of parts are told', async () => {
  await using domain = await openDomain();
  await storeInParts(domain, whole);
  await using other = await withoutRows(domain);
  const { accountsWithoutRow } = await salvage({ ...other, signal: goingOn });
  assert.deepEqual(accountsWithoutRow, [accountId]);
});
