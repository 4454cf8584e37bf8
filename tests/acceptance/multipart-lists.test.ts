import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { bytesOf, createVault, freshName, initiateJob, jsonOf } from '../support/deeds.ts';
import { assertDocument, assertError, timestampPattern } from '../support/expectations.ts';
import {
  assertInvalid,
  assertUnknownUpload,
  listUploads,
  Multipart,
  type PartList,
  type UploadList,
} from '../support/multipart.ts';
import { openTarget } from '../support/target.ts';
import { mebibyte, treeHashOf } from '../support/tree-hash-reference.ts';

const { api, account } = await openTarget();
const M = mebibyte;

const arnOf = (vault: string) =>
  `arn:aws:glacier:${api.region}:${account.accountId}:vaults/${vault}`;

const idsOf = ({ UploadsList }: UploadList) =>
  UploadsList.map(({ MultipartUploadId }) => MultipartUploadId);

const rangesOf = ({ Parts }: PartList) => Parts.map(({ RangeInBytes }) => RangeInBytes);

const query = (marker: string, limit?: number) =>
  `?marker=${encodeURIComponent(marker)}${limit === undefined ? '' : `&limit=${limit}`}`;

/** A list, whichever it is, as tests of pages see it. */
interface Listing {
  ask(query: string): ReturnType<typeof api.call>;
  /** Adds so many rows; returns what they are known by, in no order. */
  add(count: number): Promise<string[]>;
  rowsOf(document: UploadList & PartList): string[];
}

async function uploadListing(): Promise<Listing & { vault: string }> {
  const vault = await createVault(api);
  return {
    vault,
    ask: (text) => api.call('GET', `/-/vaults/${vault}/multipart-uploads${text}`),
    add: async (count) => {
      const ids: string[] = [];
      for (let made = 0; made < count; made += 1)
        ids.push((await Multipart.initiate(api, vault)).id);
      return ids;
    },
    rowsOf: idsOf,
  };
}

async function partListing(): Promise<Listing & { upload: Multipart }> {
  const upload = await Multipart.initiate(api, await createVault(api));
  let next = 0;
  return {
    upload,
    ask: (text) => upload.list(text),
    add: async (count) => {
      const places = Array.from({ length: count }, (_, index) => (next + index) * M);
      next += count;
      // Backwards: the order of a list is not the order of arrival.
      for (const at of places.toReversed()) await upload.put(at, bytesOf(1));
      return places.map((at) => `${at}-${at}`);
    },
    rowsOf: rangesOf,
  };
}

const listings: Readonly<Record<string, () => Promise<Listing>>> = {
  uploads: uploadListing,
  parts: partListing,
};

async function pageOf({ ask }: Listing, text = ''): Promise<UploadList & PartList> {
  return jsonOf<UploadList & PartList>(await ask(text));
}

describe('the list of uploads', () => {
  test('of a vault without uploads is empty, without a marker', async () => {
    const { ask } = await uploadListing();
    assertDocument(await ask(''), { Marker: null, UploadsList: [] });
  });

  test('shows what each upload was initiated with, and nothing else', async () => {
    const vault = await createVault(api);
    const description = 'a   b "c" \\d';
    const described = await Multipart.initiate(api, vault, { partSizeBytes: 4 * M, description });
    const plain = await Multipart.initiate(api, vault);
    const { UploadsList } = await listUploads(api, vault);
    // No order is promised: the rows are compared in the order in which they come.
    const rows = UploadsList.map(({ MultipartUploadId, CreationDate }) => {
      assert.match(CreationDate, timestampPattern);
      return {
        ArchiveDescription: MultipartUploadId === described.id ? description : null,
        CreationDate,
        MultipartUploadId,
        PartSizeInBytes: MultipartUploadId === described.id ? 4 * M : M,
        VaultARN: arnOf(vault),
      };
    });
    const ids = rows.map(({ MultipartUploadId }) => MultipartUploadId);
    assert.deepEqual(ids.sort(), [described.id, plain.id].sort());
    const answer = await api.call('GET', `/-/vaults/${vault}/multipart-uploads`);
    assertDocument(answer, { Marker: null, UploadsList: rows });
  });

  test('is that of one vault', async () => {
    const [first, second] = [await uploadListing(), await uploadListing()];
    const [ids, others] = [await first.add(2), await second.add(1)];
    assert.deepEqual(idsOf(await pageOf(first)).sort(), ids.sort());
    assert.deepEqual(idsOf(await pageOf(second)), others);
  });

  test('goes on behind an upload that has ended, by whichever end', async () => {
    for (const end of ['abort', 'complete']) {
      const vault = await createVault(api);
      const uploads: Multipart[] = [];
      for (let count = 0; count < 4; count += 1) uploads.push(await Multipart.initiate(api, vault));
      const first = await listUploads(api, vault, '?limit=2');
      for (const id of idsOf(first)) {
        const upload = new Multipart(api, vault, id);
        const bytes = bytesOf(1);
        await upload.put(0, bytes);
        if (end === 'abort') await upload.abort();
        else await upload.complete(bytes);
      }
      const second = await listUploads(api, vault, query(first.Marker ?? ''));
      const found = [...idsOf(first), ...idsOf(second)];
      assert.deepEqual(found.sort(), uploads.map(({ id }) => id).sort());
      assert.equal(second.Marker, null);
    }
  });
});

