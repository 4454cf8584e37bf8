import assert from 'node:assert/strict';
import test from 'node:test';
import { type Domain, hourMs, openDomain, photos, videos } from '../../tests/support/domain.ts';
import { completionOf, initiate, partOf, putAll } from '../../tests/support/domain-uploads.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { StoreError } from '../storage/errors.ts';
import { Uploads } from './uploads.ts';

const text = Buffer.from('hello');
const full = new StoreError('StoreFull', 'not a byte is free');
const noRoom = { code: 'ServiceUnavailableException', message: /^There is no room for new data\./ };

async function activeAtMs({ store }: Domain, uploadId: string): Promise<number | undefined> {
  return (await store.read(({ uploads }) => uploads.get(uploadId)))?.activeAtMs;
}

const deeds = {
  'putting a part': (uploads: Uploads, uploadId: string) =>
    uploads.putPart(partOf(uploadId, 0, text)),
  completing: (uploads: Uploads, uploadId: string) =>
    uploads.complete(completionOf(uploadId, text)),
} as const;

for (const [name, deed] of Object.entries(deeds)) {
  test(`an upload does not expire while its client is refused for want of room: ${name}`, async () => {
    await using domain = await openDomain();
    const uploadId = await initiate(domain);
    await putAll(domain, uploadId, text);
    const blobs = faulty(domain.blobs);
    const uploads = new Uploads({ ...domain, blobs: blobs.it });
    for (let hour = 0; hour < 50; hour += 1) {
      domain.clock.advance(hourMs);
      blobs.failNext('write', full);
      await assert.rejects(deed(uploads, uploadId), noRoom);
    }
    await domain.uploads.complete(completionOf(uploadId, text));
  });

  test(`that there is no room to note who finds none changes nothing: ${name}`, async () => {
    await using domain = await openDomain();
    const uploadId = await initiate(domain);
    await putAll(domain, uploadId, text);
    const before = await activeAtMs(domain, uploadId);
    domain.clock.advance(hourMs);
    const blobs = faulty(domain.blobs);
    blobs.failNext('write', full);
    const store = faulty(domain.store);
    store.failNext('write', full);
    const uploads = new Uploads({ ...domain, blobs: blobs.it, store: store.it });
    await assert.rejects(deed(uploads, uploadId), noRoom);
    assert.equal(await activeAtMs(domain, uploadId), before);
  });
}

test('who asks again and again on a full disk is noted now and then', async () => {
  await using domain = await openDomain({ uploadExpiryMs: 100 * hourMs });
  const uploadId = await initiate(domain);
  const startMs = domain.clock.now();
  domain.blobs.capacityBytes = domain.blobs.usedBytes;
  const refuse = async () => {
    await assert.rejects(domain.uploads.putPart(partOf(uploadId, 0, text)), noRoom);
    return ((await activeAtMs(domain, uploadId)) ?? 0) - startMs;
  };
  domain.clock.advance(hourMs - 1);
  assert.equal(await refuse(), 0);
  domain.clock.advance(1);
  assert.equal(await refuse(), hourMs);
  domain.clock.advance(hourMs - 1);
  assert.equal(await refuse(), hourMs);
});

test('who is refused at an upload of another vault, or one that has expired, notes nothing', async () => {
  await using domain = await openDomain();
  await domain.vaults.create(videos);
  const uploadId = await initiate(domain);
  const before = await activeAtMs(domain, uploadId);
  domain.blobs.capacityBytes = domain.blobs.usedBytes;
  for (const vault of [videos, photos]) {
    domain.clock.advance(12 * hourMs);
    await assert.rejects(domain.uploads.putPart(partOf(uploadId, 0, text, { vault })), noRoom);
    if (vault === photos) break;
    domain.clock.advance(11 * hourMs);
    await assert.rejects(domain.uploads.putPart(partOf(uploadId, 0, text, { vault })), noRoom);
  }
  assert.equal(await activeAtMs(domain, uploadId), before);
});
