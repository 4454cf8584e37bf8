import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  accountId,
  type MetadataCase,
  region,
  sampleCharge,
  sampleRetrieval,
  sampleVault,
  succeeded,
  withVault,
} from './metadata-specimen.ts';
import type { MetadataStore } from './metadata-store.ts';
import type { AccountRegion, RetrievalChargeRow } from './rows.ts';

const here = { accountId, region };
const elsewhere = { accountId, region: 'eu-west-1' };
const theirs = { accountId: '2'.repeat(12), region };

/** More than all times of the charges. */
const longAfterMs = 1_000_000;

/** What limits retrievals, and what counts against it. */
export const retrievalCases: readonly MetadataCase[] = [
  {
    title: 'a retrieval policy is that of one account and region, and the one that was set last',
    run: async ({ store }) => {
      const get = (of: AccountRegion) => store.read(({ retrievals }) => retrievals.policy(of));
      const free = { strategy: 'FreeTier', bytesPerHour: null } as const;
      const limited = { strategy: 'BytesPerHour', bytesPerHour: '9223372036854775807' } as const;
      const none = { strategy: 'None', bytesPerHour: null } as const;
      assert.equal(await get(here), undefined);
      await store.write(async ({ retrievals }) => {
        await retrievals.setPolicy(here, free);
        await retrievals.setPolicy(elsewhere, none);
        await retrievals.setPolicy(here, limited);
      });
      assert.deepEqual(await get(here), limited);
      assert.deepEqual(await get(elsewhere), none);
      assert.equal(await get(theirs), undefined);
      await store.write(({ retrievals }) => retrievals.setPolicy(here, none));
      assert.deepEqual(await get(here), none);
    },
  },
  {
    title: 'a Standard retrieval counts a quarter of its size, rounded up, until its time is over',
    run: async ({ store }) => {
      const sizes = [0, 1, 3, 4, 5, 8];
      const charges = sizes.map((sizeBytes, index) =>
        sampleCharge(`job ${index}`, { sizeBytes, createdAtMs: 0, countsUntilMs: 100 + index }),
      );
      await insert(store, ...charges);
      assert.equal(await rate(store, here, 0), 0n + 1n + 1n + 1n + 2n + 2n);
      assert.equal(await rate(store, here, 101), 1n + 1n + 2n + 2n);
      assert.equal(await rate(store, here, 104), 2n);
      assert.equal(await rate(store, here, 105), 0n);
    },
  },
  {
    title: 'a Standard retrieval counts once, and as long as its job is in progress',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      const job = dueRetrieval('job');
      await store.write(async ({ jobs }) => {
        await jobs.insert(job);
        await jobs.insert(dueRetrieval('removed'));
        await jobs.insert(dueRetrieval('without a charge'));
      });
      await insert(
        store,
        sampleCharge('job', { sizeBytes: 40, ...times }),
        sampleCharge('removed', { sizeBytes: 400, ...times }),
        sampleCharge('gone', { sizeBytes: 4_000, ...times }),
      );
      assert.equal(await rate(store, here, 99), 1_110n);
      assert.equal(await rate(store, here, longAfterMs), 110n);
      await store.write(({ jobs }) => jobs.remove('removed'));
      assert.equal(await rate(store, here, longAfterMs), 10n);
      await store.write(({ jobs }) => jobs.update(succeeded(job)));
      assert.equal(await rate(store, here, longAfterMs), 0n);
      assert.equal(await rate(store, here, 99), 1_110n);
    },
  },
  {
    title: 'a Standard retrieval counts by its time alone until its job is due',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await store.write(({ jobs }) => jobs.insert(sampleRetrieval('job', { dueAtMs: 200 })));
      await insert(store, sampleCharge('job', { sizeBytes: 40, ...times }));
      assert.equal(await rate(store, here, 99), 10n);
      assert.equal(await rate(store, here, 199), 0n);
      assert.equal(await rate(store, here, 200), 10n);
    },
  },
  {
    title: 'what was retrieved from a vault counts after the vault is gone',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await store.write(({ jobs }) => jobs.insert(dueRetrieval('standard')));
      await insert(
        store,
        sampleCharge('standard', { sizeBytes: 40, createdAtMs: 50, countsUntilMs: 100 }),
        sampleCharge('expedited', { tier: 'Expedited', createdAtMs: 50 }),
      );
      await store.write(({ vaults }) => vaults.remove('vault'));
      assert.equal(await rate(store, here, 99), 10n);
      assert.equal(await rate(store, here, 100), 0n);
      assert.equal(await sizeBytes(store, here, 50), 40n);
      assert.equal(
        await expedited(store, here, { sinceMs: 49, nowMs: longAfterMs, isProvisioned: false }),
        1,
      );
    },
  },
  {
    title: 'the bytes of Standard retrievals are those that were begun at a time or after it',
    run: async ({ store }) => {
      await insert(
        store,
        sampleCharge('1', { sizeBytes: 1, createdAtMs: 99, countsUntilMs: longAfterMs }),
        sampleCharge('2', { sizeBytes: 20, createdAtMs: 100, countsUntilMs: 101 }),
        sampleCharge('3', { sizeBytes: 300, createdAtMs: 200, countsUntilMs: 201 }),
        sampleCharge('4', { sizeBytes: 0, createdAtMs: 300, countsUntilMs: 301 }),
      );
      assert.equal(await sizeBytes(store, here, 0), 321n);
      assert.equal(await sizeBytes(store, here, 100), 320n);
      assert.equal(await sizeBytes(store, here, 99, 100), 21n);
      assert.equal(await sizeBytes(store, here, 101), 300n);
      assert.equal(await sizeBytes(store, here, 201), 0n);
    },
  },
  {
    title: 'Expedited retrievals of a kind are those that were begun after a time',
    run: async ({ store }) => {
      const provisioned = { tier: 'Expedited', isProvisioned: true } as const;
      const others = { tier: 'Expedited', isProvisioned: false } as const;
      await insert(
        store,
        sampleCharge('1', { ...provisioned, createdAtMs: 100 }),
        sampleCharge('2', { ...provisioned, createdAtMs: 101 }),
        sampleCharge('3', { ...provisioned, createdAtMs: 102 }),
        sampleCharge('4', { ...others, createdAtMs: 102 }),
      );
      const count = (sinceMs: number, isProvisioned: boolean, nowMs = longAfterMs) =>
        expedited(store, here, { sinceMs, nowMs, isProvisioned });
      assert.equal(await count(99, true), 3);
      assert.equal(await count(100, true), 2);
      assert.equal(await count(99, true, 101), 2);
      assert.equal(await count(102, true), 0);
      assert.equal(await count(101, false), 1);
      assert.equal(await count(102, false), 0);
    },
  },
  {
    title: 'a charge whose job is charged already is refused',
    run: async ({ store }) => {
      await insert(store, sampleCharge('job', { sizeBytes: 40 }));
      const again = insert(store, sampleCharge('job', { ...elsewhere, sizeBytes: 80 }));
      await assert.rejects(again, { code: 'Conflict' });
      assert.equal(await sizeBytes(store, here, 0), 40n);
      assert.equal(await sizeBytes(store, elsewhere, 0), 0n);
    },
  },
  {
    title: 'sums of retrievals are exact, also where they exceed 2^63',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      const greatest = Number.MAX_SAFE_INTEGER;
      const charges = Array.from({ length: 4_200 }, (_, index) => {
        const time = index % 2 === 0 ? longAfterMs : 100;
        return sampleCharge(`job ${index}`, {
          sizeBytes: greatest - (index % 1_000),
          createdAtMs: 50,
          countsUntilMs: time,
        });
      });
      await insert(store, ...charges);
      await store.write(async ({ jobs }) => {
        for (const { jobId } of charges) await jobs.insert(dueRetrieval(jobId));
      });
      const total = charges.reduce((sum, charge) => sum + BigInt(charge.sizeBytes), 0n);
      assert.ok(total > 4n * 2n ** 63n);
      assert.equal(await sizeBytes(store, here, 50), total);
      const wholeRate = charges.reduce((sum, charge) => sum + rateOf(charge), 0n);
      assert.ok(wholeRate > 2n ** 63n);
      assert.equal(await rate(store, here, 50), wholeRate);
      assert.equal(await rate(store, here, 100), wholeRate);
      assert.equal(await rate(store, here, longAfterMs), wholeRate);
    },
  },
  {
    title: 'what counts is what was charged, by tier, time, account, region and job',
    run: async ({ store }) => {
      await store.write(({ vaults }) => vaults.insert(sampleVault('vault')));
      const books = fc.tuple(fc.array(entry, { maxLength: 40 }), time, time, fc.nat({ max: 6 }));
      await fc.assert(
        fc.asyncProperty(books, async ([entries, nowMs, sinceMs, soonMs]) => {
          await open(store, entries);
          await assertCounts(store, entries, { nowMs, sinceMs });
          const begunAfterMs = Math.max(nowMs, sinceMs) + soonMs;
          await assertForgets(store, entries, { nowMs, begunBeforeMs: sinceMs, begunAfterMs });
        }),
        { numRuns: 60, seed: 20_260_131 },
      );
    },
  },
  {
    title:
      'charges are forgotten oldest first, as many as are asked for, and only if none is needed',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await store.write(({ jobs }) => jobs.insert(dueRetrieval('in progress')));
      const charged = (jobId: string, createdAtMs: number, countsUntilMs: number) =>
        sampleCharge(jobId, { createdAtMs, countsUntilMs, sizeBytes: 4 });
      await insert(
        store,
        charged('in progress', 1, 2),
        charged('counting', 2, 501),
        charged('a third', 20, 30),
        charged('first', 10, 500),
        { ...charged('second', 10, 20), ...elsewhere, tier: 'Bulk' },
        charged('young', 100, 101),
        { ...charged('future', 1_001, 9_000), ...elsewhere },
        { ...charged('near future', 1_000, 9_000), ...elsewhere },
      );
      const forget = (limit: number) =>
        store.write(({ retrievals }) =>
          retrievals.forgetCharges({ begunBeforeMs: 100, begunAfterMs: 1_000, nowMs: 500, limit }),
        );
      assert.equal(await forget(1), 1);
      assert.equal(await sizeBytes(store, here, 0), 16n);
      assert.equal(await sizeBytes(store, here, 11), 8n);
      assert.equal(await sizeBytes(store, elsewhere, 0), 8n);
      assert.equal(await forget(9), 3);
      assert.equal(await sizeBytes(store, elsewhere, 0), 4n);
      assert.equal(await sizeBytes(store, here, 0), 12n);
      assert.equal(await sizeBytes(store, here, 20), 4n);
      assert.equal(await forget(9), 0);
      await store.write(({ jobs }) => jobs.remove('in progress'));
      assert.equal(await forget(9), 1);
      assert.equal(await sizeBytes(store, here, 2), 8n);
      assert.equal(await sizeBytes(store, here, 0), 8n);
    },
  },
  {
    title: 'retrieval policies and charges outlive a crash',
    run: async (specimen) => {
      assert.ok(specimen.crash, 'needs crash');
      const policy = { strategy: 'BytesPerHour', bytesPerHour: '9007199254740993' } as const;
      const charge = sampleCharge('job', { sizeBytes: Number.MAX_SAFE_INTEGER });
      await insert(specimen.store, charge, sampleCharge('over', { createdAtMs: 1 }));
      await specimen.store.write(async ({ retrievals }) => {
        await retrievals.setPolicy(here, policy);
        const bounds = { begunBeforeMs: 2, begunAfterMs: longAfterMs, nowMs: longAfterMs };
        await retrievals.forgetCharges({ ...bounds, limit: 9 });
      });
      await specimen.crash();
      const { store } = specimen;
      assert.deepEqual(await store.read(({ retrievals }) => retrievals.policy(here)), policy);
      assert.equal(await sizeBytes(store, here, 0), BigInt(Number.MAX_SAFE_INTEGER));
    },
  },
];