describe('the list of parts', () => {
  test('of an upload without parts is empty, and tells of the upload', async () => {
    const vault = await createVault(api);
    const upload = await Multipart.initiate(api, vault);
    const CreationDate = (await listUploads(api, vault)).UploadsList[0]?.CreationDate;
    assertDocument(await upload.list(), {
      ArchiveDescription: null,
      CreationDate,
      Marker: null,
      MultipartUploadId: upload.id,
      PartSizeInBytes: M,
      Parts: [],
      VaultARN: arnOf(vault),
    });
  });

  test('shows the real length and the tree hash of each part, in their order', async () => {
    const vault = await createVault(api);
    const description = '<m><v>4</v></m>';
    const upload = await Multipart.initiate(api, vault, { partSizeBytes: 2 * M, description });
    const [a, b, c] = [bytesOf(2 * M), bytesOf(1.5 * M), bytesOf(7)];
    await upload.put(10 * M, c);
    await upload.put(0, a);
    await upload.put(2 * M, b);
    const { CreationDate } = await upload.page();
    assert.match(CreationDate, timestampPattern);
    assertDocument(await upload.list(), {
      ArchiveDescription: description,
      CreationDate,
      Marker: null,
      MultipartUploadId: upload.id,
      PartSizeInBytes: 2 * M,
      Parts: [
        { RangeInBytes: `0-${2 * M - 1}`, SHA256TreeHash: treeHashOf(a) },
        { RangeInBytes: `${2 * M}-${3.5 * M - 1}`, SHA256TreeHash: treeHashOf(b) },
        { RangeInBytes: `${10 * M}-${10 * M + 6}`, SHA256TreeHash: treeHashOf(c) },
      ],
      VaultARN: arnOf(vault),
    });
  });

  test('is ordered by number, not by letter, up to the last possible part', async () => {
    const upload = await Multipart.initiate(api, await createVault(api), {
      partSizeBytes: 4096 * M,
    });
    const indexes = [9999, 2, 1000, 10, 0, 100, 1, 9];
    for (const index of indexes) await upload.put(index * 4096 * M, bytesOf(1));
    const starts = [...indexes].sort((a, b) => a - b).map((index) => index * 4096 * M);
    assert.deepEqual(
      await upload.ranges(),
      starts.map((at) => `${at}-${at}`),
    );
  });

  test('tells of the upload on each page', async () => {
    const { upload, add } = await partListing();
    await add(3);
    const { Marker, Parts, ...first } = await upload.page('?limit=2');
    const second = await upload.page(query(Marker ?? '', 2));
    assert.deepEqual({ ...second, ...first }, second);
    assert.deepEqual([Parts.length, second.Parts.length, second.Marker], [2, 1, null]);
  });

  test('goes on behind a part that was replaced, and shows parts that came since', async () => {
    const upload = await Multipart.initiate(api, await createVault(api));
    for (const index of [0, 2, 4]) await upload.put(index * M, bytesOf(1));
    const first = await upload.page('?limit=2');
    await upload.put(2 * M, bytesOf(5));
    await upload.put(M, bytesOf(1));
    await upload.put(3 * M, bytesOf(2));
    const second = await upload.page(query(first.Marker ?? ''));
    assert.deepEqual(rangesOf(second), [`${3 * M}-${3 * M + 1}`, `${4 * M}-${4 * M}`]);
    assert.equal(second.Marker, null);
  });
});

