import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  hourMs,
  openDomain,
  runUntilIdle,
} from '../../tests/support/domain.ts';
import { initiate, partOf, storeInParts } from '../../tests/support/domain-uploads.ts';
import { Pins } from '../domain/pins.ts';
import { Uploads } from '../domain/uploads.ts';
import { listIds } from '../storage/blob-specimen.ts';
import { StoreError } from '../storage/errors.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import { DiscardUploads } from './discard-uploads.ts';
import { orphansMax, SweepOrphans } from './sweep-orphans.ts';

const dayMs = 24 * hourMs;
const partCount = orphansMax + 20;

/** Uploads over rows whose commits all fail, so that nobody knows whether they are there. */
function failing(domain: Domain): Uploads {
  const store: MetadataStore = {
    read: (work) => domain.store.read(work),
    preview: (work) => domain.store.preview(work),
    write: async () => {
      throw new StoreError('StoreUnavailable', 'the answer was lost');
    },
    checkWritable: () => domain.store.checkWritable(),
    [Symbol.asyncDispose]: () => domain.store[Symbol.asyncDispose](),
  };
  return new Uploads({ ...domain, store });
}

async function putInVain(domain: Domain, uploadId: string): Promise<void> {
  const uploads = failing(domain);
  for (let count = 0; count < partCount; count += 1) {
    await assert.rejects(uploads.putPart(partOf(uploadId, 0, Buffer.from(`${count}`))));
  }
}

/** After a restart, which holds no blobs. */
const restarted = (domain: Domain) => ({ ...domain, pins: new Pins() });

test('however many parts were put in vain, they go, also when their upload is forgotten', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await putInVain(domain, uploadId);
  assert.equal((await listIds(domain.blobs)).length, partCount);
  domain.clock.advance(hourMs);
  const [sweep, discard] = [
    new SweepOrphans(restarted(domain)),
    new DiscardUploads(restarted(domain)),
  ];
  for (let day = 0; day < 9; day += 1) {
    await sweep.step(goingOn);
    domain.clock.advance(dayMs);
    await runUntilIdle(discard);
  }
  assert.deepEqual(domain.log.names('error'), []);
  assert.equal(await domain.store.read(({ uploads }) => uploads.get(uploadId)), undefined);
  assert.deepEqual(await listIds(domain.blobs), []);
});

test('as many parts whose upload has no row are too many, and so are those of an archive', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  await putInVain(domain, uploadId);
  domain.clock.advance(dayMs);
  const discard = new DiscardUploads(restarted(domain));
  await runUntilIdle(discard);
  domain.clock.advance(dayMs);
  await runUntilIdle(discard);
  const sweep = new SweepOrphans(restarted(domain));
  await runUntilIdle(sweep);
  assert.deepEqual(domain.log.names('error'), ['blobs.without-rows']);
  const other = await storeInParts(domain, Buffer.from('text'));
  const before = (await listIds(domain.blobs)).length;
  assert.ok(other.archiveId !== '');
  for (let day = 0; day < 9; day += 1) {
    domain.clock.advance(dayMs);
    await runUntilIdle(sweep);
  }
  assert.equal((await listIds(domain.blobs)).length, before);
});
