import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  type Domain,
  goingOn,
  inventory,
  openDomain,
  outputOf,
  photos,
  retrieve,
  runUntilIdle,
  storeText,
  upload,
} from '../../tests/support/domain.ts';
import { storeInParts } from '../../tests/support/domain-uploads.ts';
import { isNodeOfTree, mebibyte, treeHashOf } from '../../tests/support/tree-hash-reference.ts';
import { GlacierError } from '../protocol/errors.ts';
import { sampleBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import { TakeInventories } from '../workers/take-inventories.ts';

fc.configureGlobal({ seed: 20_260_131 });

const sizeBytes = 6 * mebibyte + mebibyte / 2;
const bytes = sampleBytes(sizeBytes);
const invalid = (message: string) => new GlacierError('InvalidParameterValueException', message);

/** Stores `bytes`, and retrieves the range of them, or all. Answers the job's id. */
async function retrieved(domain: Domain, retrievalByteRange?: string): Promise<string> {
  const { archiveId } = await domain.archives.store(upload(bytes));
  const jobId = await retrieve(domain, archiveId, { retrievalByteRange });
  await domain.jobs.succeed(jobId);
  return jobId;
}

async function onlyBlob(domain: Domain): Promise<BlobId> {
  const [blob] = await Array.fromAsync(domain.blobs.list());
  assert.ok(blob !== undefined);
  return blob.id;
}

async function rendered(domain: Domain, format: 'JSON' | 'CSV'): Promise<string> {
  const jobId = await inventory(domain, { format });
  await runUntilIdle(new TakeInventories({ ...domain, arrivals: domain.arrivals.inventories }));
  return jobId;
}

test('the output of a whole archive is its bytes, its tree hash and its description', async () => {
  await using domain = await openDomain();
  const { archiveId } = await domain.archives.store(upload(bytes, { description: 'all of it' }));
  const jobId = await retrieve(domain, archiveId);
  await domain.jobs.succeed(jobId);
  const { read, ...facts } = await domain.jobs.output(photos, jobId, undefined);
  assert.deepEqual(facts, {
    contentType: 'application/octet-stream',
    sizeBytes,
    firstByte: 0,
    lastByte: sizeBytes - 1,
    isPartial: false,
    treeHash: treeHashOf(bytes),
    archiveDescription: 'all of it',
  });
  assert.ok(
    Buffer.concat(await Array.fromAsync(read(goingOn), (chunk) => Uint8Array.from(chunk))).equals(
      bytes,
    ),
  );
});

test('an archive without a description has none in its output', async () => {
  await using domain = await openDomain();
  const jobId = await retrieve(domain, await storeText(domain, 'hello'));
  await domain.jobs.succeed(jobId);
  const { archiveDescription } = await domain.jobs.output(photos, jobId, undefined);
  assert.equal(archiveDescription, null);
});

test('an inventory’s output says in which format it is, and has no tree hash', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  for (const [format, contentType] of [
    ['JSON', 'application/json'],
    ['CSV', 'text/csv'],
  ] as const) {
    const jobId = await rendered(domain, format);
    const whole = await domain.jobs.output(photos, jobId, undefined);
    assert.deepEqual(
      [whole.contentType, whole.treeHash, whole.archiveDescription],
      [contentType, null, null],
    );
    const part = await domain.jobs.output(photos, jobId, 'bytes=2-5');
    assert.deepEqual([part.firstByte, part.lastByte, part.treeHash], [2, 5, null]);
    const text = await outputOf(domain, jobId);
    assert.deepEqual(await outputOf(domain, jobId, 'bytes=2-5'), text.subarray(2, 6));
    assert.equal(whole.sizeBytes, text.length);
    const { inventorySizeInBytes } = await domain.jobs.describe(photos, jobId);
    assert.equal(inventorySizeInBytes, text.length);
  }
});

test('a job that has not succeeded has no output yet, or never', async () => {
  await using domain = await openDomain();
  const jobId = await retrieve(domain, await storeText(domain, 'hello'));
  const refused = invalid(`The job is not currently available for download: ${jobId}`);
  await assert.rejects(domain.jobs.output(photos, jobId, undefined), refused);
  await domain.jobs.fail(jobId);
  await assert.rejects(domain.jobs.output(photos, jobId, 'bytes=0-1'), refused);
});

