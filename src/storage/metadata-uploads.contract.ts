import assert from 'node:assert/strict';
import fc from 'fast-check';
import { blobId, type MetadataCase, sampleVault } from './metadata-specimen.ts';
import type { MetadataStore } from './metadata-store.ts';
import { abortedAt, completedAt, samplePart, sampleUpload } from './metadata-upload-specimen.ts';
import type { PartRow, UploadEnd, UploadPosition, UploadRow } from './rows.ts';

/** Uploads in parts, until they become archives. */
export const uploadCases: readonly MetadataCase[] = [
  {
    title: 'an upload is read as it was inserted, and as it was updated last',
    run: async ({ store }) => {
      const upload = sampleUpload('upload', { description: null });
      await insert(store, upload);
      assert.deepEqual(await get(store, 'upload'), upload);
      const ended: readonly UploadRow[] = [
        completedAt(upload, 'archive', 3_000),
        abortedAt({ ...upload, activeAtMs: 2_000, description: 'other' }, 4_000),
        { ...abortedAt(upload, 4_000), state: 'Expired', isDiscarded: true },
      ];
      for (const row of ended) {
        await store.write(({ uploads }) => uploads.update(row));
        assert.deepEqual(await get(store, 'upload'), row);
      }
      assert.equal(await get(store, 'absent'), undefined);
    },
  },
  {
    title: 'an upload id is given once',
    run: async ({ store }) => {
      await insert(store, sampleUpload('upload'));
      const again = insert(store, sampleUpload('upload', { vaultId: 'other' }));
      await assert.rejects(again, { code: 'Conflict' });
    },
  },
  {
    title: 'an upload that is not there takes no part and no update, and has no parts',
    run: async ({ store }) => {
      await store.write(({ uploads }) => uploads.touch('absent', 5));
      const refused = { name: 'AssertionFailed' };
      const update = store.write(({ uploads }) => uploads.update(sampleUpload('absent')));
      await assert.rejects(update, refused);
      await assert.rejects(put(store, 'absent', samplePart('absent', 0)), refused);
      await store.write(({ uploads }) => uploads.removeParts('absent', [0]));
      assert.deepEqual(await parts(store, 'absent'), []);
    },
  },
  {
    title: 'a part that is put again takes the place of the one before, whose blob is answered',
    run: async ({ store }) => {
      await insert(store, sampleUpload('upload'));
      await insert(store, sampleUpload('other'));
      const [first, second] = [samplePart('upload', 0), samplePart('upload', 1)];
      assert.equal(await put(store, 'upload', second, 1_600), null);
      assert.equal(await put(store, 'upload', first, 1_700), null);
      assert.equal(await put(store, 'other', samplePart('other', 0)), null);
      const again = { ...second, blobId: blobId('again'), sizeBytes: 7, treeHash: 'c'.repeat(64) };
      assert.equal(await put(store, 'upload', again, 1_800), second.blobId);
      assert.deepEqual(await parts(store, 'upload'), [first, again]);
      assert.equal((await get(store, 'upload'))?.activeAtMs, 1_800);
      await store.write(({ uploads }) => uploads.touch('upload', 1_900));
      assert.deepEqual(await get(store, 'upload'), sampleUpload('upload', { activeAtMs: 1_900 }));
      assert.equal((await get(store, 'other'))?.activeAtMs, 1_600);
      // Whatever the clock was set to meanwhile.
      await store.write(({ uploads }) => uploads.touch('upload', 1_000));
      assert.equal(await put(store, 'upload', again, 1_000), again.blobId);
      assert.equal((await get(store, 'upload'))?.activeAtMs, 1_900);
    },
  },
  {
    title: 'parts that came in any order are listed by index, page by page, less those removed',
    run: async ({ store }) => {
      let round = 0;
      const indexes = fc.array(fc.nat(30), { maxLength: 40 });
      await fc.assert(
        fc.asyncProperty(indexes, indexes, fc.integer({ min: 1, max: 7 }), async (...drawn) => {
          const [came, went, limit] = drawn;
          round += 1;
          const uploadId = `upload ${round}`;
          const kept = new Map<number, PartRow>();
          await store.write(async ({ uploads }) => {
            await uploads.insert(sampleUpload(uploadId));
            for (const [time, index] of came.entries()) {
              const part = samplePart(uploadId, index, { blobId: blobId(`blob ${time}`) });
              const replaced = await uploads.putPart(uploadId, part, time);
              assert.equal(replaced, kept.get(index)?.blobId ?? null);
              kept.set(index, part);
            }
            await uploads.removeParts(uploadId, went);
          });
          for (const index of went) kept.delete(index);
          const expected = [...kept.values()].sort((one, other) => one.index - other.index);
          assert.deepEqual(await parts(store, uploadId, limit), expected);
        }),
        { numRuns: 25 },
      );
    },
  },
  {
    title: 'pages of a listing make up the open uploads of a vault that were active, in order',
    run: async ({ store }) => {
      let round = 0;
      const upload = fc.record({
        createdAtMs: fc.integer({ min: 1, max: 4 }),
        activeAtMs: fc.integer({ min: 1, max: 9 }),
        isOpen: fc.boolean(),
        isElsewhere: fc.boolean(),
      });
      const drawn = fc.array(upload, { maxLength: 20 });
      const bounds = [fc.nat(9), fc.integer({ min: 1, max: 5 })] as const;
      await fc.assert(
        fc.asyncProperty(drawn, ...bounds, async (all, idleSinceMs, limit) => {
          round += 1;
          const vaultId = `vault ${round}`;
          const rows = all.map(({ isOpen, isElsewhere, ...times }, index) => {
            // Ids whose order is neither that of insertion nor that of creation.
            const uploadId = `${(index * 7) % 20}|${round}`;
            const vault = isElsewhere ? 'elsewhere' : vaultId;
            const row = sampleUpload(uploadId, { ...times, vaultId: vault });
            return isOpen ? row : abortedAt(row, 10);
          });
          for (const row of rows) await insert(store, row);
          const expected = rows
            .filter((row) => row.vaultId === vaultId && row.state === 'Open')
            .filter(({ activeAtMs }) => activeAtMs > idleSinceMs)
            .sort((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1));
          assert.deepEqual(await listed(store, { vaultId, idleSinceMs, limit }), expected);
        }),
        { numRuns: 25 },
      );
    },
  },
  {
    title: 'a listing of uploads goes on after a place where none is any more',
    run: async ({ store }) => {
      for (const id of ['a', 'c']) await insert(store, sampleUpload(id));
      const after = { createdAtMs: 1_500, uploadId: 'b' };
      const query = { vaultId: 'vault', idleSinceMs: 0, after, limit: 9 };
      const rows = await store.read(({ uploads }) => uploads.list(query));
      assert.deepEqual(rows.map(idOf), ['c']);
    },
  },
  {
    title: 'a listing of uploads goes round as many idle ones as there are',
    run: async ({ store }) => {
      // Idle ones before, between and behind those that are active: many, few, or one.
      const activeAt = [0, 1, 3, 700, 701, 702, 705, 2_000, 2_001, 3_999];
      const rows = Array.from({ length: 5_000 }, (_, index) =>
        sampleUpload(`upload ${(index * 7) % 5_000}`, {
          createdAtMs: Math.floor(index / 3),
          activeAtMs: activeAt.includes(index) ? 20_000 : 10_000,
        }),
      );
      await store.write(async ({ uploads }) => {
        for (const row of rows) await uploads.insert(row);
      });
      const all = rows.toSorted(
        (one, other) =>
          one.createdAtMs - other.createdAtMs || (one.uploadId < other.uploadId ? -1 : 1),
      );
      const active = all.filter(({ activeAtMs }) => activeAtMs === 20_000);
      const query = { vaultId: 'vault', idleSinceMs: 10_000 };
      for (const limit of [1, 2, 3, 9, 10, 11, 600]) {
        assert.deepEqual(await listed(store, { ...query, limit }), active, `${limit}`);
      }
      assert.deepEqual(await listed(store, { ...query, idleSinceMs: 9_999, limit: 600 }), all);
      assert.deepEqual(await listed(store, { ...query, idleSinceMs: 20_000, limit: 600 }), []);
    },
  },
  {
    title: 'open uploads are idle from a time on, the longest idle first',
    run: async ({ store }) => {
      const times = { b: 30, a: 10, c: 20, d: 10 };
      for (const [id, activeAtMs] of Object.entries(times)) {
        await insert(store, sampleUpload(id, { activeAtMs }));
      }
      await insert(store, abortedAt(sampleUpload('over', { activeAtMs: 5 }), 40));
      const idle = async (sinceMs: number, limit = 9) =>
        (await store.read(({ uploads }) => uploads.listIdle(sinceMs, limit))).map(idOf);
      assert.deepEqual(await idle(9), []);
      assert.deepEqual(await idle(10), ['a', 'd']);
      assert.deepEqual(await idle(20), ['a', 'd', 'c']);
      assert.deepEqual(await idle(100, 3), ['a', 'd', 'c']);
      // Whatever is idle is listed no more.
      for (const idleSinceMs of [9, 10, 20, 100]) {
        const active = await listed(store, { vaultId: 'vault', idleSinceMs, limit: 9 });
        const all = [...active.map(idOf), ...(await idle(idleSinceMs))];
        assert.deepEqual(all.sort(), ['a', 'b', 'c', 'd']);
      }
      await store.write(({ uploads }) => uploads.touch('a', 25));
      assert.deepEqual(await idle(100), ['d', 'c', 'a', 'b']);
    },
  },
  {
    title: 'an upload that ended is to be discarded, is over a while later, and then forgotten',
    run: async ({ store }) => {
      await insert(store, sampleUpload('open'));
      await insert(store, completedAt(sampleUpload('completed'), 'archive', 10));
      const later = abortedAt(sampleUpload('later'), 30);
      const sooner = { ...abortedAt(sampleUpload('sooner'), 20), state: 'Expired' } as const;
      for (const row of [later, sooner]) await insert(store, row);
      const toDiscard = (limit = 9, after: UploadEnd | null = null) =>
        store.read(({ uploads }) => uploads.listToDiscard({ after, limit }));
      const over = (endedByMs: number, after: UploadEnd | null = null) =>
        store.read(({ uploads }) => uploads.listOver({ endedByMs, after, limit: 9 }));
      assert.deepEqual(await toDiscard(), [sooner, later]);
      assert.deepEqual(await toDiscard(1), [sooner]);
      assert.deepEqual(await toDiscard(9, { endedAtMs: 20, uploadId: 'sooner' }), [later]);
      assert.deepEqual(await toDiscard(9, { endedAtMs: 30, uploadId: 'kept' }), [later]);
      assert.deepEqual(await toDiscard(9, { endedAtMs: 30, uploadId: 'later' }), []);
      assert.deepEqual(await over(100), []);
      const discarded = { ...later, isDiscarded: true };
      await store.write(({ uploads }) => uploads.update(discarded));
      assert.deepEqual(await toDiscard(), [sooner]);
      assert.deepEqual(await over(29), []);
      assert.deepEqual(await over(30), [discarded]);
      assert.deepEqual(await over(30, { endedAtMs: 30, uploadId: 'kept' }), [discarded]);
      assert.deepEqual(await over(30, { endedAtMs: 30, uploadId: 'later' }), []);
      for (const id of ['open', 'completed', 'sooner', 'later', 'absent']) {
        await store.write(({ uploads }) => uploads.remove(id));
      }
      assert.equal(await get(store, 'later'), undefined);
      for (const id of ['open', 'completed', 'sooner']) assert.ok(await get(store, id), id);
    },
  },
  {
    title: 'an upload is not forgotten while it has parts',
    run: async ({ store }) => {
      await insert(store, sampleUpload('upload'));
      await put(store, 'upload', samplePart('upload', 0));
      const discarded = { ...abortedAt(sampleUpload('upload'), 5), isDiscarded: true };
      await store.write(({ uploads }) => uploads.update(discarded));
      await assert.rejects(store.write(({ uploads }) => uploads.remove('upload')));
      assert.deepEqual(await parts(store, 'upload'), [samplePart('upload', 0)]);
      assert.deepEqual(await get(store, 'upload'), discarded);
    },
  },
  {
    title: 'a vault that goes leaves its open uploads behind, aborted, with their parts',
    run: async ({ store }) => {
      await store.write(({ vaults }) => vaults.insert(sampleVault('vault')));
      const completed = completedAt(sampleUpload('completed'), 'archive', 10);
      const elsewhere = sampleUpload('elsewhere', { vaultId: 'other' });
      for (const row of [sampleUpload('open'), completed, elsewhere]) await insert(store, row);
      await put(store, 'open', samplePart('open', 0), 1_500);
      await store.write(async ({ uploads, vaults }) => {
        assert.equal(await uploads.abandon('vault', 50, 9), 1);
        await vaults.remove('vault');
      });
      assert.deepEqual(await get(store, 'open'), abortedAt(sampleUpload('open'), 50));
      assert.deepEqual(await get(store, 'completed'), completed);
      assert.deepEqual(await get(store, 'elsewhere'), elsewhere);
      assert.deepEqual(await parts(store, 'open'), [samplePart('open', 0)]);
    },
  },
  {
    title: 'a vault that is gone is found by its open uploads, and loses them oldest first',
    run: async ({ store }) => {
      await store.write(({ vaults }) => vaults.insert(sampleVault('vault')));
      const bereft = (limit = 9) => store.read(({ uploads }) => uploads.listBereft(limit));
      for (const [index, vaultId] of ['b', 'vault', 'a', 'b', 'b', 'c'].entries()) {
        const upload = sampleUpload(`upload ${index}`, { vaultId, createdAtMs: 1_500 - index });
        await insert(store, vaultId === 'c' ? abortedAt(upload, 5) : upload);
      }
      assert.deepEqual(await bereft(), ['a', 'b']);
      assert.deepEqual(await bereft(1), ['a']);
      const abandon = (limit: number) =>
        store.write(({ uploads }) => uploads.abandon('b', 50, limit));
      assert.equal(await abandon(2), 2);
      assert.deepEqual(await bereft(), ['a', 'b']);
      const states = ['upload 0', 'upload 3', 'upload 4'].map((id) => get(store, id));
      assert.deepEqual(
        (await Promise.all(states)).map((row) => row?.state),
        ['Open', 'Aborted', 'Aborted'],
      );
      assert.equal(await abandon(2), 1);
      assert.equal(await abandon(2), 0);
      assert.deepEqual(await bereft(), ['a']);
    },
  },
];