for (const [name, makeListing] of Object.entries(listings)) {
  describe(`pages of ${name}`, () => {
    test('hold fifty rows, and the marker leads through all of them', async () => {
      const listing = await makeListing();
      const added = await listing.add(103);
      const pages: string[][] = [];
      let text = '';
      for (;;) {
        const page = await pageOf(listing, text);
        pages.push(listing.rowsOf(page));
        if (page.Marker === null) break;
        text = query(page.Marker);
      }
      assert.deepEqual(
        pages.map((rows) => rows.length),
        [50, 50, 3],
      );
      assert.deepEqual(pages.flat().sort(), added.sort());
      for (const limit of [51, 1000, 99_999_999_999]) {
        const page = await pageOf(listing, `?limit=${limit}`);
        assert.equal(listing.rowsOf(page).length, 50);
        assert.notEqual(page.Marker, null);
      }
      for (const limit of [1, 2, 49, 50]) {
        const page = await pageOf(listing, `?limit=${limit}`);
        assert.deepEqual(listing.rowsOf(page), pages.flat().slice(0, limit));
      }
    });

    test('have no marker when the last one is just full', async () => {
      const listing = await makeListing();
      await listing.add(4);
      const { Marker } = await pageOf(listing, '?limit=2');
      const last = await pageOf(listing, query(Marker ?? '', 2));
      assert.equal(listing.rowsOf(last).length, 2);
      assert.equal(last.Marker, null);
      assert.equal((await pageOf(listing, '?limit=4')).Marker, null);
    });

    test('begin at the start when the marker is empty', async () => {
      const listing = await makeListing();
      const added = await listing.add(2);
      assert.deepEqual(listing.rowsOf(await pageOf(listing, '?marker=')).sort(), added.sort());
    });

    for (const limit of ['0', '-1', 'ten', '1.5', '', '+3', '0x5', '1e1']) {
      test(`with a limit of "${limit}" answer 400`, async () => {
        const { ask } = await makeListing();
        const answer = await ask(`?limit=${encodeURIComponent(limit)}`);
        assertInvalid(answer, `Invalid limit: ${limit}`);
      });
    }

    test('can be asked for with a marker as it is: it has no characters that need care', async () => {
      const listing = await makeListing();
      await listing.add(3);
      const { Marker } = await pageOf(listing, '?limit=1');
      assert.match(Marker ?? '', /^[A-Za-z0-9_-]+$/);
      const page = await pageOf(listing, `?limit=2&marker=${Marker}`);
      assert.equal(listing.rowsOf(page).length, 2);
    });

    test('refuse a marker in which any one character was changed', async () => {
      const listing = await makeListing();
      await listing.add(2);
      const Marker = (await pageOf(listing, '?limit=1')).Marker ?? '';
      for (const [at, character] of [...Marker].entries()) {
        // The neighbour differs in the lowest bit alone, which some decoders overlook at the end.
        const neighbour = String.fromCharCode(character.charCodeAt(0) ^ 1);
        const other = /[A-Za-z0-9_-]/.test(neighbour) ? neighbour : 'x';
        const changed = `${Marker.slice(0, at)}${other}${Marker.slice(at + 1)}`;
        if (changed === Marker) continue;
        assertInvalid(await listing.ask(query(changed)), `Invalid marker: ${changed}`);
      }
    });

    test('refuse a marker that was cut, prolonged, or made up', async () => {
      const listing = await makeListing();
      await listing.add(2);
      const Marker = (await pageOf(listing, '?limit=1')).Marker ?? '';
      const wrong = [
        Marker.slice(0, -1),
        Marker.slice(1),
        `${Marker}A`,
        `${Marker}=`,
        `${Marker}${Marker}`,
        'made-up',
        '0',
        'null',
        'A'.repeat(92),
        ...(await listing.add(1)),
      ];
      for (const marker of wrong) {
        assertInvalid(await listing.ask(query(marker)), `Invalid marker: ${marker}`);
      }
    });

    test('refuse a marker of another list of the same kind', async () => {
      const [listing, another] = [await makeListing(), await makeListing()];
      await listing.add(2);
      await another.add(2);
      const { Marker } = await pageOf(listing, '?limit=1');
      assertInvalid(await another.ask(query(Marker ?? '')), `Invalid marker: ${Marker}`);
    });
  });
}

describe('a marker is good for its own list only', () => {
  test('not for the parts of another upload of the same vault', async () => {
    const { upload, add } = await partListing();
    await add(2);
    const another = await Multipart.initiate(api, upload.vault);
    for (const index of [0, 1]) await another.put(index * M, bytesOf(1));
    const { Marker } = await upload.page('?limit=1');
    assertInvalid(await another.list(query(Marker ?? '')), `Invalid marker: ${Marker}`);
  });

  test('not for uploads when it is of parts or jobs, and not the other way round', async () => {
    const { upload, add } = await partListing();
    await add(2);
    await Multipart.initiate(api, upload.vault);
    for (let count = 0; count < 2; count += 1) {
      await initiateJob(api, upload.vault, { Type: 'inventory-retrieval' });
    }
    const targets = [
      upload.target,
      `/-/vaults/${upload.vault}/multipart-uploads`,
      `/-/vaults/${upload.vault}/jobs`,
    ];
    const markers: (string | null)[] = [];
    for (const target of targets) {
      const answer = await api.call('GET', `${target}?limit=1`);
      markers.push(jsonOf<{ Marker: string | null }>(answer).Marker);
    }
    for (const [index, target] of targets.entries()) {
      for (const [from, marker] of markers.entries()) {
        assert.notEqual(marker, null);
        const answer = await api.call('GET', `${target}${query(marker ?? '')}`);
        if (from === index) assert.equal(answer.status, 200, answer.text);
        else assertInvalid(answer, `Invalid marker: ${marker}`);
      }
    }
  });

  test('not for the vault of the same name in another region', async () => {
    const { vault, add } = await uploadListing();
    await add(2);
    const { Marker } = await listUploads(api, vault, '?limit=1');
    const elsewhere = api.as({ region: freshName('elsewhere') });
    await createVault(elsewhere, vault);
    const target = `/-/vaults/${vault}/multipart-uploads`;
    const answer = await elsewhere.call('GET', `${target}${query(Marker ?? '')}`);
    assertInvalid(answer, `Invalid marker: ${Marker}`);
  });
});

