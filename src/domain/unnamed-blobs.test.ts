import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  inventory,
  openDomain,
  photos,
  runUntilIdle,
  storeText,
} from '../../tests/support/domain.ts';
import { listIds, writeBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import { TakeInventories } from '../workers/take-inventories.ts';
import { encodeBlobLabel, parseBlobLabel } from './blob-labels.ts';
import { isSuperseded } from './superseded-blobs.ts';

async function onlyBlob({ blobs }: Domain): Promise<BlobId> {
  const [id, ...others] = await listIds(blobs);
  assert.ok(id !== undefined && others.length === 0);
  return id;
}

/** Moves the only blob; answers where it was and where it is. */
async function moveOnlyBlob(domain: Domain) {
  const from = await onlyBlob(domain);
  const to = await domain.compaction.copy(from);
  assert.equal(await domain.store.write((rows) => rows.blobs.repoint(from, to)), true);
  return { from, to };
}

test('where an archive was moved from is superseded, and where it is now is not', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  const copy = await domain.compaction.copy(await onlyBlob(domain));
  assert.equal(await isSuperseded(copy, domain), true);
  await domain.blobs.remove(copy);
  const { from, to } = await moveOnlyBlob(domain);
  assert.equal(await isSuperseded(from, domain), true);
  assert.equal(await isSuperseded(to, domain), false);
});

test('where the output of an inventory was moved from is superseded', async () => {
  await using domain = await openDomain();
  const jobId = await inventory(domain);
  await runUntilIdle(new TakeInventories({ ...domain, arrivals: domain.arrivals.inventories }));
  const { from, to } = await moveOnlyBlob(domain);
  assert.equal(await isSuperseded(from, domain), true);
  assert.equal(await isSuperseded(to, domain), false);
  await domain.store.write(({ jobs }) => jobs.remove(jobId));
  assert.equal(await isSuperseded(from, domain), false);
});

test('a blob of an archive without a row is not superseded: it is the only one', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const { from } = await moveOnlyBlob(domain);
  await domain.archives.remove(photos, archiveId);
  assert.equal(await isSuperseded(from, domain), true);
  await domain.store.write(({ archives }) => archives.forget(archiveId));
  assert.equal(await isSuperseded(from, domain), false);
});

test('a blob whose label says something else of an archive than its row is not superseded', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  const { label } = await domain.blobs.describe(await onlyBlob(domain));
  const parsed = parseBlobLabel(label);
  assert.ok(parsed?.kind === 'archive');
  for (const change of [{ treeHash: '0'.repeat(64) }, { sizeBytes: 6 }]) {
    const other = encodeBlobLabel({ ...parsed, ...change });
    const { id } = await writeBytes(domain.blobs, Buffer.from('other'), other);
    assert.equal(await isSuperseded(id, domain), false);
  }
});

test('a blob without a label of ours is not superseded, and of a damaged one nothing is known', async () => {
  await using domain = await openDomain();
  const { id } = await writeBytes(domain.blobs, Buffer.from('hello'), 'something else');
  assert.equal(await isSuperseded(id, domain), false);
  domain.blobs.damageLabel(id, 3);
  await assert.rejects(isSuperseded(id, domain), (error) => isStoreError(error, 'BlobCorrupt'));
});