/** Of a charge that counts by its time from 0 on, up to 100. */
const times = { createdAtMs: 0, countsUntilMs: 100 };

/** A retrieval whose work may begin at any time that is asked about here. */
const dueRetrieval = (jobId: string) => sampleRetrieval(jobId, { dueAtMs: 0 });

/** A charge beside its job: one in progress, one that is over, or none. */
interface Entry {
  readonly charge: Omit<RetrievalChargeRow, 'jobId'>;
  readonly job: 'in progress' | 'over' | 'none';
}

const time = fc.integer({ min: 0, max: 12 });

const entry: fc.Arbitrary<Entry> = fc.record({
  charge: fc.record({
    accountId: fc.constantFrom(here.accountId, theirs.accountId),
    region: fc.constantFrom(here.region, elsewhere.region),
    tier: fc.constantFrom('Standard', 'Standard', 'Expedited', 'Bulk'),
    createdAtMs: time,
    countsUntilMs: time,
    sizeBytes: fc.oneof(fc.nat({ max: 9 }), fc.maxSafeNat()),
    isProvisioned: fc.boolean(),
  }),
  job: fc.constantFrom('in progress', 'over', 'none'),
});

/** The charges of `entries`: their place is their name. */
function chargesOf(entries: readonly Entry[]): RetrievalChargeRow[] {
  return entries.map(({ charge }, index) => ({
    ...charge,
    jobId: `job ${index}`,
    isProvisioned: charge.isProvisioned && charge.tier === 'Expedited',
  }));
}