test('a wrong limit is told before an unknown upload or vault', async () => {
  const nobody = new Multipart(api, await createVault(api), 'A'.repeat(92));
  assertInvalid(await nobody.list('?limit=0'), 'Invalid limit: 0');
  assertUnknownUpload(await nobody.list('?limit=5'), nobody);
  const vault = freshName();
  const target = `/-/vaults/${vault}/multipart-uploads`;
  assertInvalid(await api.call('GET', `${target}?limit=0`), 'Invalid limit: 0');
  const answer = await api.call('GET', `${target}?limit=5`);
  const message = `Vault not found for ARN: ${arnOf(vault)}`;
  assertError(answer, 404, 'ResourceNotFoundException', message);
});

describe('whoever follows the markers', () => {
  const limits = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 12 });

  /** Follows the markers, with `between` happening after each page; returns the rows in order. */
  async function walk(
    listing: Listing,
    sizes: readonly number[],
    between: (page: number) => Promise<void>,
  ): Promise<string[]> {
    const found: string[] = [];
    let marker = '';
    for (let page = 0; ; page += 1) {
      const limit = sizes[page % sizes.length] ?? 1;
      const document = await pageOf(listing, query(marker, limit));
      const rows = listing.rowsOf(document);
      assert.ok(rows.length <= limit);
      found.push(...rows);
      if (document.Marker === null) return found;
      assert.notEqual(document.Marker, marker);
      marker = document.Marker;
      await between(page);
    }
  }

  test('of uploads sees each one that stays just once, whatever comes and goes', async () => {
    const changes = fc.array(
      fc.record({
        added: fc.nat({ max: 2 }),
        aborted: fc.array(fc.nat({ max: 99 }), { maxLength: 2 }),
      }),
      { maxLength: 6 },
    );
    const count = fc.nat({ max: 16 });
    await fc.assert(
      fc.asyncProperty(count, limits, changes, async (initial, sizes, steps) => {
        const listing = await uploadListing();
        const there = await listing.add(initial);
        const stayed = new Set(there);
        const ever = new Set(there);
        const found = await walk(listing, sizes, async (page) => {
          const step = steps[page];
          for (const draw of step?.aborted ?? []) {
            const id = there[draw % there.length] ?? '';
            stayed.delete(id);
            await new Multipart(api, listing.vault, id).abort();
          }
          for (const id of await listing.add(step?.added ?? 0)) ever.add(id);
        });
        assert.equal(new Set(found).size, found.length, 'nothing comes twice');
        assert.deepEqual(
          [...stayed].filter((id) => !found.includes(id)),
          [],
          'nothing is left out',
        );
        assert.deepEqual(
          found.filter((id) => !ever.has(id)),
          [],
          'nothing is made up',
        );
      }),
      { numRuns: 25 },
    );
  });

  test('of parts sees each one just once and in order, whatever arrives', async () => {
    const places = fc.uniqueArray(fc.nat({ max: 40 }), { maxLength: 16 });
    const arrivals = fc.array(fc.array(fc.nat({ max: 9999 }), { maxLength: 2 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(places, limits, arrivals, async (initial, sizes, later) => {
        const { upload, ...listing } = await partListing();
        for (const index of initial) await upload.put(index * M, bytesOf(1));
        const ever = new Set(initial);
        const found = await walk(listing, sizes, async (page) => {
          for (const index of later[page] ?? []) {
            await upload.put(index * M, bytesOf(1));
            ever.add(index);
          }
        });
        const indexes = found.map((range) => Number(range.split('-')[0]) / M);
        assert.deepEqual(
          indexes,
          [...new Set(indexes)].sort((a, b) => a - b),
        );
        assert.deepEqual(
          initial.filter((index) => !indexes.includes(index)),
          [],
        );
        assert.deepEqual(
          indexes.filter((index) => !ever.has(index)),
          [],
        );
      }),
      { numRuns: 25 },
    );
  });
});
