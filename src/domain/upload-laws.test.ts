import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  goingOn,
  openDomain,
  outputOf,
  retrieve,
  runUntilIdle,
} from '../../tests/support/domain.ts';
import { completionOf, cut, initiate, partOf } from '../../tests/support/domain-uploads.ts';
import { mebibyte, treeHashOf } from '../../tests/support/tree-hash-reference.ts';
import { listIds, sampleBytes } from '../storage/blob-specimen.ts';
import { RetrieveArchives } from '../workers/retrieve-archives.ts';

fc.configureGlobal({ seed: 20_260_131 });

const M = mebibyte;

/** Indexes of parts in the order in which they are sent: each at least once, some again. */
const orders = fc
  .record({
    partCount: fc.integer({ min: 1, max: 5 }),
    keys: fc.array(fc.integer(), { minLength: 5, maxLength: 5 }),
    again: fc.array(fc.nat({ max: 4 }), { maxLength: 4 }),
  })
  .map(({ partCount, keys, again }) => {
    const indexes = Array.from({ length: partCount }, (_, index) => index);
    indexes.sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0));
    return { partCount, order: [...indexes, ...again.map((index) => index % partCount)] };
  });

test('any order of parts, some sent again or garbled at first, completes alike', async () => {
  const law = fc.asyncProperty(
    orders,
    fc.integer({ min: 1, max: M }),
    fc.boolean(),
    fc.boolean(),
    async ({ partCount, order }, lastSizeBytes, isAtOnce, isGarbledFirst) => {
      await using domain = await openDomain();
      const { uploads } = domain;
      const whole = sampleBytes((partCount - 1) * M + lastSizeBytes);
      const uploadId = await initiate(domain);
      const parts = cut(whole);
      const put = async (index: number) => {
        const [at, bytes] = parts[index] ?? [0, whole];
        await uploads.putPart(partOf(uploadId, at, bytes));
      };
      if (isGarbledFirst) {
        const [at, bytes] = parts[order[0] ?? 0] ?? [0, whole];
        await uploads.putPart(
          partOf(
            uploadId,
            at,
            bytes.map((byte) => byte ^ 1),
          ),
        );
      }
      if (isAtOnce) await Promise.all(order.map(put));
      else for (const index of order) await put(index);

      const { archiveId, treeHash } = await uploads.complete(completionOf(uploadId, whole));
      assert.equal(treeHash, treeHashOf(whole));
      assert.equal((await listIds(domain.blobs)).length, partCount + 1);
      const jobId = await retrieve(domain, archiveId);
      const arrivals = domain.arrivals.retrievals;
      await runUntilIdle(new RetrieveArchives({ ...domain, arrivals }));
      assert.ok((await outputOf(domain, jobId)).equals(whole));
    },
  );
  await fc.assert(law, { numRuns: 15 });
});

test('however parts and ends arrive side by side, an upload ends once, and its bytes agree', async () => {
  const deed = fc.constantFrom('part', 'other part', 'complete', 'abort');
  const law = fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 12 }), async (deeds) => {
    await using domain = await openDomain();
    const { uploads, store } = domain;
    const whole = sampleBytes(1000);
    const other = sampleBytes(1000).fill(1);
    const uploadId = await initiate(domain);
    await uploads.putPart(partOf(uploadId, 0, whole));
    const act = {
      part: () => uploads.putPart(partOf(uploadId, 0, whole)),
      'other part': () => uploads.putPart(partOf(uploadId, 0, other)),
      complete: () => uploads.complete(completionOf(uploadId, whole)),
      abort: () => uploads.abort({ vault: partOf(uploadId, 0, whole).vault, uploadId }),
    };
    const outcomes = await Promise.allSettled(deeds.map((name) => act[name]()));
    const has = (wanted: string) =>
      deeds.some((name, index) => name === wanted && outcomes[index]?.status === 'fulfilled');
    assert.ok(!(has('complete') && has('abort')), 'it was completed and aborted');

    const upload = await store.read((rows) => rows.uploads.get(uploadId));
    const state = has('complete') ? 'Completed' : has('abort') ? 'Aborted' : 'Open';
    assert.equal(upload?.state, state);
    const [part] = await store.read((rows) =>
      rows.uploads.listParts({ uploadId, after: null, limit: 1 }),
    );
    assert.ok(part !== undefined);
    if (state === 'Completed') assert.equal(part.treeHash, treeHashOf(whole));
    const bytes = await Array.fromAsync(
      domain.blobs.read(part.blobId, { offsetBytes: 0, lengthBytes: 1000 }, goingOn),
      (chunk) => Uint8Array.from(chunk),
    );
    assert.equal(treeHashOf(Buffer.concat(bytes)), part.treeHash);
    assert.equal((await listIds(domain.blobs)).length, state === 'Completed' ? 2 : 1);
  });
  await fc.assert(law, { numRuns: 100 });
});
