import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Domain, openDomain, photos } from '../../tests/support/domain.ts';
import { vaultArn } from '../protocol/names.ts';
import type { BlobId } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { ArchiveRow, InventoryPosition } from '../storage/rows.ts';
import { InventoryOutput, type InventorySlice } from './inventories.ts';

fc.configureGlobal({ seed: 20_260_131 });

const startMs = Date.UTC(2015, 3, 6, 22, 24, 34, 900);
const inventoryDateMs = Date.UTC(2015, 3, 7, 0, 26, 18, 999);

interface Stored {
  readonly description: string;
  readonly createdAtMs: number;
  readonly sizeBytes: number;
}

const descriptions = fc.string({
  unit: fc.oneof(fc.constantFrom('"', '\\', ',', ' '), fc.string({ minLength: 1, maxLength: 1 })),
  maxLength: 8,
});
const manyStored: fc.Arbitrary<Stored[]> = fc.array(
  fc.record({
    description: descriptions,
    createdAtMs: fc.integer({ min: startMs, max: startMs + 3000 }),
    sizeBytes: fc.integer({ min: 1, max: 2 ** 42 }),
  }),
  { maxLength: 12 },
);

/** Puts rows of archives without bytes into the vault, and answers them in inventory order. */
async function fill({ store }: Domain, stored: readonly Stored[]): Promise<ArchiveRow[]> {
  return store.write(async ({ vaults, archives }) => {
    const vaultId = (await vaults.get(photos))?.vaultId ?? '';
    const rows: ArchiveRow[] = [];
    for (const [index, { description, createdAtMs, sizeBytes }] of stored.entries()) {
      const change = { archives: 1, sizeBytes, atMs: createdAtMs } as const;
      const row = {
        archiveId: `archive-${(index * 7919) % 10_007}`,
        vaultId,
        description,
        createdAtMs,
        sizeBytes,
        treeHash: String(index).padStart(64, '0'),
        addedChange: await vaults.recordChange(vaultId, change),
        removedChange: null,
      };
      await archives.insert(row, [{ blobId: `blob-${index}` as BlobId, sizeBytes }]);
      rows.push(row);
    }
    return rows.sort(
      (a, b) => a.createdAtMs - b.createdAtMs || (a.archiveId < b.archiveId ? -1 : 1),
    );
  });
}

async function render(
  { store }: { readonly store: Pick<MetadataStore, 'read'> },
  format: 'JSON' | 'CSV',
  bounds: Partial<InventorySlice['query']> = {},
): Promise<{ text: string; endedAt: InventoryPosition | null }> {
  const vault = await store.read(({ vaults }) => vaults.get(photos));
  const output = new InventoryOutput(store, {
    vaultArn: vaultArn(photos),
    inventoryDateMs,
    format,
    query: {
      vaultId: vault?.vaultId ?? '',
      asOfChange: vault?.changes ?? 0,
      createdFromMs: null,
      createdBeforeMs: null,
      after: null,
      limit: null,
      ...bounds,
    },
  });
  const chunks = await Array.fromAsync(output.bytes());
  return { text: Buffer.concat(chunks).toString(), endedAt: output.endedAt };
}

/** The document, as plainly as it can be said. */
function modelJson(rows: readonly ArchiveRow[]): string {
  return JSON.stringify({
    VaultARN: 'arn:aws:glacier:us-east-1:012345678901:vaults/photos',
    InventoryDate: '2015-04-07T00:26:18Z',
    ArchiveList: rows.map((row) => ({
      ArchiveId: row.archiveId,
      ArchiveDescription: row.description,
      CreationDate: wholeSeconds(row.createdAtMs),
      Size: row.sizeBytes,
      SHA256TreeHash: row.treeHash,
    })),
  });
}

const wholeSeconds = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

const header = 'ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash';

function modelCsv(rows: readonly ArchiveRow[]): string {
  const lines = rows.map((row) =>
    [
      row.archiveId,
      `"${row.description.split('"').join('\\"')}"`,
      wholeSeconds(row.createdAtMs),
      row.sizeBytes,
      row.treeHash,
    ].join(','),
  );
  return [header, ...lines, ''].join('\r\n');
}

const asOf = (change: number, rows: readonly ArchiveRow[]) =>
  rows.filter(({ addedChange }) => addedChange <= change);

const archiveIds = (rows: readonly ArchiveRow[]) => rows.map(({ archiveId }) => archiveId);
const idsIn = (json: string): string[] =>
  JSON.parse(json).ArchiveList.map((entry: { ArchiveId: string }) => entry.ArchiveId);

test('an inventory is the vault’s archives, oldest first, byte for byte in both formats', async () => {
  await fc.assert(
    fc.asyncProperty(manyStored, async (stored) => {
      await using domain = await openDomain();
      const rows = await fill(domain, stored);
      assert.deepEqual(await render(domain, 'JSON'), { text: modelJson(rows), endedAt: null });
      assert.deepEqual(await render(domain, 'CSV'), { text: modelCsv(rows), endedAt: null });
    }),
    { numRuns: 25 },
  );
});

test('the inventory of an empty vault is an empty list, or a header alone', async () => {
  await using domain = await openDomain();
  assert.equal((await render(domain, 'JSON')).text, modelJson([]));
  assert.equal((await render(domain, 'CSV')).text, `${header}\r\n`);
});

