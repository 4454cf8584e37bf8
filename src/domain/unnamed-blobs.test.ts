import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  inventory,
  openDomain,
  outputOf,
  photos,
  runUntilIdle,
  storeText,
} from '../../tests/support/domain.ts';
import { faulty } from '../../tests/support/faulty.ts';
import { hidingRowsOf } from '../../tests/support/hidden-rows.ts';
import { assertIntact, blobsOf } from '../../tests/support/segments.ts';
import { listIds, writeBytes } from '../storage/blob-specimen.ts';
import type { BlobId } from '../storage/blob-store.ts';
import { StoreError } from '../storage/errors.ts';
import { TakeInventories } from '../workers/take-inventories.ts';
import { encodeBlobLabel, parseBlobLabel } from './blob-labels.ts';
import { UnnamedBlobs } from './unnamed-blobs.ts';

async function onlyBlob({ blobs }: Domain): Promise<BlobId> {
  const [id, ...others] = await listIds(blobs);
  assert.ok(id !== undefined && others.length === 0);
  return id;
}

/** Moves the only blob; answers where it was and where it is. */
async function moveOnlyBlob(domain: Domain) {
  const from = await onlyBlob(domain);
  const to = await domain.compaction.copy(from);
  assert.equal(await domain.store.write((rows) => rows.blobs.repoint(from, to)), true);
  return { from, to };
}

/** What the blob is at a look, and by a judgement. */
async function kindsOf(domain: Domain, id: BlobId): Promise<string[]> {
  const unnamed = new UnnamedBlobs(domain);
  return [(await unnamed.look(id)).kind, (await unnamed.judge(id, goingOn)).kind];
}

async function inventoryTaken(domain: Domain): Promise<string> {
  const jobId = await inventory(domain);
  await runUntilIdle(new TakeInventories({ ...domain, arrivals: domain.arrivals.inventories }));
  return jobId;
}

test('where an archive was moved from is superfluous, and where it is now is needed', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  const copy = await domain.compaction.copy(await onlyBlob(domain));
  assert.deepEqual(await kindsOf(domain, copy), ['copy', 'superfluous']);
  await domain.blobs.remove(copy);
  assert.deepEqual(await kindsOf(domain, copy), ['gone', 'gone']);
  const { from, to } = await moveOnlyBlob(domain);
  assert.deepEqual(await kindsOf(domain, from), ['copy', 'superfluous']);
  assert.deepEqual(await kindsOf(domain, to), ['needed', 'needed']);
});

test('where the output of an inventory was moved from is superfluous', async () => {
  await using domain = await openDomain();
  const jobId = await inventoryTaken(domain);
  const { from, to } = await moveOnlyBlob(domain);
  assert.deepEqual(await kindsOf(domain, from), ['copy', 'superfluous']);
  assert.deepEqual(await kindsOf(domain, to), ['needed', 'needed']);
  await domain.store.write(({ jobs }) => jobs.remove(jobId));
  assert.deepEqual(await kindsOf(domain, from), ['orphan', 'orphan']);
});

test('a blob of an archive without a row is an orphan', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const { from } = await moveOnlyBlob(domain);
  await domain.archives.remove(photos, archiveId);
  assert.deepEqual(await kindsOf(domain, from), ['copy', 'superfluous']);
  await domain.store.write(({ archives }) => archives.forget(archiveId));
  assert.deepEqual(await kindsOf(domain, from), ['orphan', 'orphan']);
});

test('a blob whose label says something else of an archive than its row is not clear', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  const { label } = await domain.blobs.describe(await onlyBlob(domain));
  const parsed = parseBlobLabel(label);
  assert.ok(parsed?.kind === 'archive');
  for (const change of [{ treeHash: '0'.repeat(64) }, { sizeBytes: 6 }]) {
    const other = encodeBlobLabel({ ...parsed, ...change });
    const { id } = await writeBytes(domain.blobs, Buffer.from('other'), other);
    assert.deepEqual(await kindsOf(domain, id), ['unclear', 'unclear']);
  }
  const { id: longer } = await writeBytes(domain.blobs, Buffer.from('hello there'), label);
  assert.deepEqual(await kindsOf(domain, longer), ['unclear', 'unclear']);
});

test('of a blob without a label of ours, and of one whose label is damaged, nothing is known', async () => {
  await using domain = await openDomain();
  const { id } = await writeBytes(domain.blobs, Buffer.from('hello'), 'something else');
  assert.deepEqual(await kindsOf(domain, id), ['unclear', 'unclear']);
  domain.blobs.damageLabel(id, 3);
  assert.deepEqual(await kindsOf(domain, id), ['unclear', 'unclear']);
});

test('a blob that its archive’s row names is needed, though an index hides that, and it is told', async () => {
  for (const hiding of ['silently', 'noticed'] as const) {
    await using domain = await openDomain();
    const archiveId = await storeText(domain, 'hello');
    const blobId = await onlyBlob(domain);
    const unnamed = new UnnamedBlobs({ ...domain, store: hidingRowsOf(domain, blobId, hiding) });
    assert.equal(unnamed.areRowsTrusted, true);
    assert.equal((await unnamed.judge(blobId, goingOn)).kind, 'needed');
    assert.equal(unnamed.areRowsTrusted, false);
    const [told, ...others] = domain.log.events;
    assert.deepEqual([told?.level, told?.event], ['error', 'metadata.contradicts-itself']);
    assert.deepEqual({ ...told?.facts, error: '' }, { blobId, archiveId, error: '' });
    assert.deepEqual(others, []);
  }
});

