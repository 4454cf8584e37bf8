import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  openDomain,
  outputOf,
  photos,
  retrieve,
  runUntilIdle,
} from '../../tests/support/domain.ts';
import { storeInParts } from '../../tests/support/domain-uploads.ts';
import { mebibyte, nodeHashOf, wholeTreeOf } from '../../tests/support/tree-hash-reference.ts';
import { sampleBytes } from '../storage/blob-specimen.ts';
import { RetrieveArchives } from '../workers/retrieve-archives.ts';

const M = mebibyte;
const whole = sampleBytes(5.5 * M);
const tree = wholeTreeOf(whole);

/** Every range of whole MiB in `whole`, as its first and its last byte. */
const ranges = Array.from({ length: 6 }, (_, first) =>
  Array.from({ length: 6 - first }, (_, more) => {
    const last = Math.min((first + more + 1) * M, whole.length) - 1;
    return { first: first * M, last };
  }),
).flat();

const work = (domain: Domain) =>
  runUntilIdle(new RetrieveArchives({ ...domain, arrivals: domain.arrivals.retrievals }));

for (const partSizeMiB of [1, 2, 4]) {
  test(`any range of an archive in parts of ${partSizeMiB} MiB is retrieved, with its hash`, async () => {
    await using domain = await openDomain();
    const { archiveId } = await storeInParts(domain, whole, { partSizeBytes: partSizeMiB * M });
    for (const { first, last } of ranges) {
      const jobId = await retrieve(domain, archiveId, { retrievalByteRange: `${first}-${last}` });
      await work(domain);
      const job = await domain.jobs.describe(photos, jobId);
      assert.equal(job.statusCode, 'Succeeded');
      assert.equal(job.sHA256TreeHash, nodeHashOf(tree, first, last) ?? null, `${first}-${last}`);
      assert.ok((await outputOf(domain, jobId)).equals(whole.subarray(first, last + 1)));
    }
  });
}

test('any range of the output of an archive in parts is handed out, with its hash', async () => {
  await using domain = await openDomain();
  const { archiveId } = await storeInParts(domain, whole, {
    partSizeBytes: 2 * M,
    description: 'greeting',
  });
  const jobId = await retrieve(domain, archiveId);
  await work(domain);
  for (const { first, last } of [...ranges, { first: 2 * M - 1, last: 2 * M }]) {
    const range = `bytes=${first}-${last}`;
    const output = await domain.jobs.output(photos, jobId, range);
    assert.equal(output.treeHash, nodeHashOf(tree, first, last) ?? null, range);
    assert.equal(output.archiveDescription, 'greeting');
    const bytes = await outputOf(domain, jobId, range);
    assert.ok(bytes.equals(whole.subarray(first, last + 1)), range);
  }
});
