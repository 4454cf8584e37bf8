import assert from 'node:assert/strict';
import test from 'node:test';
import { openDomain } from '../../tests/support/domain.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { listIds, writeBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import { StoreError } from '../storage/errors.ts';
import { commitBlobs } from './new-blobs.ts';

/** A domain with two blobs that have no rows yet. */
async function openWithBlobs() {
  const domain = await openDomain();
  const ids: BlobId[] = [];
  for (const text of ['one', 'two']) ids.push((await writeBytes(domain.blobs, bytesOf(text))).id);
  const isHeld = () => ids.map((id) => domain.pins.isHeld(id));
  const sorted = (wanted: readonly BlobId[]) => [...wanted].sort();
  return { domain, ids, isHeld, sorted };
}

const bytesOf = (text: string) => Buffer.from(text);

test('blobs are held until their rows are committed, and no longer', async () => {
  const { domain, ids, isHeld, sorted } = await openWithBlobs();
  await using _ = domain;
  const committed = commitBlobs(ids, domain, async () => {
    await new Promise(setImmediate);
    assert.deepEqual(isHeld(), [true, true]);
    return ids;
  });
  assert.deepEqual(isHeld(), [true, true]);
  await committed;
  assert.deepEqual(isHeld(), [false, false]);
  assert.deepEqual(await listIds(domain.blobs), sorted(ids));
});

test('blobs that got no row are removed, and the others stay', async () => {
  const { domain, ids, isHeld } = await openWithBlobs();
  await using _ = domain;
  await commitBlobs(ids, domain, async () => ids.slice(1));
  assert.deepEqual(await listIds(domain.blobs), ids.slice(1));
  assert.deepEqual(isHeld(), [false, false]);
});

test('blobs whose commit failed are removed, and its error is what is told', async () => {
  for (const isRemovable of [true, false]) {
    const { domain, ids, isHeld } = await openWithBlobs();
    await using _ = domain;
    const error = new StoreError('StoreFull', 'no room for rows');
    const blobs = faulty(domain.blobs);
    if (!isRemovable) blobs.failNext('remove', new StoreError('StoreUnavailable', 'no'), 2);
    const { pins } = domain;
    const committed = commitBlobs(ids, { blobs: blobs.it, pins }, async () => {
      throw error;
    });
    await assert.rejects(committed, error);
    assert.equal((await listIds(domain.blobs)).length, isRemovable ? 0 : 2);
    assert.deepEqual(isHeld(), [false, false]);
  }
});

test('blobs whose commit was refused before it began are removed, and let go', async () => {
  const { domain, ids, isHeld } = await openWithBlobs();
  await using _ = domain;
  const error = new StoreError('StoreUnavailable', 'no writes any more', { isRefusal: true });
  const committed = commitBlobs(ids, domain, async () => {
    throw error;
  });
  await assert.rejects(committed, error);
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.deepEqual(isHeld(), [false, false]);
});

test('blobs whose rows may be there, although the commit failed, stay and stay held', async () => {
  const { domain, ids, isHeld, sorted } = await openWithBlobs();
  await using _ = domain;
  const error = new StoreError('StoreUnavailable', 'the log could not be synced');
  const committed = commitBlobs(ids, domain, async () => {
    throw error;
  });
  await assert.rejects(committed, error);
  assert.deepEqual(await listIds(domain.blobs), sorted(ids));
  assert.deepEqual(isHeld(), [true, true]);
});
