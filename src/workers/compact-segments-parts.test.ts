import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  hourMs,
  openDomain,
  photos,
  runUntilIdle,
} from '../../tests/support/domain.ts';
import { completionOf, initiate, partOf, shownParts } from '../../tests/support/domain-uploads.ts';
import { hidingRowsOf } from '../../tests/support/hidden-rows.ts';
import { assertIntact } from '../../tests/support/segments.ts';
import { treeHashOf } from '../../tests/support/tree-hash-reference.ts';
import { listIds, readBytes } from '../storage/blob-specimen.ts';
import { CompactSegments } from './compact-segments.ts';
import { DiscardUploads } from './discard-uploads.ts';
import { SweepOrphans } from './sweep-orphans.ts';

const minuteMs = 60_000;
const weekMs = 7 * 24 * hourMs;

const textOf = (uploadId: string) => `part of ${uploadId}`.padEnd(200, 'x');

/** A segment that nothing is appended to any more, and the few open uploads whose part lies in it. */
async function wastefulSegment(domain: Domain, { of = 10, left = 3 } = {}): Promise<string[]> {
  domain.blobs.seal();
  const uploadIds: string[] = [];
  for (let count = 0; count < of; count += 1) {
    const uploadId = await initiate(domain);
    await domain.uploads.putPart(partOf(uploadId, 0, Buffer.from(textOf(uploadId))));
    uploadIds.push(uploadId);
  }
  domain.blobs.seal();
  for (const uploadId of uploadIds.slice(left)) {
    await domain.uploads.abort({ vault: photos, uploadId });
  }
  await runUntilIdle(new DiscardUploads(domain));
  return uploadIds.slice(0, left);
}

/** Has the worker look, wait for what it has moved, and look again, until nothing is left to do. */
async function compact(domain: Domain, worker = new CompactSegments(domain)): Promise<void> {
  for (let visit = 0; visit < 4; visit += 1) {
    await runUntilIdle(worker);
    domain.clock.advance(minuteMs);
  }
}

/** Where the only part of each upload is. */
async function blobsOf({ store }: Domain, uploadIds: readonly string[]) {
  const lists = uploadIds.map((uploadId) =>
    store.read(({ uploads }) => uploads.listParts({ uploadId, after: null, limit: 10 })),
  );
  return (await Promise.all(lists)).flat().map(({ blobId }) => blobId);
}

/** The upload is open, and its part is `text`. */
async function assertOpen(domain: Domain, uploadId: string, text = textOf(uploadId)) {
  const bytes = Buffer.from(text);
  const shown = await shownParts(domain, uploadId);
  assert.deepEqual(shown, [[`0-${bytes.length - 1}`, treeHashOf(bytes)]]);
  const [blobId, ...others] = await blobsOf(domain, [uploadId]);
  assert.ok(blobId !== undefined && others.length === 0);
  const range = { offsetBytes: 0, lengthBytes: bytes.length };
  assert.equal(Buffer.from(await readBytes(domain.blobs, blobId, range)).toString(), text);
}

function completeAs(domain: Domain, uploadId: string, text = textOf(uploadId)) {
  return domain.uploads.complete(completionOf(uploadId, Buffer.from(text)));
}

test('parts of open uploads, and archives of parts with their labels, are moved', async () => {
  await using domain = await openDomain();
  const [open = '', completed = ''] = await wastefulSegment(domain, { of: 10, left: 2 });
  const { archiveId } = await completeAs(domain, completed);
  domain.blobs.seal();
  const before = await listIds(domain.blobs);
  // The empty blob of the label lies in a segment of its own, which is not wasteful: so this is one.
  await compact(domain);
  const after = await listIds(domain.blobs);
  assert.equal(after.filter((id) => before.includes(id)).length, 1);
  assert.equal(after.length, 3);
  await assertOpen(domain, open);
  await assertIntact(domain, [{ archiveId, text: textOf(completed) }]);
  assert.equal((await completeAs(domain, completed)).archiveId, archiveId);
  await completeAs(domain, open);
});

test('the empty blob with the label of an archive is moved as any other', async () => {
  await using domain = await openDomain();
  const uploadIds = await wastefulSegment(domain, { of: 10, left: 10 });
  domain.blobs.seal();
  const archiveIds: string[] = [];
  for (const uploadId of uploadIds) archiveIds.push((await completeAs(domain, uploadId)).archiveId);
  domain.blobs.seal();
  const own = async () => {
    const lists = archiveIds.map((id) => domain.store.read(({ archives }) => archives.blobs(id)));
    return (await Promise.all(lists)).map((blobs) => blobs.at(-1)?.blobId);
  };
  const [first, ...others] = archiveIds;
  assert.ok(first !== undefined);
  const [before] = await own();
  for (const archiveId of others) {
    await domain.archives.remove(photos, archiveId);
    const blobs = await domain.store.read(({ archives }) => archives.blobs(archiveId));
    for (const { blobId } of blobs) await domain.blobs.remove(blobId);
    await domain.store.write(({ archives }) => archives.forget(archiveId));
  }
  archiveIds.splice(1);
  await compact(domain);
  const [after] = await own();
  assert.notEqual(after, before);
  assert.deepEqual((await listIds(domain.blobs)).length, 2);
  await assertIntact(domain, [{ archiveId: first, text: textOf(uploadIds[0] ?? '') }]);
});

