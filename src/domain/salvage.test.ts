import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  accountId,
  type Domain,
  goingOn,
  inventory,
  openDomain,
  photos,
  region,
  runUntilIdle,
  storeText,
  upload,
  videos,
} from '../../tests/support/domain.ts';
import { listIds, writeBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import type { ArchiveRow, VaultKey } from '../storage/rows.ts';
import { TakeInventories } from '../workers/take-inventories.ts';
import { ArchiveVerification } from './archive-verification.ts';
import { encodeBlobLabel, parseBlobLabel } from './blob-labels.ts';
import { salvage } from './salvage.ts';

/** Other rows, none of them there yet, over the same bytes. */
async function withoutRows(domain: Domain) {
  const empty = await openDomain();
  await empty.vaults.remove(photos);
  return { ...empty, blobs: domain.blobs };
}

const run = (domain: Pick<Domain, 'store' | 'blobs' | 'clock'>) =>
  salvage({ ...domain, signal: goingOn });

const nothing = {
  vaultsMade: 0,
  archivesMade: 0,
  archivesRepointed: 0,
  partsRepointed: 0,
  archivesOfDeletedVaults: 0,
  archivesIncompleteCount: 0,
  archivesIncomplete: [],
  partsLeftAlone: 0,
  blobsUnreadableCount: 0,
  blobsUnreadable: [],
  blobsWithoutLabelOfArchive: 0,
  accountsWithoutRow: [],
};

/** A vault's archives as an inventory lists them. */
async function listed(
  { store }: Pick<Domain, 'store'>,
  key: VaultKey,
): Promise<readonly ArchiveRow[]> {
  const all = await store.read(async ({ vaults, archives }) => {
    const vault = await vaults.get(key);
    return archives.listForInventory({
      vaultId: vault?.vaultId ?? '',
      asOfChange: vault?.changes ?? 0,
      createdFromMs: null,
      createdBeforeMs: null,
      after: null,
      limit: 10_000,
    });
  });
  return all.archives;
}

/** What of a row an inventory shows. */
const shown = (rows: readonly ArchiveRow[]) =>
  rows.map(({ addedChange: _addedChange, ...facts }) => facts);

async function blobOf({ store }: Domain, archiveId: string): Promise<BlobId> {
  const [part] = await store.read(({ archives }) => archives.blobs(archiveId));
  assert.ok(part !== undefined);
  return part.blobId;
}

test('whatever was stored in whatever vaults is back, and listed as before', async () => {
  const archive = fc.record({
    vault: fc.integer({ min: 0, max: 3 }),
    text: fc.string({ maxLength: 20 }),
    description: fc.string({ maxLength: 30 }),
    waitMs: fc.integer({ min: 0, max: 100_000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(archive, { maxLength: 25 }), async (stored) => {
      await using domain = await openDomain();
      const keys = [0, 1, 2, 3].map((index) => ({
        accountId: index === 3 ? '999999999999' : accountId,
        region: index === 2 ? 'eu-west-1' : region,
        vaultName: index === 1 ? 'videos' : 'films',
      }));
      for (const key of keys) await domain.vaults.create(key);
      for (const { vault, text, description, waitMs } of stored) {
        domain.clock.advance(waitMs);
        const key = keys[vault];
        assert.ok(key !== undefined);
        await domain.archives.store(
          upload(Buffer.from(`${text}.`), { vault: key, description: description || undefined }),
        );
      }
      await using other = await withoutRows(domain);
      const report = await run(other);
      assert.equal(report.archivesMade, stored.length);
      assert.equal(report.vaultsMade, new Set(stored.map(({ vault }) => vault)).size);
      for (const key of keys) {
        const before = await listed(domain, key);
        assert.deepEqual(shown(await listed(other, key)), shown(before));
        const vault = await other.store.read(({ vaults }) => vaults.get(key));
        const original = await domain.store.read(({ vaults }) => vaults.get(key));
        if (before.length === 0) {
          assert.equal(vault, undefined);
          continue;
        }
        assert.equal(vault?.vaultId, original?.vaultId);
        assert.equal(vault?.createdAtMs, before[0]?.createdAtMs);
        assert.equal(vault?.archiveCount, original?.archiveCount);
        assert.equal(vault?.sizeBytes, original?.sizeBytes);
      }
    }),
    { numRuns: 25 },
  );
});

test('what was salvaged is found to be right, and salvaging again changes nothing', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await using other = await withoutRows(domain);
  const report = await run(other);
  const accountsWithoutRow = [accountId];
  assert.deepEqual(report, { ...nothing, vaultsMade: 1, archivesMade: 1, accountsWithoutRow });
  const { row, parts } = await other.store.read(async ({ archives }) => ({
    row: await archives.get(archiveId),
    parts: await archives.blobs(archiveId),
  }));
  assert.ok(row !== undefined);
  const verification = new ArchiveVerification({ ...other, archive: row, parts });
  assert.equal((await verification.advance(goingOn)).kind, 'verified');
  assert.deepEqual(await run(other), { ...nothing, accountsWithoutRow });
});

test('nothing is made where no row was lost', async () => {
  await using domain = await openDomain();
  await domain.accounts.ensureFirst(accountId);
  await storeText(domain, 'stays');
  await domain.archives.remove(photos, await storeText(domain, 'goes'));
  assert.deepEqual(await run(domain), nothing);
  assert.equal((await listed(domain, photos)).length, 1);
});

test('archives come back into a vault that is there, beside those that are', async () => {
  await using domain = await openDomain();
  await domain.accounts.ensureFirst(accountId);
  await storeText(domain, 'kept');
  const lost = await storeText(domain, 'lost');
  const before = shown(await listed(domain, photos));
  await domain.archives.remove(photos, lost);
  await domain.store.write(({ archives }) => archives.forget(lost));
  assert.deepEqual(await run(domain), { ...nothing, archivesMade: 1 });
  assert.deepEqual(shown(await listed(domain, photos)), before);
  const vault = await domain.store.read(({ vaults }) => vaults.get(photos));
  assert.deepEqual([vault?.archiveCount, vault?.sizeBytes], [2, 8]);
});

test('a row whose blob is gone gets another copy, and a copy too many gets no row', async () => {
  await using domain = await openDomain();
  await domain.accounts.ensureFirst(accountId);
  const moved = await storeText(domain, 'moved');
  const from = await blobOf(domain, moved);
  const to = await domain.blobs.duplicate(from);
  await domain.blobs.remove(from);
  await domain.blobs.duplicate(await blobOf(domain, await storeText(domain, 'twice')));
  assert.deepEqual(await run(domain), { ...nothing, archivesRepointed: 1 });
  assert.equal(await blobOf(domain, moved), to);
  assert.equal((await listed(domain, photos)).length, 2);
  assert.deepEqual(await run(domain), nothing);
});

test('an archive with several copies and no row is made once', async () => {
  await using domain = await openDomain();
  const blobId = await blobOf(domain, await storeText(domain, 'twice'));
  await domain.blobs.duplicate(blobId);
  await using other = await withoutRows(domain);
  assert.equal((await run(other)).archivesMade, 1);
  assert.equal((await listed(other, photos)).length, 1);
});

test('damaged blobs, outputs of jobs and others are told, and do no harm', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'sound');
  const damaged = await blobOf(domain, await storeText(domain, 'damaged'));
  domain.blobs.damageLabel(damaged, 1);
  await inventory(domain);
  await runUntilIdle(new TakeInventories({ ...domain, arrivals: domain.arrivals.inventories }));
  await writeBytes(domain.blobs, Buffer.from('of no known kind'));
  await using other = await withoutRows(domain);
  const report = await run(other);
  assert.deepEqual(
    report.blobsUnreadable.map(({ id }) => id),
    [damaged],
  );
  assert.equal(report.blobsUnreadableCount, 1);
  assert.match(report.blobsUnreadable[0]?.reason ?? '', /label .* fails its verification/);
  assert.equal(report.blobsWithoutLabelOfArchive, 2);
  assert.equal(report.archivesMade, 1);
});