// biome-ignore format: a table reads best as a table
for (const [description, field] of [
  ['my archive description,1',    '"my archive description,1"'],
  ['my archive description,1"2',  '"my archive description,1\\"2"'],
  ['my archive description,1\\"2', '"my archive description,1\\\\"2"'],
  ['{"Path":"a"}',                '"{\\"Path\\":\\"a\\"}"'],
  ['\\',                          '"\\"'],
  ['',                            '""'],
] as const) {
  test(`the description ${description || '(none)'} is written ${field} in CSV`, async () => {
    await using domain = await openDomain();
    await fill(domain, [{ description, createdAtMs: startMs, sizeBytes: 3_000_000 }]);
    const [, line] = (await render(domain, 'CSV')).text.split('\r\n');
    const hash = '0'.repeat(64);
    assert.equal(line, `archive-0,${field},2015-04-06T22:24:34Z,3000000,${hash}`);
  });
}

test('slices of any length, one after the other, are the whole inventory, as of whatever change', async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(manyStored, lengths, fc.nat(12), async (stored, limits, asOfChange) => {
      await using domain = await openDomain();
      const rows = asOf(asOfChange, await fill(domain, stored));
      const seen: string[] = [];
      let after: InventoryPosition | null = null;
      for (let turn = 0; turn <= rows.length; turn += 1) {
        const limit = limits[turn % limits.length] ?? 1;
        const slice = await render(domain, 'JSON', { limit, after, asOfChange });
        const ids = idsIn(slice.text);
        seen.push(...ids);
        after = slice.endedAt;
        if (after === null) break;
        assert.equal(ids.length, limit);
        assert.equal(after.archiveId, ids.at(-1));
      }
      assert.equal(after, null);
      assert.deepEqual(seen, archiveIds(rows));
    }),
    { numRuns: 25 },
  );
});

test('dates bound a slice: from the first on, and before the second', async () => {
  const bound = fc.option(fc.integer({ min: startMs, max: startMs + 3000 }), { nil: null });
  await fc.assert(
    fc.asyncProperty(manyStored, bound, bound, async (stored, createdFromMs, createdBeforeMs) => {
      await using domain = await openDomain();
      const rows = await fill(domain, stored);
      const slice = await render(domain, 'JSON', { createdFromMs, createdBeforeMs });
      const expected = rows.filter(
        ({ createdAtMs: at }) =>
          at >= (createdFromMs ?? -Infinity) && at < (createdBeforeMs ?? Infinity),
      );
      assert.deepEqual(idsIn(slice.text), archiveIds(expected));
    }),
    { numRuns: 25 },
  );
});

test('an inventory longer than one look at the store is whole, and its slices end where they should', async () => {
  await using domain = await openDomain();
  const stored = Array.from({ length: 2001 }, (_, index) => ({
    description: `${index}`,
    createdAtMs: startMs + Math.floor(index / 3),
    sizeBytes: 1,
  }));
  const rows = await fill(domain, stored);
  assert.equal((await render(domain, 'JSON')).text, modelJson(rows));
  assert.equal((await render(domain, 'CSV')).text, modelCsv(rows));
  for (const limit of [255, 256, 257, 511, 512, 513, 2000, 2001, 2002, Number.MAX_SAFE_INTEGER]) {
    const slice = await render(domain, 'JSON', { limit });
    assert.deepEqual(idsIn(slice.text), archiveIds(rows.slice(0, limit)), `${limit}`);
    const expectedEnd = limit < rows.length ? rows[limit - 1]?.archiveId : undefined;
    assert.equal(slice.endedAt?.archiveId, expectedEnd, `${limit}`);
  }
});

// biome-ignore format: a table reads best as a table
for (const [where, placeOf] of [
  ['behind',  (index: number) => index],
  ['before',  (index: number) => -index],
  ['between', (index: number) => (index * 7) % 2000],
] as const) {
  test(`many archives that came ${where} those of an older inventory are passed over, a few at a time`, async () => {
    await using domain = await openDomain();
    const stored = Array.from({ length: 2000 }, (_, index) => ({
      description: `${index}`,
      createdAtMs: startMs + placeOf(index),
      sizeBytes: 1,
    }));
    const asOfChange = 300;
    const rows = asOf(asOfChange, await fill(domain, stored));
    const looks: number[] = [];
    const store = noting(domain.store, looks);
    const whole = await render({ store }, 'JSON', { asOfChange });
    assert.deepEqual(whole, { text: modelJson(rows), endedAt: null });
    assert.ok(looks.length > 7 && Math.max(...looks) <= 256, `${looks}`);
    assert.equal((await render(domain, 'CSV', { asOfChange })).text, modelCsv(rows));
    for (const limit of [1, 255, 256, 257, 299, 300, 301]) {
      const slice = await render(domain, 'JSON', { asOfChange, limit });
      assert.deepEqual(idsIn(slice.text), archiveIds(rows.slice(0, limit)), `${limit}`);
      const expectedEnd = limit < rows.length ? rows[limit - 1]?.archiveId : undefined;
      assert.equal(slice.endedAt?.archiveId, expectedEnd, `${limit}`);
    }
  });
}

/** A store that notes how much each look at an inventory may look at. */
function noting(store: MetadataStore, looks: number[]): Pick<MetadataStore, 'read'> {
  const read: MetadataStore['read'] = (work) =>
    store.read((rows) => {
      const listForInventory: typeof rows.archives.listForInventory = (query) => {
        looks.push(query.limit);
        return rows.archives.listForInventory(query);
      };
      return work({ ...rows, archives: { ...rows.archives, listForInventory } });
    });
  return { read };
}