/** Makes the store hold `entries`, and no other charge and job. */
async function open(store: MetadataStore, entries: readonly Entry[]): Promise<void> {
  await store.write(async ({ vaults, jobs, retrievals }) => {
    await vaults.remove('vault');
    const bounds = { begunBeforeMs: longAfterMs, begunAfterMs: longAfterMs, nowMs: longAfterMs };
    await retrievals.forgetCharges({ ...bounds, limit: longAfterMs });
    await vaults.insert(sampleVault('vault'));
    for (const charge of chargesOf(entries)) await retrievals.insertCharge(charge);
    for (const [index, { job }] of entries.entries()) {
      const row = dueRetrieval(`job ${index}`);
      if (job !== 'none') await jobs.insert(job === 'over' ? succeeded(row) : row);
    }
  });
}

async function assertCounts(
  store: MetadataStore,
  entries: readonly Entry[],
  { nowMs, sinceMs }: { readonly nowMs: number; readonly sinceMs: number },
): Promise<void> {
  for (const owner of [here, elsewhere, theirs]) {
    const charges = chargesOf(entries).map((charge, index) => ({
      ...charge,
      counts:
        (charge.countsUntilMs > nowMs && charge.createdAtMs <= nowMs) ||
        (charge.countsUntilMs <= nowMs && entries[index]?.job === 'in progress'),
    }));
    const own = charges.filter(
      (charge) => charge.accountId === owner.accountId && charge.region === owner.region,
    );
    const standard = own.filter(({ tier }) => tier === 'Standard');
    const counting = standard.filter(({ counts }) => counts);
    const begun = standard.filter(
      ({ createdAtMs }) => createdAtMs >= sinceMs && createdAtMs <= nowMs,
    );
    assert.equal(
      await rate(store, owner, nowMs),
      counting.reduce((sum, charge) => sum + rateOf(charge), 0n),
    );
    assert.equal(
      await sizeBytes(store, owner, sinceMs, nowMs),
      begun.reduce((sum, charge) => sum + BigInt(charge.sizeBytes), 0n),
    );
    for (const isProvisioned of [true, false]) {
      const matching = own.filter(
        (charge) =>
          charge.tier === 'Expedited' &&
          charge.isProvisioned === isProvisioned &&
          charge.createdAtMs > sinceMs &&
          charge.createdAtMs <= nowMs,
      );
      const query = { sinceMs, nowMs, isProvisioned };
      assert.equal(await expedited(store, owner, query), matching.length);
    }
  }
}