test('any range of the output of a ranged retrieval is that range of that range', async () => {
  await using domain = await openDomain();
  const [start, end] = [mebibyte, 4 * mebibyte];
  const jobId = await retrieved(domain, `${start}-${end - 1}`);
  const output = bytes.subarray(start, end);
  const place = fc.nat({ max: output.length - 1 });
  await fc.assert(
    fc.asyncProperty(place, fc.nat({ max: 2 * mebibyte }), async (first, length) => {
      const range = `bytes=${first}-${first + length}`;
      const expected = output.subarray(first, first + length + 1);
      assert.ok((await outputOf(domain, jobId, range)).equals(expected), range);
      const { lastByte, isPartial } = await domain.jobs.output(photos, jobId, range);
      assert.equal(lastByte, Math.min(first + length, output.length - 1));
      assert.equal(isPartial, true);
    }),
    { numRuns: 25 },
  );
});

test('a range that starts past the end is refused with its text, and no range is no trouble', async () => {
  await using domain = await openDomain();
  const jobId = await retrieved(domain, `0-${mebibyte - 1}`);
  const range = `bytes=${mebibyte}-${2 * mebibyte}`;
  await assert.rejects(
    domain.jobs.output(photos, jobId, range),
    invalid(`The start of the range is larger than size of retrieved data: ${range}`),
  );
  for (const ignored of ['', 'bytes 0-99/200', '0-99', 'bytes=5-3', 'bytes=0-1,3-4']) {
    const { isPartial, lastByte } = await domain.jobs.output(photos, jobId, ignored);
    assert.deepEqual([isPartial, lastByte], [false, mebibyte - 1], ignored);
  }
});

test('the whole output, asked for as a range, is partial all the same', async () => {
  await using domain = await openDomain();
  const jobId = await retrieved(domain);
  const output = await domain.jobs.output(photos, jobId, 'bytes=0-');
  assert.deepEqual(
    [output.isPartial, output.firstByte, output.lastByte, output.treeHash],
    [true, 0, sizeBytes - 1, treeHashOf(bytes)],
  );
});

/** All ranges of an output that begin at a mebibyte, and end at one or at the end. */
function* alignedRanges(outputSizeBytes: number) {
  for (let first = 0; first < outputSizeBytes; first += mebibyte) {
    for (let end = first + mebibyte; end < outputSizeBytes + mebibyte; end += mebibyte) {
      yield { first, last: Math.min(end, outputSizeBytes) - 1 };
    }
  }
}

for (const [what, start, end] of [
  ['a whole archive', 0, sizeBytes],
  ['a tree-hash aligned range', 4 * mebibyte, sizeBytes],
] as const) {
  test(`of ${what} a range has a tree hash where it is a node of the tree`, async () => {
    await using domain = await openDomain();
    const jobId = await retrieved(domain, `${start}-${end - 1}`);
    for (const { first, last } of alignedRanges(end - start)) {
      const range = `bytes=${first}-${last}`;
      const expected = isNodeOfTree(first, last, end - start)
        ? treeHashOf(bytes.subarray(start + first, start + last + 1))
        : null;
      assert.equal((await domain.jobs.output(photos, jobId, range)).treeHash, expected, range);
    }
  });
}

test('a last range that is cut off at the end has its tree hash', async () => {
  await using domain = await openDomain();
  const jobId = await retrieved(domain);
  const range = `bytes=${4 * mebibyte}-${8 * mebibyte - 1}`;
  const { treeHash } = await domain.jobs.output(photos, jobId, range);
  assert.equal(treeHash, treeHashOf(bytes.subarray(4 * mebibyte)));
});

test('a range off the mebibytes has no tree hash, nor has one of a retrieval that has none', async () => {
  await using domain = await openDomain();
  const whole = await retrieved(domain);
  for (const range of ['bytes=0-1023', `bytes=1-${mebibyte}`, 'bytes=-5']) {
    assert.equal((await domain.jobs.output(photos, whole, range)).treeHash, null, range);
  }
  const unaligned = await retrieved(domain, `${mebibyte}-${3 * mebibyte - 1}`);
  for (const range of [undefined, `bytes=0-${mebibyte - 1}`]) {
    assert.equal((await domain.jobs.output(photos, unaligned, range)).treeHash, null, range);
  }
});

