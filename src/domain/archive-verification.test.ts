import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  openDomain,
  photos,
  storeText,
  upload,
} from '../../tests/support/domain.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { mebibyte, treeHashOf } from '../../tests/support/tree-hash-reference.ts';
import { sampleBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import { StoreError } from '../storage/errors.ts';
import type { ArchiveBlob, ArchiveRow } from '../storage/rows.ts';
import { ArchiveVerification, type ArchiveVerificationOptions } from './archive-verification.ts';
import { encodeBlobLabel } from './blob-labels.ts';

const unavailable = new StoreError('StoreUnavailable', 'the disk does not answer');

async function rowsOf({ store }: Domain, archiveId: string) {
  const found = await store.read(async ({ archives }) => ({
    archive: await archives.get(archiveId),
    parts: await archives.blobs(archiveId),
  }));
  assert.ok(found.archive !== undefined);
  return { ...found, archive: found.archive };
}

/** The verification of an archive that is stored, with rows or stores other than the domain's. */
async function verificationOf(
  domain: Domain,
  archiveId: string,
  other: Partial<ArchiveVerificationOptions> = {},
): Promise<ArchiveVerification> {
  return new ArchiveVerification({ ...domain, ...(await rowsOf(domain, archiveId)), ...other });
}

/** Reads to the end. */
async function outcomeOf(verification: ArchiveVerification, bytesMax?: number) {
  for (;;) {
    const { bytesRead: _bytesRead, ...outcome } = await verification.advance(goingOn, bytesMax);
    if (outcome.kind !== 'unfinished') return outcome;
  }
}

async function storeBytes(domain: Domain, bytes: Uint8Array): Promise<string> {
  return (await domain.archives.store(upload(bytes, { description: 'holiday' }))).archiveId;
}

async function blobOf(domain: Domain, archiveId: string): Promise<BlobId> {
  const [part] = (await rowsOf(domain, archiveId)).parts;
  assert.ok(part !== undefined);
  return part.blobId;
}

/** An archive of several blobs, of these sizes. */
async function storeInBlobs(domain: Domain, sizes: readonly number[]) {
  const parts: ArchiveBlob[] = [];
  const pieces = sizes.map((size, index) => sampleBytes(size, index + 1));
  for (const piece of pieces) {
    const blobId = await blobOf(domain, await storeBytes(domain, piece));
    parts.push({ blobId, sizeBytes: piece.length, treeHash: null });
  }
  const bytes = Buffer.concat(pieces);
  const archiveId = 'several'.padEnd(138, '0');
  await domain.store.write(async ({ vaults, archives }) => {
    const vaultId = (await vaults.get(photos))?.vaultId ?? '';
    const row = { archiveId, vaultId, description: '', createdAtMs: 0, removedChange: null };
    const facts = { sizeBytes: bytes.length, treeHash: treeHashOf(bytes), addedChange: 1 };
    await archives.insert({ ...row, ...facts }, parts);
  });
  return { archiveId, parts };
}

/** Moves a blob as compaction does. */
async function move({ blobs, store }: Domain, from: BlobId): Promise<void> {
  const to = await blobs.duplicate(from);
  await store.write((rows) => rows.blobs.repoint(from, to));
  await blobs.remove(from);
}

test('an archive whose every byte is right is verified, of whatever size', async () => {
  await using domain = await openDomain();
  for (const size of [1, 1000, mebibyte - 1, mebibyte, 2 * mebibyte + 1]) {
    const archiveId = await storeBytes(domain, sampleBytes(size));
    const { bytesRead, kind } = await (await verificationOf(domain, archiveId)).advance(goingOn);
    assert.deepEqual([kind, bytesRead], ['verified', size]);
  }
});

test('an archive is read in slices, rounded up to frames', async () => {
  await using domain = await openDomain();
  const archiveId = await storeBytes(domain, sampleBytes(5 * mebibyte + 7));
  const verification = await verificationOf(domain, archiveId);
  const advance = () => verification.advance(goingOn, mebibyte + 1);
  assert.deepEqual(await advance(), { kind: 'unfinished', bytesRead: 2 * mebibyte });
  assert.deepEqual(await advance(), { kind: 'unfinished', bytesRead: 2 * mebibyte });
  assert.deepEqual(await advance(), { kind: 'verified', bytesRead: mebibyte + 7 });
});

test('all damaged ranges are told, and not only the first', async () => {
  await using domain = await openDomain();
  const archiveId = await storeBytes(domain, sampleBytes(6 * mebibyte + 5));
  const blobId = await blobOf(domain, archiveId);
  for (const frame of [1, 2, 4, 6]) domain.blobs.damage(blobId, frame * mebibyte + 3);
  for (const bytesMax of [mebibyte, 2 * mebibyte, 64 * mebibyte]) {
    assert.deepEqual(await outcomeOf(await verificationOf(domain, archiveId), bytesMax), {
      kind: 'damaged',
      damage:
        'Bytes 1048576-3145727, 4194304-5242879, 6291456-6291460 are damaged, in blob ' +
        `${blobId}: Frame 1 of blob ${blobId} fails its verification.`,
    });
  }
});

test('positions count in the archive, across its blobs, and each blob is named', async () => {
  await using domain = await openDomain();
  const { archiveId, parts } = await storeInBlobs(domain, [2 * mebibyte, mebibyte, 2 * mebibyte]);
  assert.equal((await outcomeOf(await verificationOf(domain, archiveId))).kind, 'verified');
  const [first, , third] = parts;
  assert.ok(first !== undefined && third !== undefined);
  domain.blobs.damage(first.blobId, mebibyte);
  domain.blobs.damage(third.blobId, mebibyte);
  const outcome = await outcomeOf(await verificationOf(domain, archiveId), mebibyte);
  assert.ok(outcome.kind === 'damaged');
  assert.match(outcome.damage, new RegExp(`1048576-2097151 are damaged, in blob ${first.blobId}`));
  assert.match(outcome.damage, new RegExp(`4194304-5242879 are damaged, in blob ${third.blobId}`));
});

test('bytes that the store lets pass are found by their leaf', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const blobs = {
    describe: (id: BlobId) => domain.blobs.describe(id),
    async *read() {
      yield Buffer.from('hallo');
    },
  };
  const outcome = await outcomeOf(await verificationOf(domain, archiveId, { blobs }));
  assert.ok(outcome.kind === 'damaged');
  assert.match(outcome.damage, /Bytes 0-4 .* do not have the SHA-256 that was stored with them/);
});