function get(store: MetadataStore, uploadId: string): Promise<UploadRow | undefined> {
  return store.read(({ uploads }) => uploads.get(uploadId));
}

function insert(store: MetadataStore, upload: UploadRow): Promise<void> {
  return store.write(({ uploads }) => uploads.insert(upload));
}

function put(store: MetadataStore, uploadId: string, part: PartRow, atMs = 1_600) {
  return store.write(({ uploads }) => uploads.putPart(uploadId, part, atMs));
}

/** Every part of an upload, page by page. */
async function parts(store: MetadataStore, uploadId: string, limit = 100): Promise<PartRow[]> {
  const found: PartRow[] = [];
  for (let after: number | null = null; ; ) {
    const query = { uploadId, after, limit };
    const page: PartRow[] = await store.read(({ uploads }) => uploads.listParts(query));
    assert.ok(page.length <= limit);
    found.push(...page);
    const last = page.at(-1);
    if (last === undefined) return found;
    after = last.index;
  }
}

/** Every open upload of a vault that was active, page by page. */
async function listed(
  store: MetadataStore,
  query: { readonly vaultId: string; readonly idleSinceMs: number; readonly limit: number },
): Promise<UploadRow[]> {
  const found: UploadRow[] = [];
  for (let after: UploadPosition | null = null; ; ) {
    const at: UploadPosition | null = after;
    const page: UploadRow[] = await store.read(({ uploads }) =>
      uploads.list({ ...query, after: at }),
    );
    assert.ok(page.length <= query.limit);
    found.push(...page);
    const last = page.at(-1);
    if (last === undefined) return found;
    after = last;
  }
}

/** Creation times have one digit here, so that places sort as text does. */
function placeOf({ createdAtMs, uploadId }: UploadPosition): string {
  return `${createdAtMs} ${uploadId}`;
}

function idOf({ uploadId }: UploadRow): string {
  return uploadId;
}
