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
import { mebibyte } from '../../tests/support/tree-hash-reference.ts';
import { sampleBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import { createVerification } from './verification.ts';

/** A retrieval of an archive of `sizeBytes`, and where its blob is. */
async function retrievalOf(domain: Domain, sizeBytes: number, range?: string) {
  const { archiveId } = await domain.archives.store(upload(sampleBytes(sizeBytes)));
  const more = range === undefined ? {} : { retrievalByteRange: range };
  const jobId = await retrieve(domain, archiveId, more);
  const { job, parts } = await domain.store.read(async ({ jobs, archives }) => ({
    job: await jobs.get(jobId),
    parts: await archives.blobs(archiveId),
  }));
  const [part] = parts;
  assert.ok(job !== undefined && part !== undefined);
  return { archiveId, job, blobId: part.blobId };
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
