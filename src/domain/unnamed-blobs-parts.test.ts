import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  openDomain,
  photos,
  runUntilIdle,
  upload,
} from '../../tests/support/domain.ts';
import {
  completionOf,
  initiate,
  partOf,
  putAll,
  storeInParts,
} from '../../tests/support/domain-uploads.ts';
import { hidingRowsOf } from '../../tests/support/hidden-rows.ts';
import { mebibyte } from '../../tests/support/tree-hash-reference.ts';
import { defined } from '../lib/assert.ts';
import { listIds, sampleBytes, writeBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import type { Rows } from '../storage/metadata-store.ts';
import { DiscardUploads } from '../workers/discard-uploads.ts';
import { ForgetArchives } from '../workers/forget-archives.ts';
import { encodeBlobLabel, parseBlobLabel } from './blob-labels.ts';
import { UnnamedBlobs } from './unnamed-blobs.ts';

const whole = sampleBytes(mebibyte + 100);

/** What the blob is at a look, and by a judgement. */
async function kindsOf(domain: Domain, id: BlobId): Promise<string[]> {
  const unnamed = new UnnamedBlobs(domain);
  return [(await unnamed.look(id)).kind, (await unnamed.judge(id, goingOn)).kind];
}

/** An open upload of two parts, and their blobs. */
async function openUpload(domain: Domain) {
  const uploadId = await initiate(domain);
  await putAll(domain, uploadId, whole);
  return { uploadId, blobs: await partBlobs(domain, uploadId) };
}

async function partBlobs({ store }: Domain, uploadId: string): Promise<readonly BlobId[]> {
  const query = { uploadId, after: null, limit: 100 };
  return (await store.read(({ uploads }) => uploads.listParts(query))).map(({ blobId }) => blobId);
}

/** The blobs of an archive that was stored in two parts: the parts, and the one with its label. */
async function uploadedArchive(domain: Domain) {
  const { archiveId, uploadId } = await storeInParts(domain, whole);
  const blobs = await domain.store.read(({ archives }) => archives.blobs(archiveId));
  return { archiveId, uploadId, blobs: blobs.map(({ blobId }) => blobId) };
}

/** Moves a blob as compaction does. */
async function move({ blobs, store }: Domain, from: BlobId): Promise<BlobId> {
  const to = await blobs.duplicate(from);
  assert.equal(await store.write((rows) => rows.blobs.repoint(from, to)), true);
  return to;
}

const second = ({ blobs }: { readonly blobs: readonly BlobId[] }) => defined(blobs[1], 'a part');

test('where a part was moved from is superfluous, before and after it became an archive', async () => {
  await using domain = await openDomain();
  const upload = await openUpload(domain);
  const from = second(upload);
  const to = await move(domain, from);
  assert.deepEqual(await kindsOf(domain, from), ['copy', 'superfluous']);
  assert.deepEqual(await kindsOf(domain, to), ['needed', 'needed']);
  await domain.uploads.complete(completionOf(upload.uploadId, whole));
  assert.deepEqual(await kindsOf(domain, from), ['copy', 'superfluous']);
  assert.deepEqual(await kindsOf(domain, to), ['needed', 'needed']);
});

test('where the label of an archive of parts was moved from is superfluous', async () => {
  await using domain = await openDomain();
  const { blobs } = await uploadedArchive(domain);
  const from = defined(blobs.at(-1), 'its own blob');
  const to = await move(domain, from);
  assert.deepEqual(await kindsOf(domain, from), ['copy', 'superfluous']);
  assert.deepEqual(await kindsOf(domain, to), ['needed', 'needed']);
});

test('a part in whose place another one was put is an orphan, and heals nothing', async () => {
  await using domain = await openDomain();
  const upload = await openUpload(domain);
  const replaced = await domain.blobs.duplicate(second(upload));
  await domain.uploads.putPart(partOf(upload.uploadId, mebibyte, sampleBytes(100, 7)));
  assert.deepEqual(await kindsOf(domain, replaced), ['orphan', 'orphan']);
  const named = defined((await partBlobs(domain, upload.uploadId))[1], 'the part');
  domain.blobs.damage(named, 3);
  assert.deepEqual(await kindsOf(domain, replaced), ['orphan', 'orphan']);
  assert.equal((await partBlobs(domain, upload.uploadId))[1], named);
});

test('a part that was sent again with the same bytes leaves a copy', async () => {
  await using domain = await openDomain();
  const upload = await openUpload(domain);
  const replaced = await domain.blobs.duplicate(second(upload));
  await domain.uploads.putPart(partOf(upload.uploadId, mebibyte, whole.subarray(mebibyte)));
  assert.deepEqual(await kindsOf(domain, replaced), ['copy', 'superfluous']);
});

test('a part of an upload that is gone, or that has none in its place, is an orphan', async () => {
  await using domain = await openDomain();
  const upload = await openUpload(domain);
  const copy = await domain.blobs.duplicate(second(upload));
  await domain.uploads.abort({ vault: photos, uploadId: upload.uploadId });
  assert.deepEqual(await kindsOf(domain, copy), ['copy', 'superfluous']);
  await runUntilIdle(new DiscardUploads(domain));
  assert.deepEqual(await kindsOf(domain, copy), ['orphan', 'orphan']);
  await domain.store.write(({ uploads }) => uploads.remove(upload.uploadId));
  assert.deepEqual(await kindsOf(domain, copy), ['orphan', 'orphan']);
});

test('a part, and a label, of an archive that was forgotten are orphans', async () => {
  await using domain = await openDomain();
  const { archiveId, blobs } = await uploadedArchive(domain);
  const copies = await Promise.all(blobs.map((id) => domain.blobs.duplicate(id)));
  await domain.archives.remove(photos, archiveId);
  await runUntilIdle(new ForgetArchives(domain));
  for (const copy of copies) assert.deepEqual(await kindsOf(domain, copy), ['orphan', 'orphan']);
});

test('when the named part is damaged the row names its sound copy from then on', async () => {
  for (const damage of ['content', 'label', 'gone'] as const) {
    await using domain = await openDomain();
    const { uploadId, ...upload } = await openUpload(domain);
    const damagedBlobId = second(upload);
    const blobId = await domain.blobs.duplicate(damagedBlobId);
    if (damage === 'content') domain.blobs.damage(damagedBlobId, 2);
    else if (damage === 'label') domain.blobs.damageLabel(damagedBlobId, 2);
    else await domain.blobs.remove(damagedBlobId);
    assert.deepEqual(await kindsOf(domain, blobId), ['copy', 'needed']);
    assert.equal((await partBlobs(domain, uploadId))[1], blobId);
    assert.deepEqual(domain.log.events.at(-1), {
      ...{ level: 'warn', event: 'part.healed', facts: { uploadId, blobId, damagedBlobId } },
    });
  }
});

test('when the label of an archive of parts is damaged its row names the copy', async () => {
  await using domain = await openDomain();
  const { archiveId, blobs } = await uploadedArchive(domain);
  const damagedBlobId = defined(blobs.at(-1), 'its own blob');
  const blobId = await domain.blobs.duplicate(damagedBlobId);
  domain.blobs.damageLabel(damagedBlobId, 2);
  assert.deepEqual(await kindsOf(domain, blobId), ['copy', 'needed']);
  assert.deepEqual(domain.log.events.at(-1), {
    ...{ level: 'warn', event: 'archive.healed', facts: { archiveId, blobId, damagedBlobId } },
  });
});

test('an empty blob whose label is not that of the archive does not take its place', async () => {
  await using domain = await openDomain();
  const { archiveId, blobs } = await uploadedArchive(domain);
  const named = defined(blobs.at(-1), 'its own blob');
  const parsed = parseBlobLabel((await domain.blobs.describe(named)).label);
  assert.ok(parsed?.kind === 'uploaded-archive');
  const changes = [{ description: 'x' }, { createdAtMs: 1 }, { vaultId: 'x' }, { sizeBytes: 1 }];
  domain.blobs.damageLabel(named, 2);
  for (const change of changes) {
    const text = encodeBlobLabel({ ...parsed, ...change });
    const { id } = await writeBytes(domain.blobs, new Uint8Array(0), text);
    assert.deepEqual(await kindsOf(domain, id), ['unclear', 'unclear']);
  }
  const now = await domain.store.read(({ archives }) => archives.blobs(archiveId));
  assert.equal(now.at(-1)?.blobId, named);
});

test('a row that names the label of another archive names that of its own again', async () => {
  await using domain = await openDomain();
  const { archiveId, blobs } = await uploadedArchive(domain);
  const named = defined(blobs.at(-1), 'its own blob');
  const { label } = await domain.blobs.describe(named);
  const parsed = parseBlobLabel(label);
  assert.ok(parsed?.kind === 'uploaded-archive');
  const other = encodeBlobLabel({ ...parsed, archiveId: 'of another' });
  const wrong = await writeBytes(domain.blobs, new Uint8Array(0), other);
  await domain.store.write((rows) => rows.blobs.repoint(named, wrong.id));
  assert.deepEqual(await kindsOf(domain, named), ['copy', 'needed']);
  const now = await domain.store.read(({ archives }) => archives.blobs(archiveId));
  assert.equal(now.at(-1)?.blobId, named);
});

test('a part whose label says something else than its bytes or its row is not clear', async () => {
  await using domain = await openDomain();
  const upload = await openUpload(domain);
  const { label } = await domain.blobs.describe(second(upload));
  const parsed = parseBlobLabel(label);
  assert.ok(parsed?.kind === 'part');
  const { id } = await writeBytes(domain.blobs, Buffer.from('shorter'), label);
  assert.deepEqual(await kindsOf(domain, id), ['unclear', 'unclear']);
  const text = encodeBlobLabel({ ...parsed, sizeBytes: 7 });
  const { id: other } = await writeBytes(domain.blobs, Buffer.from('shorter'), text);
  assert.deepEqual(await kindsOf(domain, other), ['unclear', 'unclear']);
});

test('a part that its upload’s row names is needed, though an index hides that', async () => {
  await using domain = await openDomain();
  const upload = await openUpload(domain);
  const blobId = second(upload);
  const unnamed = new UnnamedBlobs({ ...domain, store: hidingRowsOf(domain, blobId) });
  assert.equal((await unnamed.judge(blobId, goingOn)).kind, 'needed');
  assert.equal(unnamed.areRowsTrusted, false);
  assert.deepEqual(domain.log.events.at(-1)?.facts, { blobId, uploadId: upload.uploadId });
});

test('a part that no row names is kept while rows of the archive’s parts are missing', async () => {
  await using domain = await openDomain();
  const { uploadId } = await uploadedArchive(domain);
  const query = { uploadId, after: 0, limit: 1 };
  const [named] = await domain.store.read(({ uploads }) => uploads.listParts(query));
  const { blobId, ...part } = defined(named, 'the second part');
  const stale = { ...part, blobId: 'stale' as BlobId, treeHash: '0'.repeat(64) };
  const losses = [
    () => domain.store.write(({ uploads }) => uploads.removeParts(uploadId, [1])),
    () => domain.store.write(({ uploads }) => uploads.putPart(uploadId, stale, 1)),
  ];
  for (const lose of losses) {
    await lose();
    assert.deepEqual(await kindsOf(domain, blobId), ['unclear', 'unclear']);
  }
  await domain.store.write(({ uploads }) => uploads.putPart(uploadId, { ...part, blobId }, 1));
  assert.deepEqual(await kindsOf(domain, blobId), ['needed', 'needed']);
});

test('whether an archive has all its parts is looked up once, however many blobs are not named', async () => {
  await using domain = await openDomain();
  const uploadId = await initiate(domain);
  const replaced: BlobId[] = [];
  for (const seed of [2, 3, 4]) {
    await domain.uploads.putPart(partOf(uploadId, mebibyte, sampleBytes(100, seed)));
    for (const id of await partBlobs(domain, uploadId)) {
      replaced.push(await domain.blobs.duplicate(id));
    }
  }
  await putAll(domain, uploadId, whole);
  await domain.uploads.complete(completionOf(uploadId, whole));
  let lookups = 0;
  const store = Object.assign(Object.create(domain.store), {
    read: <T>(work: (rows: Rows) => Promise<T>) =>
      domain.store.read((rows) => {
        const listParts: Rows['uploads']['listParts'] = (query) => {
          if (query.limit > 1) lookups += 1;
          return rows.uploads.listParts(query);
        };
        return work({ ...rows, uploads: { ...rows.uploads, listParts } });
      }),
  });
  const unnamed = new UnnamedBlobs({ ...domain, store });
  for (const id of replaced) assert.equal((await unnamed.look(id)).kind, 'orphan');
  assert.deepEqual([replaced.length, lookups], [3, 1]);
});

test('where bytes are just being given up nothing is damaged, and nothing healed', async () => {
  await using domain = await openDomain();
  const aborted = await openUpload(domain);
  await domain.uploads.abort({ vault: photos, uploadId: aborted.uploadId });
  const removed = await uploadedArchive(domain);
  await domain.archives.remove(photos, removed.archiveId);
  const { archiveId } = await domain.archives.store(upload(whole));
  const [single] = await domain.store.read(({ archives }) => archives.blobs(archiveId));
  await domain.archives.remove(photos, archiveId);
  const events = domain.log.events.length;
  for (const id of [...aborted.blobs, ...removed.blobs, defined(single, 'its blob').blobId]) {
    const copy = await domain.blobs.duplicate(id);
    // Bytes go before their rows do.
    await domain.blobs.remove(id);
    assert.deepEqual(await kindsOf(domain, copy), ['copy', 'needed']);
    assert.equal(await domain.store.read(({ blobs }) => blobs.isReferenced(copy)), false);
  }
  assert.equal(domain.log.events.length, events);
  await runUntilIdle(new DiscardUploads(domain));
  await runUntilIdle(new ForgetArchives(domain));
  for (const copy of await listIds(domain.blobs)) {
    assert.deepEqual(await kindsOf(domain, copy), ['orphan', 'orphan']);
  }
});

test('what is given up while a copy of it is read is not healed', async () => {
  await using domain = await openDomain();
  const { uploadId, ...open } = await openUpload(domain);
  const copy = await domain.blobs.duplicate(second(open));
  await domain.blobs.remove(second(open));
  const blobs = Object.assign(Object.create(domain.blobs), {
    describe: (id: BlobId) => domain.blobs.describe(id),
    async *read(...args: Parameters<Domain['blobs']['read']>) {
      await domain.uploads.abort({ vault: photos, uploadId });
      yield* domain.blobs.read(...args);
    },
  });
  const events = domain.log.events.length;
  const unnamed = new UnnamedBlobs({ ...domain, blobs });
  assert.equal((await unnamed.judge(copy, goingOn)).kind, 'needed');
  assert.equal(domain.log.events.length, events);
  assert.equal((await partBlobs(domain, uploadId))[1], second(open));
});