test('an output that its job’s row names is needed, though an index hides that', async () => {
  await using domain = await openDomain();
  const jobId = await inventoryTaken(domain);
  const blobId = await onlyBlob(domain);
  const unnamed = new UnnamedBlobs({ ...domain, store: hidingRowsOf(domain, blobId) });
  assert.equal((await unnamed.look(blobId)).kind, 'needed');
  assert.deepEqual(domain.log.events.at(-1)?.facts, { blobId, jobId });
});

test('when the blob that the row names is damaged the row names its sound copy from then on', async () => {
  for (const damage of ['content', 'label', 'gone'] as const) {
    await using domain = await openDomain();
    const archiveId = await storeText(domain, 'hello');
    const damagedBlobId = await onlyBlob(domain);
    const blobId = await domain.compaction.copy(damagedBlobId);
    if (damage === 'content') domain.blobs.damage(damagedBlobId, 2);
    else if (damage === 'label') domain.blobs.damageLabel(damagedBlobId, 2);
    else await domain.blobs.remove(damagedBlobId);
    assert.deepEqual(await kindsOf(domain, blobId), ['copy', 'needed']);
    assert.deepEqual(await blobsOf(domain, [{ archiveId, text: '' }]), [blobId]);
    await assertIntact(domain, [{ archiveId, text: 'hello' }]);
    assert.deepEqual(domain.log.events, [
      { level: 'warn', event: 'archive.healed', facts: { archiveId, blobId, damagedBlobId } },
    ]);
    if (damage !== 'gone') assert.ok((await listIds(domain.blobs)).includes(damagedBlobId));
  }
});

test('when the output that a job’s row names is damaged the row names its sound copy', async () => {
  await using domain = await openDomain();
  const jobId = await inventoryTaken(domain);
  const output = await outputOf(domain, jobId);
  const damagedBlobId = await onlyBlob(domain);
  const blobId = await domain.compaction.copy(damagedBlobId);
  domain.blobs.damage(damagedBlobId, 2);
  assert.deepEqual(await kindsOf(domain, blobId), ['copy', 'needed']);
  assert.deepEqual(await outputOf(domain, jobId), output);
  assert.deepEqual(domain.log.names('warn'), ['inventory.healed']);
});

test('when both copies are damaged both stay as they are', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const named = await onlyBlob(domain);
  const copy = await domain.compaction.copy(named);
  domain.blobs.damage(named, 2);
  domain.blobs.damage(copy, 1);
  assert.deepEqual(await kindsOf(domain, copy), ['copy', 'unclear']);
  assert.deepEqual(await blobsOf(domain, [{ archiveId, text: '' }]), [named]);
});

test('a sound copy whose bytes are not the archive’s does not take its place', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const named = await onlyBlob(domain);
  const { label } = await domain.blobs.describe(named);
  const { id } = await writeBytes(domain.blobs, Buffer.from('jello'), label);
  domain.blobs.damage(named, 2);
  assert.deepEqual(await kindsOf(domain, id), ['copy', 'unclear']);
  assert.deepEqual(await blobsOf(domain, [{ archiveId, text: '' }]), [named]);
});

test('a copy that somebody holds is left alone, whatever the other one is like', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const named = await onlyBlob(domain);
  const copy = await domain.compaction.copy(named);
  domain.blobs.damage(named, 2);
  using _pin = domain.pins.hold([copy]);
  assert.deepEqual(await kindsOf(domain, copy), ['copy', 'needed']);
  assert.deepEqual(await blobsOf(domain, [{ archiveId, text: '' }]), [named]);
});

test('a blob that moved while its copy was looked at is not taken for damaged', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const named = await onlyBlob(domain);
  const copy = await domain.compaction.copy(named);
  let moved: BlobId | undefined;
  const blobs = new Proxy(domain.blobs, {
    get: (target, property) => {
      if (property !== 'read') return Reflect.get(target, property).bind(target);
      return async function* (...args: Parameters<typeof target.read>) {
        if (moved === undefined) {
          moved = await target.duplicate(named);
          const to = moved;
          await domain.store.write((rows) => rows.blobs.repoint(named, to));
          await target.remove(named);
        }
        yield* target.read(...args);
      };
    },
  });
  const judgement = await new UnnamedBlobs({ ...domain, blobs }).judge(copy, goingOn);
  assert.equal(judgement.kind, 'needed');
  assert.deepEqual(await blobsOf(domain, [{ archiveId, text: '' }]), [moved]);
  assert.deepEqual(domain.log.events, []);
  assert.deepEqual(await kindsOf(domain, copy), ['copy', 'superfluous']);
});

test('a store that does not answer decides nothing', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  const copy = await domain.compaction.copy(await onlyBlob(domain));
  const unavailable = new StoreError('StoreUnavailable', 'the disk does not answer');
  for (const method of ['describe', 'read'] as const) {
    const blobs = faulty(domain.blobs);
    blobs.failNext(method, unavailable);
    const unnamed = new UnnamedBlobs({ ...domain, blobs: blobs.it });
    await assert.rejects(unnamed.judge(copy, goingOn), unavailable);
    assert.equal(unnamed.areRowsTrusted, true);
  }
});
