import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  addArchive,
  blobId,
  listedBlobs,
  type MetadataCase,
  removeArchive,
  sampleArchive,
  sampleBlobs,
  sampleVault,
  withVault,
} from './metadata-specimen.ts';
import type { MetadataStore } from './metadata-store.ts';
import { addUploadedArchive } from './metadata-upload-specimen.ts';
import type { InventoryPage, InventoryPosition, InventoryQuery } from './rows.ts';

/** One step of a vault's history. */
type Step =
  | {
      readonly kind: 'add';
      readonly createdAtMs: number;
      readonly name: number;
      readonly isInParts: boolean;
    }
  | { readonly kind: 'remove'; readonly which: number };

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('add'),
    createdAtMs: fc.integer({ min: 1, max: 6 }),
    name: fc.nat(99),
    isInParts: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('remove'), which: fc.nat(99) }),
);

export const archiveCases: readonly MetadataCase[] = [
  {
    title: 'an archive is read as it was inserted, with its blobs in their order',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      const empty = sampleArchive('empty', { sizeBytes: 0, description: '' });
      await store.write(async ({ archives }) => {
        await archives.insert(sampleArchive('archive'), sampleBlobs('archive'));
        await archives.insert(empty, [{ blobId: blobId('nothing'), sizeBytes: 0 }]);
      });
      await store.read(async ({ archives }) => {
        assert.deepEqual(await archives.get('archive'), sampleArchive('archive'));
        assert.deepEqual(await archives.blobs('archive'), listedBlobs('archive'));
        assert.deepEqual(await archives.get('empty'), empty);
        assert.equal(await archives.get('absent'), undefined);
        assert.deepEqual(await archives.blobs('absent'), []);
      });
    },
  },
  {
    title: 'blobs that do not add up to their archive are a defect',
    run: async ({ store }) => {
      const write = store.write(({ archives }) =>
        archives.insert(sampleArchive('archive', { sizeBytes: 31 }), sampleBlobs('archive')),
      );
      await assert.rejects(write, { name: 'AssertionFailed' });
    },
  },
  {
    title: 'a removed archive is there until it is forgotten, and one in its vault never goes',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await addArchive(store, 'archive');
      await store.write(({ archives }) => archives.forget('archive'));
      assert.ok(await store.read(({ archives }) => archives.get('archive')));
      const removedChange = await removeArchive(store, 'archive');
      await store.read(async ({ archives }) => {
        assert.equal((await archives.get('archive'))?.removedChange, removedChange);
        assert.deepEqual(await archives.blobs('archive'), listedBlobs('archive'));
      });
      const again = store.write(({ archives }) => archives.markRemoved('archive', 3));
      await assert.rejects(again, { name: 'AssertionFailed' });
      await store.write(async ({ archives }) => {
        await archives.forget('archive');
        await archives.forget('absent');
      });
      await store.read(async ({ archives }) => {
        assert.equal(await archives.get('archive'), undefined);
        assert.deepEqual(await archives.blobs('archive'), []);
      });
    },
  },
  {
    title: 'an inventory as of a change shows what the vault held then, whatever came after',
    run: async (specimen) => {
      const { store } = specimen;
      let round = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(steps, { maxLength: 25 }), async (history) => {
          round += 1;
          const vaultId = `vault ${round}`;
          await store.write(({ vaults }) => vaults.insert(sampleVault(vaultId)));
          const held = await live(store, vaultId, history);
          for (const [asOfChange, expected] of held.entries()) {
            const query = { ...everything, vaultId, asOfChange };
            assert.deepEqual(await paged(store, { ...query, limit: 1_000 }), expected);
          }
        }),
        { numRuns: 25 },
      );
    },
  },
  {
    title: 'pages of an inventory make up the whole, in order, while archives come and go',
    run: async (specimen) => {
      const { store } = specimen;
      const slices = fc.record({
        createdFromMs: fc.option(fc.integer({ min: 0, max: 7 })),
        createdBeforeMs: fc.option(fc.integer({ min: 0, max: 7 })),
        limit: fc.integer({ min: 1, max: 5 }),
      });
      let round = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(steps, { maxLength: 25 }),
          fc.array(steps, { maxLength: 10 }),
          slices,
          async (before, meanwhile, slice) => {
            round += 1;
            const vaultId = `vault ${round}`;
            await store.write(({ vaults }) => vaults.insert(sampleVault(vaultId)));
            const held = await live(store, vaultId, before);
            const query = { ...everything, ...slice, vaultId, asOfChange: held.length - 1 };
            const whole = await paged(store, { ...query, limit: 1_000 });
            assert.deepEqual(
              whole,
              (held.at(-1) ?? []).filter((place) => isWithin(place, slice)),
            );
            const rest = meanwhile.values();
            const pages = await paged(store, query, async () => {
              const { value } = rest.next();
              if (value !== undefined) await take(store, vaultId, value, 'late');
            });
            assert.deepEqual(pages, whole);
          },
        ),
        { numRuns: 30 },
      );
    },
  },
  {
    title: 'an inventory goes on after a place where no archive is',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      for (const archiveId of ['a', 'c']) await addArchive(store, archiveId, { createdAtMs: 5 });
      const after = { createdAtMs: 5, archiveId: 'b' };
      const query = { ...everything, vaultId: 'vault', asOfChange: 2, after, limit: 10 };
      const found = await store.read(({ archives }) => archives.listForInventory(query));
      assert.deepEqual(found.archives.map(placeOf), ['5 c']);
      assert.equal(found.next, null);
    },
  },
  {
    title: 'one look at an inventory is no longer for the archives that it does not show',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      for (const archiveId of ['b', 'd', 'f']) await addArchive(store, archiveId);
      await removeArchive(store, 'd');
      for (const archiveId of ['a', 'c', 'e', 'g']) await addArchive(store, archiveId);
      const shown: string[][] = [];
      for (let after: InventoryPosition | null = null; ; ) {
        const query: InventoryQuery = {
          ...everything,
          vaultId: 'vault',
          asOfChange: 4,
          after,
          limit: 2,
        };
        const look: InventoryPage = await store.read(({ archives }) =>
          archives.listForInventory(query),
        );
        shown.push(look.archives.map(({ archiveId }) => archiveId));
        after = look.next;
        if (after === null) break;
      }
      // Two by two: a b, c d, e f, g.
      assert.deepEqual(shown, [['b'], [], ['f'], []]);
    },
  },
];