test('leaves that do not make up the tree hash of the row are damage', async () => {
  await using domain = await openDomain();
  const { archiveId, parts } = await storeInBlobs(domain, [mebibyte, 5]);
  const { archive } = await rowsOf(domain, archiveId);
  const wrong: ArchiveRow = { ...archive, treeHash: '0'.repeat(64) };
  const outcome = await outcomeOf(new ArchiveVerification({ ...domain, archive: wrong, parts }));
  const damage = 'The leaf hashes of its blobs do not make up its tree hash.';
  assert.deepEqual(outcome, { kind: 'damaged', damage });
});

test('a row that the label contradicts is damage, and what differs is named', async () => {
  await using domain = await openDomain();
  const archiveId = await storeBytes(domain, Buffer.from('hello'));
  const { archive } = await rowsOf(domain, archiveId);
  const changes: readonly (readonly [Partial<ArchiveRow>, string])[] = [
    [{ description: 'Holiday' }, 'description'],
    [{ createdAtMs: archive.createdAtMs + 1 }, 'creation date'],
    [{ vaultId: 'another', description: '' }, 'vault, description'],
  ];
  for (const [change, what] of changes) {
    const altered = { archive: { ...archive, ...change } };
    assert.deepEqual(await outcomeOf(await verificationOf(domain, archiveId, altered)), {
      kind: 'damaged',
      damage: `The label of its blob does not say what its row says: ${what}.`,
    });
  }
});

test('the bytes of another archive, and those of none, are not taken for this one’s', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const parts = (await rowsOf(domain, await storeText(domain, 'hallo'))).parts;
  const other = await outcomeOf(await verificationOf(domain, archiveId, { parts }));
  assert.ok(other.kind === 'damaged');
  assert.match(other.damage, /does not say what its row says: archive id, tree hash\./);
  assert.match(other.damage, /do not make up its tree hash/);
  const label = encodeBlobLabel({ kind: 'inventory', jobId: 'job', vaultId: 'vault' });
  for (const [text, expected] of [
    [label, /that of an inventory/],
    ['gibberish', /cannot be understood/],
  ] as const) {
    const blobs = {
      describe: async (id: BlobId) => ({ ...(await domain.blobs.describe(id)), label: text }),
      read: domain.blobs.read.bind(domain.blobs),
    };
    const outcome = await outcomeOf(await verificationOf(domain, archiveId, { blobs }));
    assert.ok(outcome.kind === 'damaged');
    assert.match(outcome.damage, expected);
  }
});

test('a label that is damaged costs its archive, and is told', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  domain.blobs.damageLabel(await blobOf(domain, archiveId), 3);
  const outcome = await outcomeOf(await verificationOf(domain, archiveId));
  assert.ok(outcome.kind === 'damaged');
  assert.match(outcome.damage, /^Bytes 0-4 are damaged, .*: The label of blob/);
});

test('an archive of a vault that was deleted is compared with what is left of it', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await domain.archives.remove(photos, archiveId);
  await domain.vaults.remove(photos);
  assert.deepEqual(await outcomeOf(await verificationOf(domain, archiveId)), { kind: 'verified' });
});