test('a label that is not that of its bytes makes no row', async () => {
  await using domain = await openDomain();
  const { label } = await domain.blobs.describe(
    await blobOf(domain, await storeText(domain, 'hello')),
  );
  const parsed = parseBlobLabel(label);
  assert.ok(parsed?.kind === 'archive');
  await using other = await withoutRows(await openDomain());
  for (const change of [{ sizeBytes: 6 }, { treeHash: '0'.repeat(64) }]) {
    const text = encodeBlobLabel({ ...parsed, ...change });
    async function* body() {
      yield Buffer.from('hello');
    }
    await other.blobs.write(body(), { label: () => text });
  }
  const report = await run(other);
  assert.equal(report.blobsUnreadableCount, 2);
  assert.match(report.blobsUnreadable[0]?.reason ?? '', /not that of its bytes/);
  assert.equal(report.archivesMade, 0);
});

test('of vaults that had a name one after the other, the last one comes back', async () => {
  await using domain = await openDomain();
  const old = await storeText(domain, 'old');
  await domain.archives.remove(photos, old);
  await domain.vaults.remove(photos);
  domain.clock.advance(1000);
  await domain.vaults.create(photos);
  const young = await storeText(domain, 'young');
  await using other = await withoutRows(domain);
  const report = await run(other);
  assert.deepEqual([report.archivesMade, report.archivesOfDeletedVaults], [1, 1]);
  assert.deepEqual(
    (await listed(other, photos)).map(({ archiveId }) => archiveId),
    [young],
  );
});

test('more archives than one batch holds come back', async () => {
  await using domain = await openDomain();
  await domain.vaults.create(videos);
  for (let count = 0; count < 1001; count += 1) await storeText(domain, `${count}`);
  await using other = await withoutRows(domain);
  const seen: number[] = [];
  const report = await salvage({
    ...other,
    signal: goingOn,
    onProgress: (count) => seen.push(count),
  });
  assert.equal(report.archivesMade, (await listIds(domain.blobs)).length);
  assert.deepEqual(seen, [500, 1000, 1001, 1501, 2001, 2002]);
});

test('a stop ends the salvaging with its reason', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  await using other = await withoutRows(domain);
  const reason = new Error('stopped');
  await assert.rejects(salvage({ ...other, signal: AbortSignal.abort(reason) }), reason);
});
