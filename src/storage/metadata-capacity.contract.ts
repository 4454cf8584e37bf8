import assert from 'node:assert/strict';
import { accountId, type MetadataCase, region, sampleUnit } from './metadata-specimen.ts';
import type { MetadataStore } from './metadata-store.ts';
import type { AccountRegion, CapacityUnitRow } from './rows.ts';

const here = { accountId, region };

/** Provisioned capacity. */
export const capacityCases: readonly MetadataCase[] = [
  {
    title: 'capacity units are listed until they expire, latest start first',
    run: async ({ store }) => {
      assert.deepEqual(await list(store, 0), []);
      const first = sampleUnit('b', { startsAtMs: 100, expiresAtMs: 400 });
      const second = sampleUnit('a', { startsAtMs: 200, expiresAtMs: 300 });
      const third = sampleUnit('c', { startsAtMs: 300, expiresAtMs: 350 });
      await insert(store, second, third, first);
      assert.deepEqual(await list(store, 0), [third, second, first]);
      assert.deepEqual(await list(store, 299), [third, second, first]);
      assert.deepEqual(await list(store, 300), [third, first]);
      assert.deepEqual(await list(store, 350), [first]);
      assert.deepEqual(await list(store, 400), []);
    },
  },
  {
    title: 'capacity units that start at once are all listed, always in one order',
    run: async ({ store }) => {
      const units = ['b', 'c', 'a'].map((id) => sampleUnit(id));
      await insert(store, ...units);
      const listed = await list(store, 0);
      assert.deepEqual(new Set(listed), new Set(units));
      await store.write(({ capacity }) => capacity.forgetExpired(0));
      assert.deepEqual(await list(store, 0), listed);
    },
  },
  {
    title: 'capacity units are those of one account and one region',
    run: async ({ store }) => {
      const mine = sampleUnit('mine');
      const elsewhere = sampleUnit('elsewhere', { region: 'eu-west-1' });
      const theirs = sampleUnit('theirs', { accountId: '2'.repeat(12) });
      await insert(store, mine, elsewhere, theirs);
      assert.deepEqual(await list(store, 0), [mine]);
      assert.deepEqual(await list(store, 0, elsewhere), [elsewhere]);
      assert.deepEqual(await list(store, 0, theirs), [theirs]);
      assert.deepEqual(await list(store, 0, { accountId: 'none', region }), []);
    },
  },
  {
    title: 'a capacity unit whose id is there already is refused',
    run: async ({ store }) => {
      await insert(store, sampleUnit('unit'));
      const again = insert(store, sampleUnit('unit', { region: 'eu-west-1' }));
      await assert.rejects(again, { code: 'Conflict' });
      assert.deepEqual(await list(store, 0), [sampleUnit('unit')]);
    },
  },
  {
    title: 'capacity units are forgotten once they expired, in every account and region',
    run: async ({ store }) => {
      const lasting = sampleUnit('lasting', { expiresAtMs: 301 });
      const elsewhere = { region: 'eu-west-1', expiresAtMs: 200 };
      await insert(
        store,
        lasting,
        sampleUnit('over', { expiresAtMs: 300 }),
        sampleUnit('elsewhere', elsewhere),
      );
      await store.write(({ capacity }) => capacity.forgetExpired(300));
      assert.deepEqual(await list(store, 0), [lasting]);
      assert.deepEqual(await list(store, 0, { ...here, region: 'eu-west-1' }), []);
      await insert(store, sampleUnit('over', { expiresAtMs: 500 }));
    },
  },
];

async function insert(store: MetadataStore, ...units: readonly CapacityUnitRow[]): Promise<void> {
  await store.write(async ({ capacity }) => {
    for (const unit of units) await capacity.insert(unit);
  });
}

function list(
  store: MetadataStore,
  nowMs: number,
  { accountId, region }: AccountRegion = here,
): Promise<CapacityUnitRow[]> {
  return store.read(({ capacity }) => capacity.list({ accountId, region }, nowMs));
}
