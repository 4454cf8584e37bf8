import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  hourMs,
  openDomain,
  photos,
  runUntilIdle,
  settle,
} from '../../tests/support/domain.ts';
import {
  completionOf,
  initiate,
  partOf,
  putAll,
  shownParts,
  storeInParts,
} from '../../tests/support/domain-uploads.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { mebibyte } from '../../tests/support/tree-hash-reference.ts';
import { listIds, sampleBytes } from '../storage/blob-specimen.ts';
import { StoreError } from '../storage/errors.ts';
import { DiscardUploads } from './discard-uploads.ts';
import { ForgetArchives } from './forget-archives.ts';

const minuteMs = 60_000;
const text = Buffer.from('hello');
const M = mebibyte;

const rowOf = ({ store }: Domain, uploadId: string) =>
  store.read(({ uploads }) => uploads.get(uploadId));

const partCount = async ({ store }: Domain, uploadId: string) => {
  const query = { uploadId, after: null, limit: 10_000 };
  return (await store.read(({ uploads }) => uploads.listParts(query))).length;
};

/** Initiates an upload and puts so many small parts to it. */
async function uploadOf(domain: Domain, count: number): Promise<string> {
  const uploadId = await initiate(domain);
  const puts = Array.from({ length: count }, (_, index) =>
    domain.uploads.putPart(partOf(uploadId, index * M, text)),
  );
  await Promise.all(puts);
  return uploadId;
}

async function abortedUpload(domain: Domain, count: number): Promise<string> {
  const uploadId = await uploadOf(domain, count);
  await domain.uploads.abort({ vault: photos, uploadId });
  return uploadId;
}

test('of an upload that was aborted the parts go at once, and it is forgotten in a day', async () => {
  await using domain = await openDomain();
  const uploadId = await abortedUpload(domain, 3);
  const worker = new DiscardUploads(domain);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.equal(await partCount(domain, uploadId), 0);
  assert.equal((await rowOf(domain, uploadId))?.isDiscarded, true);
  assert.deepEqual(domain.log.events, [
    { level: 'info', event: 'upload.discarded', facts: { uploadId } },
  ]);
  // For whoever gives back the room of blobs that were removed.
  await domain.freed.wait(goingOn);
  // It can be aborted again as long as that is remembered.
  await domain.uploads.abort({ vault: photos, uploadId });
  domain.clock.advance(24 * hourMs - 1);
  await runUntilIdle(worker);
  assert.equal((await rowOf(domain, uploadId))?.state, 'Aborted');
  domain.clock.advance(1);
  await runUntilIdle(worker);
  assert.equal(await rowOf(domain, uploadId), undefined);
});

test('an upload that was idle for too long goes, and one that was not stays', async () => {
  await using domain = await openDomain({ uploadExpiryMs: hourMs });
  const [idle, active] = [await uploadOf(domain, 2), await uploadOf(domain, 2)];
  const worker = new DiscardUploads(domain);
  domain.clock.advance(hourMs - 1);
  await domain.uploads.putPart(partOf(active, 0, text));
  await runUntilIdle(worker);
  assert.equal((await listIds(domain.blobs)).length, 4);
  domain.clock.advance(1);
  await runUntilIdle(worker);
  assert.equal((await rowOf(domain, idle))?.state, 'Expired');
  assert.equal(await partCount(domain, idle), 0);
  assert.equal((await shownParts(domain, active)).length, 2);
  assert.equal((await listIds(domain.blobs)).length, 2);
  assert.deepEqual(domain.log.names('info'), ['upload.expired', 'upload.discarded']);
});

test('a clock that is set forward makes no upload go', async () => {
  await using domain = await openDomain();
  const uploadId = await uploadOf(domain, 1);
  domain.timeBounds.earliest();
  domain.clock.jump(1000 * hourMs);
  await runUntilIdle(new DiscardUploads(domain));
  assert.equal((await shownParts(domain, uploadId)).length, 1);
});

test('parts that are an archive stay, however old the upload, and go with the archive', async () => {
  await using domain = await openDomain();
  const { archiveId, uploadId } = await storeInParts(domain, sampleBytes(1.5 * M));
  const worker = new DiscardUploads(domain);
  domain.clock.advance(1000 * hourMs);
  await runUntilIdle(worker);
  assert.equal((await listIds(domain.blobs)).length, 3);
  assert.equal(await partCount(domain, uploadId), 2);
  await domain.archives.remove(photos, archiveId);
  await runUntilIdle(new ForgetArchives(domain));
  assert.deepEqual(await listIds(domain.blobs), []);
  await runUntilIdle(worker);
  assert.equal(await rowOf(domain, uploadId), undefined);
});

test('the uploads of a vault that was deleted go with it', async () => {
  await using domain = await openDomain();
  const uploadId = await uploadOf(domain, 2);
  await domain.vaults.remove(photos);
  await domain.aborts.wait(goingOn);
  await runUntilIdle(new DiscardUploads(domain));
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.equal((await rowOf(domain, uploadId))?.isDiscarded, true);
});

test('a crash between the bytes and their rows is made good by doing it again', async () => {
  await using domain = await openDomain();
  const uploadId = await abortedUpload(domain, 3);
  const store = faulty(domain.store);
  const crash = new StoreError('StoreUnavailable', 'the power is gone');
  store.failNext('write', crash);
  await assert.rejects(new DiscardUploads({ ...domain, store: store.it }).step(goingOn), crash);
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.equal(await partCount(domain, uploadId), 3);
  await runUntilIdle(new DiscardUploads(domain));
  assert.equal(await partCount(domain, uploadId), 0);
  assert.equal((await rowOf(domain, uploadId))?.isDiscarded, true);
});