const changed = 'other bytes'.padEnd(150, 'y');

/** What may be done to an upload while its part moves, and what must be so afterwards. */
const deeds: readonly {
  readonly name: string;
  readonly do: (domain: Domain, uploadId: string) => Promise<unknown>;
  readonly see: (domain: Domain, uploadId: string) => Promise<unknown>;
}[] = [
  {
    name: 'another part is put in its place',
    do: ({ uploads }, uploadId) => uploads.putPart(partOf(uploadId, 0, Buffer.from(changed))),
    see: (domain, uploadId) => assertOpen(domain, uploadId, changed),
  },
  {
    name: 'the same part is put again',
    do: ({ uploads }, uploadId) =>
      uploads.putPart(partOf(uploadId, 0, Buffer.from(textOf(uploadId)))),
    see: assertOpen,
  },
  {
    name: 'it is aborted and discarded',
    do: async (domain, uploadId) => {
      await domain.uploads.abort({ vault: photos, uploadId });
      await runUntilIdle(new DiscardUploads(domain));
    },
    see: async (domain, uploadId) => {
      // Parts that were held just then are left for later.
      await runUntilIdle(new DiscardUploads(domain));
      assert.deepEqual(await blobsOf(domain, [uploadId]), []);
    },
  },
  {
    name: 'it is completed',
    do: completeAs,
    see: async (domain, uploadId) => {
      const { archiveId } = await completeAs(domain, uploadId);
      await assertIntact(domain, [{ archiveId, text: textOf(uploadId) }]);
    },
  },
];

/** Stores that do `deed` before, or after, what they do as the `nth`. */
function interrupted(domain: Domain, nth: number, deed: () => Promise<unknown>) {
  let calls = 0;
  const around = <T extends object>(target: T, methods: readonly string[]): T =>
    new Proxy(target, {
      get: (_, property) => {
        const value: unknown = Reflect.get(target, property, target);
        if (typeof value !== 'function') return value;
        if (!methods.includes(String(property))) return value.bind(target);
        return async (...args: unknown[]) => {
          calls += 1;
          if (calls === nth) await deed();
          const result: unknown = await Reflect.apply(value, target, args);
          calls += 1;
          if (calls === nth) await deed();
          return result;
        };
      },
    });
  return {
    ...domain,
    store: around(domain.store, ['write']),
    compaction: around(domain.compaction, ['copy', 'retire']),
  };
}

for (const deed of deeds) {
  test(`a part moves while ${deed.name}: nothing is lost, and nothing stays behind`, async () => {
    let isReached = true;
    for (let nth = 1; isReached; nth += 1) {
      await using domain = await openDomain();
      const [uploadId = '', other = ''] = await wastefulSegment(domain, { left: 2 });
      isReached = false;
      const stores = interrupted(domain, nth, async () => {
        isReached = true;
        await deed.do(domain, uploadId);
      });
      await compact(domain, new CompactSegments(stores));
      assert.ok(isReached || nth > 10, 'it moves in some ten calls');
      if (!isReached) await deed.do(domain, uploadId);
      await deed.see(domain, uploadId);
      await assertOpen(domain, other);
      await runUntilIdle(new DiscardUploads(domain));
      await compact(domain);
      const sweeper = new SweepOrphans(domain);
      for (let round = 0; round < 3; round += 1) {
        await runUntilIdle(sweeper);
        domain.clock.advance(weekMs);
      }
      const named = await Promise.all(
        (await listIds(domain.blobs)).map((id) =>
          domain.store.read(({ blobs }) => blobs.isReferenced(id)),
        ),
      );
      assert.ok(named.every(Boolean), `after ${nth} calls something stays`);
    }
  });
}

test('a part that an index hides is neither moved nor retired', async () => {
  await using domain = await openDomain();
  const uploadIds = await wastefulSegment(domain);
  const [hidden, ...others] = await blobsOf(domain, uploadIds);
  assert.ok(hidden !== undefined && others.length === 2);
  const worker = new CompactSegments({ ...domain, store: hidingRowsOf(domain, hidden) });
  await compact(domain, worker);
  for (const uploadId of uploadIds) await assertOpen(domain, uploadId);
  assert.equal((await blobsOf(domain, uploadIds))[0], hidden);
  assert.deepEqual(domain.log.names('error'), ['metadata.contradicts-itself']);
  assert.equal(await worker.step(goingOn), 'idle');
});

test('what a crash left of a part that was put again goes in a week, as an orphan', async () => {
  await using domain = await openDomain({ uploadExpiryMs: 4 * weekMs });
  const uploadId = await initiate(domain);
  await domain.uploads.putPart(partOf(uploadId, 0, Buffer.from('first')));
  const [first] = await blobsOf(domain, [uploadId]);
  assert.ok(first !== undefined);
  const replaced = await domain.blobs.duplicate(first);
  await domain.uploads.putPart(partOf(uploadId, 0, Buffer.from('second')));
  domain.clock.advance(minuteMs);
  const sweeper = new SweepOrphans(domain);
  await runUntilIdle(sweeper);
  domain.clock.advance(weekMs);
  await runUntilIdle(sweeper);
  assert.ok(!(await listIds(domain.blobs)).includes(replaced));
  assert.deepEqual(domain.log.events.at(-1)?.facts, { blobId: replaced });
  await assertOpen(domain, uploadId, 'second');
});