test('a blob that is not as long as its row says is damaged as a whole', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const blobId = await blobOf(domain, archiveId);
  const parts = [{ blobId, sizeBytes: 6, treeHash: null }];
  assert.deepEqual(await outcomeOf(await verificationOf(domain, archiveId, { parts })), {
    kind: 'damaged',
    damage:
      'Its list of blobs holds 6 bytes, and not the 5 of the archive. ' +
      `Bytes 0-5 are damaged, in blob ${blobId}: It holds 5 bytes, and not 6.`,
  });
});

test('a blob that is lost is damage, and the others are read', async () => {
  await using domain = await openDomain();
  const { archiveId, parts } = await storeInBlobs(domain, [mebibyte, mebibyte, 3]);
  const [, second] = parts;
  assert.ok(second !== undefined);
  await domain.blobs.remove(second.blobId);
  assert.deepEqual(await outcomeOf(await verificationOf(domain, archiveId)), {
    kind: 'damaged',
    damage:
      `Bytes 1048576-2097151 are damaged, in blob ${second.blobId}: ` +
      `There is no blob ${second.blobId}.`,
  });
});

test('a blob that moves is read on where it is, before and in the midst of it', async () => {
  await using domain = await openDomain();
  const archiveId = await storeBytes(domain, sampleBytes(3 * mebibyte));
  const verification = await verificationOf(domain, archiveId);
  await move(domain, await blobOf(domain, archiveId));
  assert.equal((await verification.advance(goingOn, mebibyte)).kind, 'unfinished');
  await move(domain, await blobOf(domain, archiveId));
  const outcome = await verification.advance(goingOn);
  assert.deepEqual(outcome, { kind: 'verified', bytesRead: 2 * mebibyte });
});

test('an archive that is forgotten while it is read is gone, and not damaged', async () => {
  await using domain = await openDomain();
  const archiveId = await storeBytes(domain, sampleBytes(2 * mebibyte));
  const blobId = await blobOf(domain, archiveId);
  const early = await verificationOf(domain, archiveId);
  const late = await verificationOf(domain, archiveId);
  await early.advance(goingOn, mebibyte);
  await domain.archives.remove(photos, archiveId);
  await domain.blobs.remove(blobId);
  assert.deepEqual(await outcomeOf(early), { kind: 'gone' });
  await domain.store.write(({ archives }) => archives.forget(archiveId));
  assert.deepEqual(await outcomeOf(late), { kind: 'gone' });
});

test('damage of an archive that is forgotten before its end is nobody’s', async () => {
  await using domain = await openDomain();
  const archiveId = await storeBytes(domain, sampleBytes(2 * mebibyte));
  domain.blobs.damage(await blobOf(domain, archiveId), 0);
  const verification = await verificationOf(domain, archiveId);
  await verification.advance(goingOn, mebibyte);
  await domain.archives.remove(photos, archiveId);
  await domain.store.write(({ archives }) => archives.forget(archiveId));
  assert.deepEqual(await outcomeOf(verification), { kind: 'gone' });
});

test('a store that does not answer is no damage: another call goes on, and tells it once', async () => {
  await using domain = await openDomain();
  const archiveId = await storeBytes(domain, sampleBytes(4 * mebibyte));
  const blobId = await blobOf(domain, archiveId);
  domain.blobs.damage(blobId, 0);
  let reads = 0;
  const blobs = {
    describe: (id: BlobId) => domain.blobs.describe(id),
    read: (...args: Parameters<Domain['blobs']['read']>) => {
      reads += 1;
      // The second reading begins behind the damaged frame.
      if (reads === 2) throw unavailable;
      return domain.blobs.read(...args);
    },
  };
  const verification = await verificationOf(domain, archiveId, { blobs });
  await assert.rejects(verification.advance(goingOn), unavailable);
  const outcome = await outcomeOf(verification);
  assert.ok(outcome.kind === 'damaged');
  assert.match(outcome.damage, /^Bytes 0-1048575 are damaged, in blob \S+: [^.]+\.$/);
});

test('a store that cannot describe a blob just now is asked again', async () => {
  await using domain = await openDomain();
  const blobs = faulty(domain.blobs);
  const archiveId = await storeText(domain, 'hello');
  const verification = await verificationOf(domain, archiveId, { blobs: blobs.it });
  blobs.failNext('describe', unavailable);
  await assert.rejects(verification.advance(goingOn), unavailable);
  assert.deepEqual(await outcomeOf(verification), { kind: 'verified' });
});

test('a stop ends the reading with its reason', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const reason = new Error('stopped');
  const verification = await verificationOf(domain, archiveId);
  await assert.rejects(verification.advance(AbortSignal.abort(reason)), reason);
});