test('the bytes are held while they are read, and let go however the reading ends', async () => {
  await using domain = await openDomain();
  const jobId = await retrieved(domain);
  const blobId = await onlyBlob(domain);
  const output = await domain.jobs.output(photos, jobId, undefined);
  assert.equal(domain.pins.isHeld(blobId), false);

  for await (const _chunk of output.read(goingOn)) assert.ok(domain.pins.isHeld(blobId));
  assert.equal(domain.pins.isHeld(blobId), false);

  for await (const _chunk of output.read(goingOn)) break;
  assert.equal(domain.pins.isHeld(blobId), false);

  const reason = new Error('the client is gone');
  await assert.rejects(Array.fromAsync(output.read(AbortSignal.abort(reason))), reason);
  assert.equal(domain.pins.isHeld(blobId), false);
});

test('bytes that moved since the output was opened are read where they are', async () => {
  await using domain = await openDomain();
  const jobId = await retrieved(domain);
  const { read } = await domain.jobs.output(photos, jobId, undefined);
  const from = await onlyBlob(domain);
  const to = await domain.compaction.copy(from);
  await domain.store.write((rows) => rows.blobs.repoint(from, to));
  await domain.blobs.remove(from);
  for await (const _chunk of read(goingOn)) assert.ok(domain.pins.isHeld(to));
  const moved = Buffer.concat(await Array.fromAsync(read(goingOn), (chunk) => chunk.slice()));
  assert.ok(moved.equals(await outputOf(domain, jobId)));
  await domain.blobs.remove(to);
  const isNotFound = (error: unknown) => isStoreError(error, 'BlobNotFound');
  await assert.rejects(Array.fromAsync(read(goingOn)), isNotFound);
});

test('a damaged frame ends the output before its first byte', async () => {
  await using domain = await openDomain();
  const jobId = await retrieved(domain);
  domain.blobs.damage(await onlyBlob(domain), 2 * mebibyte + 5);
  const { read } = await domain.jobs.output(photos, jobId, undefined);
  let sizeBytes = 0;
  await assert.rejects(
    async () => {
      for await (const chunk of read(goingOn)) sizeBytes += chunk.length;
    },
    (error) => isStoreError(error, 'BlobCorrupt'),
  );
  assert.equal(sizeBytes, 2 * mebibyte);
});

test('an output stays what it was, whatever becomes of the archive and the vault’s contents', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const retrieval = await retrieve(domain, archiveId);
  await domain.jobs.succeed(retrieval);
  const listing = await rendered(domain, 'CSV');
  const before = await outputOf(domain, listing);
  await domain.archives.remove(photos, archiveId);
  await storeText(domain, 'world');
  assert.equal((await outputOf(domain, retrieval)).toString(), 'hello');
  assert.deepEqual(await outputOf(domain, listing), before);
});

test('of an archive of which rows of parts are missing nothing is handed out', async () => {
  await using domain = await openDomain();
  const { archiveId, uploadId } = await storeInParts(domain, bytes);
  const jobId = await retrieve(domain, archiveId);
  await domain.jobs.succeed(jobId);
  assert.ok((await outputOf(domain, jobId)).equals(bytes));
  await domain.store.write(({ uploads }) => uploads.removeParts(uploadId, [1]));
  const error = { name: 'Error', message: /The rows list other blobs than those of the archive/ };
  for (const range of [undefined, 'bytes=1048576-2097151', 'bytes=0-1', 'bytes=6815743-']) {
    await assert.rejects(outputOf(domain, jobId, range), error);
  }
  // Nor has a range a tree hash that would be that of other bytes; the job itself will fail.
  const fresh = await retrieve(domain, archiveId, { retrievalByteRange: '0-1048575' });
  assert.equal((await domain.jobs.describe(photos, fresh)).sHA256TreeHash, null);
});
