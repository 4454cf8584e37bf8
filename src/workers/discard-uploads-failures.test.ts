import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  hourMs,
  openDomain,
  photos,
  runUntilIdle,
} from '../../tests/support/domain.ts';
import { initiate, partOf, shownParts, storeInParts } from '../../tests/support/domain-uploads.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { listIds } from '../storage/blob-specimen.ts';
import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import { StoreError } from '../storage/errors.ts';
import { DiscardUploads } from './discard-uploads.ts';
import { ForgetArchives } from './forget-archives.ts';

const dayMs = 24 * hourMs;
const broken = new StoreError('BlobCorrupt', 'the disk does not answer');

const rowOf = ({ store }: Domain, uploadId: string) =>
  store.read(({ uploads }) => uploads.get(uploadId));

async function endedUpload(domain: Domain, text: string): Promise<string> {
  const uploadId = await initiate(domain);
  await domain.uploads.putPart(partOf(uploadId, 0, Buffer.from(text)));
  await domain.uploads.abort({ vault: photos, uploadId });
  domain.clock.advance(1);
  return uploadId;
}

/** A store that can't remove some blobs. */
function withBroken(domain: Domain, ids: readonly BlobId[]): BlobStore {
  const remove = async (id: BlobId) => {
    if (ids.includes(id)) throw broken;
    await domain.blobs.remove(id);
  };
  return new Proxy(domain.blobs, {
    get: (target, property) => {
      const value: unknown = property === 'remove' ? remove : Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('however many uploads can not be discarded, those after them are', async () => {
  await using domain = await openDomain();
  for (let count = 0; count < 205; count += 1) await endedUpload(domain, `bad ${count}`);
  const bad = await listIds(domain.blobs);
  const good = await endedUpload(domain, 'good');
  const worker = new DiscardUploads({ ...domain, blobs: withBroken(domain, bad) });
  for (let pass = 0; pass < 2; pass += 1) {
    await assert.rejects(runUntilIdle(worker), broken);
    assert.equal((await rowOf(domain, good))?.isDiscarded, true);
    assert.deepEqual(await listIds(domain.blobs), bad);
  }
  await runUntilIdle(new DiscardUploads(domain));
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('however many archives can not be forgotten, those after them are', async () => {
  await using domain = await openDomain();
  const removed = async (text: string) => {
    const { archiveId } = await storeInParts(domain, Buffer.from(text));
    await domain.archives.remove(photos, archiveId);
  };
  for (let count = 0; count < 105; count += 1) await removed(`bad ${count}`);
  const bad = await listIds(domain.blobs);
  await removed('good');
  const worker = new ForgetArchives({ ...domain, blobs: withBroken(domain, bad) });
  for (let pass = 0; pass < 2; pass += 1) {
    await assert.rejects(runUntilIdle(worker), broken);
    assert.deepEqual(await listIds(domain.blobs), bad);
  }
  await runUntilIdle(new ForgetArchives(domain));
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('what fails keeps nothing else from being done, and is told', async () => {
  await using domain = await openDomain();
  const over = await endedUpload(domain, 'over');
  await runUntilIdle(new DiscardUploads(domain));
  domain.clock.advance(dayMs);
  const idle = await initiate(domain);
  domain.clock.advance(dayMs);
  const ended = await endedUpload(domain, 'ended');
  const blobs = withBroken(domain, await listIds(domain.blobs));
  await assert.rejects(new DiscardUploads({ ...domain, blobs }).step(goingOn), broken);
  assert.equal((await rowOf(domain, idle))?.state, 'Expired');
  assert.equal(await rowOf(domain, over), undefined);
  const store = faulty(domain.store);
  const refused = new StoreError('StoreUnavailable', 'no');
  // What it reads first is what is to be abandoned.
  store.failNext('read', refused);
  await assert.rejects(new DiscardUploads({ ...domain, store: store.it }).step(goingOn), refused);
  assert.equal((await rowOf(domain, ended))?.isDiscarded, true);
});

test('an upload that is discarded and has parts all the same is discarded, and keeps no other', async () => {
  await using domain = await openDomain();
  const [odd, other] = [await endedUpload(domain, 'odd'), await endedUpload(domain, 'other')];
  await domain.store.write(async ({ uploads }) => {
    const upload = await uploads.get(odd);
    assert.ok(upload !== undefined);
    await uploads.update({ ...upload, isDiscarded: true });
  });
  const worker = new DiscardUploads(domain);
  domain.clock.advance(dayMs);
  await runUntilIdle(worker);
  assert.equal(await rowOf(domain, other), undefined);
  assert.equal(await rowOf(domain, odd), undefined);
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('however many uploads a vault had, all of them go with it', async () => {
  await using domain = await openDomain();
  const ids = await Promise.all(Array.from({ length: 2_100 }, () => initiate(domain)));
  await domain.uploads.putPart(partOf(ids.at(-1) ?? '', 0, Buffer.from('text')));
  await domain.vaults.remove(photos);
  await domain.vaults.create(photos);
  const other = await initiate(domain);
  const openCount = async () =>
    (await domain.store.read(({ uploads }) => uploads.listIdle(Number.MAX_SAFE_INTEGER, 9_999)))
      .length;
  // So that nobody waits for all of them at once.
  assert.equal(await openCount(), 1_101);
  assert.deepEqual((await domain.uploads.list(photos, {})).uploadsList.length, 1);
  await runUntilIdle(new DiscardUploads(domain));
  assert.equal(await openCount(), 1);
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.deepEqual(await shownParts(domain, other), []);
});

test('no upload expires while the store is full, and half its time is left when there is room', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await domain.uploads.putPart(partOf(uploadId, 0, Buffer.from('text')));
  const expired = await initiate(domain);
  await domain.store.write(async ({ uploads }) => {
    const upload = await uploads.get(expired);
    assert.ok(upload !== undefined);
    await uploads.update({ ...upload, activeAtMs: domain.clock.now() - dayMs });
  });
  const worker = new DiscardUploads(domain);
  domain.blobs.capacityBytes = domain.blobs.usedBytes;
  for (let hour = 0; hour < 60; hour += 1) {
    domain.clock.advance(hourMs);
    await runUntilIdle(worker);
    assert.equal((await shownParts(domain, uploadId)).length, 1);
  }
  // One that had expired before is not one that anybody waits with.
  assert.equal(await rowOf(domain, expired), undefined);
  domain.blobs.capacityBytes = Number.POSITIVE_INFINITY;
  domain.clock.advance(12 * hourMs - 1);
  await runUntilIdle(worker);
  assert.equal((await shownParts(domain, uploadId)).length, 1);
  domain.clock.advance(12 * hourMs + 1);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('where not even that can be noted, nothing expires', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  domain.clock.advance(13 * hourMs);
  domain.blobs.capacityBytes = domain.blobs.usedBytes;
  const full = new StoreError('StoreFull', 'not a byte is free');
  const store = faulty(domain.store);
  store.failNext('write', full);
  await assert.rejects(new DiscardUploads({ ...domain, store: store.it }).step(goingOn), full);
  assert.equal((await rowOf(domain, uploadId))?.state, 'Open');
});

test('what the clock said while it was far ahead makes no upload stay', async () => {
  await using domain = await openDomain();
  domain.clock.jump(70 * 365 * dayMs);
  const [idle, ended] = [await initiate(domain), await endedUpload(domain, 'ended')];
  await runUntilIdle(new DiscardUploads(domain));
  domain.clock.jump(-70 * 365 * dayMs);
  domain.clock.advance(dayMs);
  await runUntilIdle(new DiscardUploads(domain));
  assert.equal(await rowOf(domain, ended), undefined);
  assert.equal((await rowOf(domain, idle))?.state, 'Expired');
  domain.clock.advance(dayMs);
  await runUntilIdle(new DiscardUploads(domain));
  assert.equal(await rowOf(domain, idle), undefined);
});