const everything = { createdFromMs: null, createdBeforeMs: null, after: null } as const;

/** Lives through a history. Answers what the vault held at each change, in inventory order. */
async function live(
  store: MetadataStore,
  vaultId: string,
  history: readonly Step[],
): Promise<string[][]> {
  const held: string[][] = [[]];
  for (const [index, step] of history.entries()) {
    const now = held.at(-1) ?? [];
    const change = await take(store, vaultId, step, `${index}`, now);
    if (change !== undefined) held.push(change);
  }
  return held;
}

/** Takes one step in a vault that holds `now`. Answers what it holds after, unless nothing changed. */
async function take(
  store: MetadataStore,
  vaultId: string,
  step: Step,
  suffix: string,
  now?: readonly string[],
): Promise<string[] | undefined> {
  const holds = now ?? (await holding(store, vaultId));
  if (step.kind === 'add') {
    const { createdAtMs } = step;
    const archiveId = `${step.name}|${suffix}|${vaultId}|${holds.length}`;
    if ((await store.read(({ archives }) => archives.get(archiveId))) !== undefined) return;
    const add = step.isInParts ? addUploadedArchive : addArchive;
    await add(store, archiveId, { vaultId, createdAtMs });
    return [...holds, `${createdAtMs} ${archiveId}`].sort();
  }
  const place = holds[step.which % Math.max(1, holds.length)];
  if (place === undefined) return;
  await removeArchive(store, place.slice(2));
  return holds.filter((each) => each !== place);
}

async function holding(store: MetadataStore, vaultId: string): Promise<string[]> {
  const asOfChange = Number.MAX_SAFE_INTEGER;
  return await paged(store, { ...everything, vaultId, asOfChange, limit: 1_000 });
}

/** Every archive that an inventory shows, page by page. */
async function paged(
  store: MetadataStore,
  query: Omit<InventoryQuery, 'after'>,
  meanwhile?: () => Promise<void>,
): Promise<string[]> {
  const listed: string[] = [];
  for (let after: InventoryPosition | null = null; ; ) {
    const at: InventoryQuery = { ...query, after };
    const look: InventoryPage = await store.read(({ archives }) => archives.listForInventory(at));
    listed.push(...look.archives.map(placeOf));
    if (look.next === null) return listed;
    after = look.next;
    await meanwhile?.();
  }
}

/** Creation times have one digit here, so that places sort as text does. */
function placeOf({ createdAtMs, archiveId }: InventoryPosition): string {
  return `${createdAtMs} ${archiveId}`;
}

function isWithin(
  place: string,
  slice: { readonly createdFromMs: number | null; readonly createdBeforeMs: number | null },
): boolean {
  const createdAtMs = Number(place[0]);
  return createdAtMs >= (slice.createdFromMs ?? 0) && createdAtMs < (slice.createdBeforeMs ?? 10);
}
