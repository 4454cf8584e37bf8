import assert from 'node:assert/strict';
import test from 'node:test';
import { type Domain, goingOn, openDomain, photos } from '../../tests/support/domain.ts';
import { storeInParts } from '../../tests/support/domain-uploads.ts';
import { mebibyte } from '../../tests/support/tree-hash-reference.ts';
import { defined } from '../lib/assert.ts';
import { sampleBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import type { ArchiveBlob, ArchiveRow } from '../storage/rows.ts';
import { ArchiveVerification } from './archive-verification.ts';
import { encodeBlobLabel, parseBlobLabel } from './blob-labels.ts';

interface Found {
  readonly archive: ArchiveRow;
  readonly parts: readonly ArchiveBlob[];
}

/** An archive of three parts, the last of them a short one. */
async function storedInParts(domain: Domain): Promise<Found & { readonly uploadId: string }> {
  const whole = sampleBytes(2 * mebibyte + 5);
  const { archiveId, uploadId } = await storeInParts(domain, whole, { description: 'in parts' });
  const rows = await domain.store.read(async ({ archives }) => ({
    archive: await archives.get(archiveId),
    parts: await archives.blobs(archiveId),
  }));
  assert.equal(rows.parts.length, 4);
  return { ...rows, archive: defined(rows.archive, 'the archive'), uploadId };
}

interface Stores {
  readonly store: Pick<Domain['store'], 'read'>;
  readonly blobs: Pick<Domain['blobs'], 'describe' | 'read'>;
}

/** What verification finds wrong; null when it finds nothing. */
async function damageOf({ store, blobs }: Stores, found: Found): Promise<string | null> {
  const verification = new ArchiveVerification({ store, blobs, ...found });
  for (;;) {
    const outcome = await verification.advance(goingOn, mebibyte);
    if (outcome.kind === 'damaged') return outcome.damage;
    if (outcome.kind === 'verified') return null;
    assert.equal(outcome.kind, 'unfinished');
  }
}

/** The blobs, with other labels in the places of some. */
function withLabels({ blobs }: Domain, labels: ReadonlyMap<BlobId, string>) {
  return {
    read: blobs.read.bind(blobs),
    describe: async (id: BlobId) => {
      const described = await blobs.describe(id);
      return { ...described, label: labels.get(id) ?? described.label };
    },
  };
}

const blobAt = ({ parts }: Found, index: number) => defined(parts[index], 'a blob').blobId;

/** The damage when members of the label of the blob at `index` are others. */
async function damageWithLabel(domain: Domain, found: Found, index: number, change: object) {
  const blobId = blobAt(found, index);
  const label = parseBlobLabel((await domain.blobs.describe(blobId)).label);
  const text = JSON.stringify({ ...label, ...change });
  return await damageOf({ ...domain, blobs: withLabels(domain, new Map([[blobId, text]])) }, found);
}

test('an archive of parts is verified, in slices, while it is in a vault and after', async () => {
  await using domain = await openDomain();
  const found = await storedInParts(domain);
  const verification = new ArchiveVerification({ ...domain, ...found });
  const advance = async () => {
    const { kind, bytesRead } = await verification.advance(goingOn, mebibyte);
    return [kind, bytesRead];
  };
  assert.deepEqual(await advance(), ['unfinished', mebibyte]);
  assert.deepEqual(await advance(), ['unfinished', mebibyte]);
  assert.deepEqual(await advance(), ['verified', 5]);
  await domain.archives.remove(photos, found.archive.archiveId);
  await domain.vaults.remove(photos);
  assert.equal(await damageOf(domain, found), null);
});

test('an archive that came to its end with its bytes has its label read in the next slice', async () => {
  await using domain = await openDomain();
  const whole = sampleBytes(2 * mebibyte);
  const { archiveId } = await storeInParts(domain, whole);
  const { archive, parts } = await domain.store.read(async ({ archives }) => ({
    archive: await archives.get(archiveId),
    parts: await archives.blobs(archiveId),
  }));
  const found = { archive: defined(archive, 'the archive'), parts };
  assert.equal(await damageOf(domain, found), null);
  domain.blobs.damageLabel(blobAt(found, 2), 3);
  assert.match((await damageOf(domain, found)) ?? '', /^Blob \S+, of no bytes, is damaged: /);
});

test('damaged bytes are told with the part that they are in, counted from 1', async () => {
  await using domain = await openDomain();
  const found = await storedInParts(domain);
  const [second, third] = [blobAt(found, 1), blobAt(found, 2)];
  domain.blobs.damage(second, 7);
  await domain.blobs.remove(third);
  assert.equal(
    await damageOf(domain, found),
    `Bytes 1048576-2097151 are damaged, in part 2, blob ${second}: ` +
      `Frame 0 of blob ${second} fails its verification. ` +
      `Bytes 2097152-2097156 are damaged, in part 3, blob ${third}: There is no blob ${third}.`,
  );
});

test('the loss of the label costs no byte, and does not keep the tree hash from being compared', async () => {
  await using domain = await openDomain();
  const found = await storedInParts(domain);
  const own = blobAt(found, 3);
  await domain.blobs.remove(own);
  const lost = `Blob ${own}, of no bytes, is damaged: There is no blob ${own}.`;
  assert.equal(await damageOf(domain, found), lost);
  const archive = { ...found.archive, treeHash: '0'.repeat(64) };
  assert.match(
    (await damageOf(domain, { ...found, archive })) ?? '',
    /do not make up its tree hash/,
  );
});

test('what the label of a part says otherwise than its row is named', async () => {
  await using domain = await openDomain();
  const found = await storedInParts(domain);
  const changes: readonly (readonly [object, string])[] = [
    [{ vaultId: 'another' }, 'vault'],
    [{ vaultName: 'videos' }, 'vault'],
    [{ accountId: '999999999999' }, 'vault'],
    [{ uploadId: 'another' }, 'upload'],
    [{ partSizeBytes: 2 * mebibyte }, 'upload'],
    [{ index: 2 }, 'index'],
    [{ sizeBytes: 4, treeHash: '0'.repeat(64) }, 'size, tree hash'],
  ];
  for (const [change, what] of changes) {
    assert.equal(
      await damageWithLabel(domain, found, 1, change),
      `The label of part 2 does not say what its row says: ${what}.`,
    );
  }
});

test('what the label of the archive says otherwise than its rows is named', async () => {
  await using domain = await openDomain();
  const found = await storedInParts(domain);
  const changes: readonly (readonly [object, string])[] = [
    [{ archiveId: 'another', createdAtMs: 1 }, 'archive id, creation date'],
    [{ description: '', treeHash: '0'.repeat(64) }, 'description, tree hash'],
    [{ vaultId: 'another', sizeBytes: 1 }, 'vault, size'],
    [{ uploadId: 'another' }, 'upload'],
    [{ partSizeBytes: mebibyte / 2 }, 'upload, parts'],
    [{ partCount: 2 }, 'parts'],
  ];
  for (const [change, what] of changes) {
    assert.equal(
      await damageWithLabel(domain, found, 3, change),
      `The label of its blob does not say what its row says: ${what}.`,
    );
  }
});

test('labels of other kinds are not taken for those of a part, of an archive, of a whole one', async () => {
  await using domain = await openDomain();
  const found = await storedInParts(domain);
  const { label: ofPart } = await domain.blobs.describe(blobAt(found, 0));
  const { label: ofArchive } = await domain.blobs.describe(blobAt(found, 3));
  const inventory = encodeBlobLabel({ kind: 'inventory', jobId: 'job', vaultId: 'vault' });
  const cases: readonly (readonly [number, string, RegExp])[] = [
    [0, ofArchive, /^The label of part 1 is that of an archive of parts\.$/],
    [0, inventory, /^The label of part 1 is that of an inventory\.$/],
    [0, 'gibberish', /^The label of part 1 cannot be understood\.$/],
    [3, ofPart, /^The label of its blob is that of a part\.$/],
  ];
  for (const [index, text, expected] of cases) {
    const blobs = withLabels(domain, new Map([[blobAt(found, index), text]]));
    assert.match((await damageOf({ ...domain, blobs }, found)) ?? '', expected);
  }
});

test('a part whose bytes are sound, and another’s, is damage', async () => {
  await using domain = await openDomain();
  const found = await storedInParts(domain);
  const [first, second, ...others] = found.parts;
  assert.ok(first !== undefined && second !== undefined);
  const swapped = [
    { ...first, blobId: second.blobId },
    { ...second, blobId: first.blobId },
    ...others,
  ];
  assert.equal(
    await damageOf(domain, { ...found, parts: swapped }),
    'The label of part 1 does not say what its row says: index, tree hash. ' +
      'The leaf hashes of part 1 do not make up its tree hash. ' +
      'The label of part 2 does not say what its row says: index, tree hash. ' +
      'The leaf hashes of part 2 do not make up its tree hash. ' +
      'The leaf hashes of its blobs do not make up its tree hash.',
  );
});

test('a list that lacks a part, or the blob of the label, is damage', async () => {
  await using domain = await openDomain();
  const found = await storedInParts(domain);
  const without = (index: number) => ({ ...found, parts: found.parts.toSpliced(index, 1) });
  assert.match(
    (await damageOf(domain, without(1))) ?? '',
    /^Its list of blobs holds 1048581 bytes, and not the 2097157 of the archive\. /,
  );
  assert.equal(
    await damageOf(domain, without(3)),
    'Its list of blobs is not one of parts with an empty blob behind them.',
  );
});

test('an upload that became another archive by its row, or has none, is damage', async () => {
  await using domain = await openDomain();
  const found = await storedInParts(domain);
  const { uploadId } = found;
  const store: Pick<Domain['store'], 'read'> = {
    read: (work) =>
      domain.store.read((rows) => {
        const get = async () => undefined;
        return work({ ...rows, uploads: { ...rows.uploads, get } });
      }),
  };
  const verification = new ArchiveVerification({ ...domain, store, ...found });
  const outcome = await verification.advance(goingOn);
  assert.ok(outcome.kind === 'damaged');
  assert.match(outcome.damage, /^The label of part 1 does not say what its row says: upload\./);
  await domain.store.write(async ({ uploads }) => {
    const upload = defined(await uploads.get(uploadId), 'the upload');
    const other = { ...defined(upload.archive, 'its archive'), archiveId: 'another' };
    await uploads.update({ ...upload, archive: other });
  });
  assert.match((await damageOf(domain, found)) ?? '', /what its row says: upload\.$/);
});

test('the vault and the upload are looked up once for all parts', async () => {
  await using domain = await openDomain();
  const found = await storedInParts(domain);
  let reads = 0;
  const store: Pick<Domain['store'], 'read'> = {
    read: (work) => {
      reads += 1;
      return domain.store.read(work);
    },
  };
  const verification = new ArchiveVerification({ ...domain, store, ...found });
  assert.equal((await verification.advance(goingOn)).kind, 'verified');
  assert.equal(reads, 2);
});

test('parts that move are read on where they are, and the list is not read for each that is lost', async () => {
  await using domain = await openDomain();
  const found = await storedInParts(domain);
  for (const { blobId } of found.parts) {
    const to = await domain.blobs.duplicate(blobId);
    await domain.store.write((rows) => rows.blobs.repoint(blobId, to));
    await domain.blobs.remove(blobId);
  }
  let lists = 0;
  const store: Pick<Domain['store'], 'read'> = {
    read: (work) =>
      domain.store.read((rows) => {
        const blobs = (archiveId: string) => {
          lists += 1;
          return rows.archives.blobs(archiveId);
        };
        return work({ ...rows, archives: { ...rows.archives, blobs } });
      }),
  };
  assert.equal(await damageOf({ ...domain, store }, found), null);
  assert.equal(lists, 1);
  const now = await domain.store.read(({ archives }) => archives.blobs(found.archive.archiveId));
  for (const { blobId } of now) await domain.blobs.remove(blobId);
  const damage = await damageOf({ ...domain, store }, { ...found, parts: now });
  assert.match(damage ?? '', /in part 1, .*in part 2, .*in part 3, /);
  assert.equal(lists, 1);
});