test('bytes that can not be removed keep their row, and nothing else', async () => {
  await using domain = await openDomain();
  const first = await abortedUpload(domain, 3);
  domain.clock.advance(1);
  const second = await abortedUpload(domain, 3);
  const blobs = faulty(domain.blobs);
  const broken = new StoreError('StoreUnavailable', 'the disk does not answer');
  blobs.failNext('remove', broken);
  const worker = new DiscardUploads({ ...domain, blobs: blobs.it });
  await assert.rejects(worker.step(goingOn), broken);
  assert.equal(await partCount(domain, first), 1);
  assert.equal((await rowOf(domain, first))?.isDiscarded, false);
  assert.equal((await rowOf(domain, second))?.isDiscarded, true);
  assert.equal((await listIds(domain.blobs)).length, 1);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('a part that is held stays until it is let go', async () => {
  await using domain = await openDomain();
  const uploadId = await abortedUpload(domain, 3);
  const [held] = await listIds(domain.blobs);
  assert.ok(held !== undefined);
  const worker = new DiscardUploads(domain);
  {
    using _pin = domain.pins.hold([held]);
    await runUntilIdle(worker);
    assert.deepEqual(await listIds(domain.blobs), [held]);
    assert.equal((await rowOf(domain, uploadId))?.isDiscarded, false);
  }
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.equal((await rowOf(domain, uploadId))?.isDiscarded, true);
});

test('a part that was moved since it was found goes from where it is now', async () => {
  await using domain = await openDomain();
  const uploadId = await abortedUpload(domain, 1);
  const blobs = new Proxy(domain.blobs, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property);
      if (property !== 'remove') return typeof value === 'function' ? value.bind(target) : value;
      return async (from: Parameters<typeof target.remove>[0]) => {
        if ((await partCount(domain, uploadId)) === 1 && !hasMoved) {
          hasMoved = true;
          const to = await target.copy(from);
          await domain.store.write((rows) => rows.blobs.repoint(from, to));
        }
        await target.remove(from);
      };
    },
  });
  let hasMoved = false;
  const worker = new DiscardUploads({ ...domain, blobs });
  await worker.step(goingOn);
  assert.equal(hasMoved, true);
  assert.equal((await rowOf(domain, uploadId))?.isDiscarded, false);
  assert.equal((await listIds(domain.blobs)).length, 1);
  await runUntilIdle(worker);
  assert.deepEqual(await listIds(domain.blobs), []);
  assert.equal((await rowOf(domain, uploadId))?.isDiscarded, true);
});

test('many parts go a thousand in a step', async () => {
  await using domain = await openDomain();
  const uploadId = await abortedUpload(domain, 2500);
  const worker = new DiscardUploads(domain);
  assert.equal(await worker.step(goingOn), 'busy');
  assert.equal(await partCount(domain, uploadId), 1500);
  assert.equal(await worker.step(goingOn), 'busy');
  assert.equal(await worker.step(goingOn), 'idle');
  assert.equal(domain.blobs.usedBytes, 0);
  assert.equal((await rowOf(domain, uploadId))?.isDiscarded, true);
});

test('many uploads expire, go and are forgotten a hundred in a step', async () => {
  await using domain = await openDomain({ uploadExpiryMs: hourMs });
  await Promise.all(Array.from({ length: 150 }, () => initiate(domain)));
  const worker = new DiscardUploads(domain);
  domain.clock.advance(hourMs);
  assert.equal(await worker.step(goingOn), 'busy');
  assert.equal(domain.log.events.length, 200);
  assert.equal(await worker.step(goingOn), 'idle');
  assert.equal(domain.log.events.length, 300);
  domain.clock.advance(24 * hourMs);
  assert.equal(await worker.step(goingOn), 'busy');
  assert.equal(await worker.step(goingOn), 'idle');
  const over = await domain.store.read(({ uploads }) =>
    uploads.listOver({ endedByMs: Number.MAX_SAFE_INTEGER, after: null, limit: 10 }),
  );
  assert.deepEqual(over, []);
});

test('a stop ends a step between two uploads', async () => {
  await using domain = await openDomain();
  const uploadId = await abortedUpload(domain, 1);
  const reason = new Error('stopped');
  await assert.rejects(new DiscardUploads(domain).step(AbortSignal.abort(reason)), reason);
  assert.equal(await partCount(domain, uploadId), 1);
});

test('an upload that was completed just before it would have expired stays completed', async () => {
  await using domain = await openDomain({ uploadExpiryMs: hourMs });
  const uploadId = await initiate(domain);
  await putAll(domain, uploadId, text);
  domain.clock.advance(hourMs - 1);
  await domain.uploads.complete(completionOf(uploadId, text));
  domain.clock.advance(hourMs);
  await runUntilIdle(new DiscardUploads(domain));
  assert.equal((await rowOf(domain, uploadId))?.state, 'Completed');
  assert.equal((await listIds(domain.blobs)).length, 2);
});

test('the worker wakes when an upload was aborted, and once a minute', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  const worker = new DiscardUploads(domain);
  const untilAbort = worker.wake(goingOn);
  await domain.uploads.abort({ vault: photos, uploadId });
  await untilAbort;
  const untilMinute = worker.wake(goingOn);
  await settle(domain);
  domain.clock.advance(minuteMs);
  await untilMinute;
});