async function assertForgets(
  store: MetadataStore,
  entries: readonly Entry[],
  query: {
    readonly nowMs: number;
    readonly begunBeforeMs: number;
    readonly begunAfterMs: number;
  },
): Promise<void> {
  const isForgotten = ({ charge, job }: Entry) =>
    job !== 'in progress' &&
    ((charge.createdAtMs < query.begunBeforeMs && charge.countsUntilMs <= query.nowMs) ||
      charge.createdAtMs > query.begunAfterMs);
  const forget = () =>
    store.write(({ retrievals }) => retrievals.forgetCharges({ ...query, limit: 100 }));
  assert.equal(await forget(), entries.filter(isForgotten).length);
  assert.equal(await forget(), 0);
  const kept = entries.filter((each) => !isForgotten(each) && each.charge.tier === 'Standard');
  const own = kept.filter(({ charge }) => charge.accountId === accountId);
  const sizes = [await sizeBytes(store, here, 0), await sizeBytes(store, elsewhere, 0)];
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0n),
    own.reduce((sum, { charge }) => sum + BigInt(charge.sizeBytes), 0n),
  );
}

function rateOf({ sizeBytes }: RetrievalChargeRow): bigint {
  return (BigInt(sizeBytes) + 3n) / 4n;
}

async function insert(
  store: MetadataStore,
  ...charges: readonly RetrievalChargeRow[]
): Promise<void> {
  await store.write(async ({ retrievals }) => {
    for (const charge of charges) await retrievals.insertCharge(charge);
  });
}

function rate(store: MetadataStore, of: AccountRegion, nowMs: number): Promise<bigint> {
  return store.read(({ retrievals }) => retrievals.standardRate(of, nowMs));
}

function sizeBytes(
  store: MetadataStore,
  of: AccountRegion,
  sinceMs: number,
  nowMs = longAfterMs,
): Promise<bigint> {
  return store.read(({ retrievals }) => retrievals.standardSizeBytes(of, { sinceMs, nowMs }));
}

function expedited(
  store: MetadataStore,
  of: AccountRegion,
  query: { readonly sinceMs: number; readonly nowMs: number; readonly isProvisioned: boolean },
): Promise<number> {
  return store.read(({ retrievals }) => retrievals.countExpedited(of, query));
}
