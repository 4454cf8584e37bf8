import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  openDomain,
  photos,
  retrieve,
  upload,
} from '../../tests/support/domain.ts';
import { storeInParts } from '../../tests/support/domain-uploads.ts';
import { mebibyte } from '../../tests/support/tree-hash-reference.ts';
import { sampleBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import { createVerification } from './verification.ts';

/** A retrieval of an archive of `sizeBytes`, and where its blob is. */
async function retrievalOf(domain: Domain, sizeBytes: number, range?: string) {
  const { archiveId } = await domain.archives.store(upload(sampleBytes(sizeBytes)));
  const { job, parts } = await retrievalFrom(domain, archiveId, range);
  const [part] = parts;
  assert.ok(part !== undefined);
  return { archiveId, job, blobId: part.blobId };
}

/** A retrieval of an archive of so many bytes, in parts of 1 MiB. */
async function retrievalInParts(domain: Domain, sizeBytes: number, range?: string) {
  const stored = await storeInParts(domain, sampleBytes(sizeBytes));
  return { ...stored, ...(await retrievalFrom(domain, stored.archiveId, range)) };
}

async function retrievalFrom(domain: Domain, archiveId: string, range?: string) {
  const more = range === undefined ? {} : { retrievalByteRange: range };
  const jobId = await retrieve(domain, archiveId, more);
  const { job, parts } = await domain.store.read(async ({ jobs, archives }) => ({
    job: await jobs.get(jobId),
    parts: await archives.blobs(archiveId),
  }));
  assert.ok(job !== undefined);
  return { job, parts };
}

test('a blob that moves while it is retrieved is looked up again, and read to its end', async () => {
  await using domain = await openDomain();
  const { job, blobId } = await retrievalOf(domain, 2 * mebibyte);
  let hasMoved = false;
  const blobs = Object.assign(Object.create(domain.blobs), {
    describe: (id: BlobId) => domain.blobs.describe(id),
    async *read(...args: Parameters<Domain['blobs']['read']>) {
      if (!hasMoved) {
        hasMoved = true;
        const copy = await domain.blobs.duplicate(blobId);
        await domain.store.write((rows) => rows.blobs.repoint(blobId, copy));
        await domain.blobs.remove(blobId);
      }
      yield* domain.blobs.read(...args);
    },
  });
  const verification = createVerification(domain.store, blobs, job);
  assert.equal((await verification.advance(goingOn)).kind, 'unfinished');
  assert.equal((await verification.advance(goingOn)).kind, 'verified');
});

test('an archive that is removed while it is retrieved, bytes and all, fails for that', async () => {
  await using domain = await openDomain();
  const { archiveId, job, blobId } = await retrievalOf(domain, 5);
  const blobs = Object.assign(Object.create(domain.blobs), {
    async describe(id: BlobId) {
      await domain.archives.remove(photos, archiveId);
      await domain.blobs.remove(blobId);
      return domain.blobs.describe(id);
    },
  });
  const verification = createVerification(domain.store, blobs, job);
  assert.equal((await verification.advance(goingOn)).kind, 'unfinished');
  const outcome = await verification.advance(goingOn);
  assert.ok(outcome.kind === 'failed');
  assert.match(String(outcome.reason), /deleted meanwhile/);
});

test('a range behind damaged bytes, and one before them, is verified', async () => {
  await using domain = await openDomain();
  for (const [range, kind] of [
    [`0-${mebibyte - 1}`, 'verified'],
    [`${mebibyte}-${2 * mebibyte - 1}`, 'failed'],
    [`${2 * mebibyte}-${3 * mebibyte + 6}`, 'verified'],
  ] as const) {
    const { job, blobId } = await retrievalOf(domain, 3 * mebibyte + 7, range);
    domain.blobs.damage(blobId, mebibyte + 1);
    const verification = createVerification(domain.store, domain.blobs, job);
    assert.equal((await verification.advance(goingOn)).kind, kind);
  }
});

test('bytes that the store lets pass are compared with their leaves', async () => {
  await using domain = await openDomain();
  const { job } = await retrievalOf(domain, 5);
  const blobs = Object.assign(Object.create(domain.blobs), {
    describe: (id: BlobId) => domain.blobs.describe(id),
    async *read() {
      yield Buffer.from('wrong');
    },
  });
  const outcome = await createVerification(domain.store, blobs, job).advance(goingOn);
  assert.ok(outcome.kind === 'failed');
  assert.match(String(outcome.reason), /SHA-256/);
});

test('an archive of parts is read through, part by part, and looked up once', async () => {
  await using domain = await openDomain();
  const { job } = await retrievalInParts(domain, 130.5 * mebibyte);
  let lookUps = 0;
  const read: typeof domain.store.read = (work) =>
    domain.store.read((rows) => {
      const blobs = (archiveId: string) => {
        lookUps += 1;
        return rows.archives.blobs(archiveId);
      };
      return work({ ...rows, archives: { ...rows.archives, blobs } });
    });
  const store = Object.assign(Object.create(domain.store), { read });
  const verification = createVerification(store, domain.blobs, job);
  assert.equal((await verification.advance(goingOn)).kind, 'unfinished');
  assert.equal((await verification.advance(goingOn)).kind, 'unfinished');
  assert.equal((await verification.advance(goingOn)).kind, 'verified');
  assert.equal(lookUps, 1);
});

test('damage in a part fails what needs its bytes, and nothing else', async () => {
  await using domain = await openDomain();
  for (const [range, kind] of [
    [undefined, 'failed'],
    [`0-${mebibyte - 1}`, 'verified'],
    [`${mebibyte}-${2 * mebibyte - 1}`, 'failed'],
    [`${2 * mebibyte}-${3 * mebibyte + 6}`, 'verified'],
  ] as const) {
    const { job, parts } = await retrievalInParts(domain, 3 * mebibyte + 7, range);
    const [, damaged] = parts;
    assert.ok(damaged !== undefined);
    domain.blobs.damage(damaged.blobId, 5);
    const verification = createVerification(domain.store, domain.blobs, job);
    assert.equal((await verification.advance(goingOn)).kind, kind, range);
  }
});

test('leaf hashes that are not those of their part do not verify its bytes', async () => {
  await using domain = await openDomain();
  const { job, parts } = await retrievalInParts(domain, 1.5 * mebibyte);
  const other = await domain.blobs.describe(parts[0]?.blobId ?? ('' as BlobId));
  const blobs = Object.assign(Object.create(domain.blobs), {
    describe: async (id: BlobId) => ({
      ...(await domain.blobs.describe(id)),
      leaves: other.leaves,
    }),
  });
  const outcome = await createVerification(domain.store, blobs, job).advance(goingOn);
  assert.ok(outcome.kind === 'failed');
  assert.match(String(outcome.reason), /leaf hashes/);
});

test('parts that do not make up the tree hash of their archive do not verify it', async () => {
  await using domain = await openDomain();
  const { job, parts, uploadId } = await retrievalInParts(domain, 1.5 * mebibyte);
  const [first, second] = parts;
  assert.ok(first !== undefined && second !== undefined);
  const twice = { ...first, index: 0, treeHash: second.treeHash ?? '' };
  await domain.store.write(({ uploads }) => uploads.putPart(uploadId, twice, 0));
  const outcome = await createVerification(domain.store, domain.blobs, job).advance(goingOn);
  assert.ok(outcome.kind === 'failed');
  assert.match(String(outcome.reason), /other blobs than those of the archive/);
});

test('a retrieval of an archive of which rows of parts are missing fails, whatever its range', async () => {
  for (const range of [undefined, `0-${mebibyte - 1}`]) {
    for (const [index, extra] of [
      [0, 0],
      [1, 0],
      [3, 5],
    ] as const) {
      await using domain = await openDomain();
      const { job, uploadId } = await retrievalInParts(domain, 2.5 * mebibyte, range);
      await domain.store.write(async ({ uploads }) => {
        await uploads.removeParts(uploadId, [index]);
        const part = { index, blobId: 'x' as BlobId, sizeBytes: extra, treeHash: '0'.repeat(64) };
        if (extra > 0) await uploads.putPart(uploadId, part, 0);
      });
      const outcome = await createVerification(domain.store, domain.blobs, job).advance(goingOn);
      assert.ok(outcome.kind === 'failed');
      assert.match(String(outcome.reason), /other blobs than those of the archive/);
    }
  }
});
