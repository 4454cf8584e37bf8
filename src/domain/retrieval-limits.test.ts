import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  accountId,
  type Domain,
  hourMs,
  inventory,
  openDomain,
  photos,
  region,
  retrieve,
  storeText,
  upload,
  videos,
} from '../../tests/support/domain.ts';
import { mebibyte } from '../../tests/support/tree-hash-reference.ts';
import { GlacierError } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import { sampleBytes } from '../storage/blob-specimen.ts';
import {
  freeSizeBytesOfDay,
  isWithinFreeTier,
  isWithinRate,
  rateOf,
  startOfDay,
} from './retrieval-limits.ts';

fc.configureGlobal({ seed: 20_260_131 });

const here = { accountId, region };
const dayMs = 24 * hourMs;
const gibibyte = 1024 ** 3;
const denied = new GlacierError(
  'PolicyEnforcedException',
  'InitiateJob request denied by current data retrieval policy.',
);

const limitTo = ({ retrievalPolicies }: Domain, bytesPerHour: bigint) =>
  retrievalPolicies.set(here, { rules: [{ strategy: 'BytesPerHour', bytesPerHour }] });

/** Starts a retrieval, and ends it as its worker does. */
async function retrieved(domain: Domain, archiveId: string): Promise<void> {
  assert.ok(await domain.jobs.succeed(await retrieve(domain, archiveId)));
}

/** Has so many bytes count as retrieved in a region now: nobody stores so much in a test. */
async function charge(domain: Domain, sizeBytes: number): Promise<void> {
  const createdAtMs = domain.timeBounds.earliest();
  await domain.store.write(({ retrievals }) =>
    retrievals.insertCharge({
      ...here,
      jobId: `job-${sizeBytes}-${createdAtMs}`,
      tier: 'Standard',
      createdAtMs,
      countsUntilMs: createdAtMs + 4 * hourMs,
      sizeBytes,
      isProvisioned: false,
    }),
  );
}

test('a retrieval counts with a quarter of its bytes an hour, rounded up', () => {
  const rates = { 1: 1n, 3: 1n, 4: 1n, 5: 2n, 8: 2n, 9: 3n, [2 ** 53 - 1]: 2n ** 51n };
  for (const [size, rate] of Object.entries(rates)) assert.equal(rateOf(Number(size)), rate);
});

test('a rate may be reached and not be exceeded, exact past 2^53', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 2n ** 70n }),
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      (rate, sizeBytes) => {
        const atLimit = { rate, sizeBytes, bytesPerHour: rate + rateOf(sizeBytes) };
        assert.ok(isWithinRate(atLimit));
        assert.ok(!isWithinRate({ ...atLimit, rate: rate + 1n }));
        assert.ok(!isWithinRate({ ...atLimit, bytesPerHour: atLimit.bytesPerHour - 1n }));
      },
    ),
  );
});

test('the free allowance of a day is that of a month by the days of that month, rounded down', () => {
  const ofMonth = (month: string) => freeSizeBytesOfDay(Date.parse(`${month}-15T12:00:00Z`));
  assert.equal(limits.freeTierSizeBytesPerMonth, 10 * gibibyte);
  assert.equal(ofMonth('2026-01'), 346_368_330n);
  assert.equal(ofMonth('2026-04'), 357_913_941n);
  assert.equal(ofMonth('2026-02'), 383_479_222n);
  assert.equal(ofMonth('2028-02'), 370_255_801n);
});

test('a day’s allowance may be used up and not be exceeded', () => {
  const nowMs = Date.UTC(2026, 0, 1);
  const daily = freeSizeBytesOfDay(nowMs);
  for (const sizeBytes of [1, 1000, Number(daily)]) {
    const usedSizeBytes = daily - BigInt(sizeBytes);
    assert.ok(isWithinFreeTier({ usedSizeBytes, sizeBytes, nowMs }));
    assert.ok(!isWithinFreeTier({ usedSizeBytes: usedSizeBytes + 1n, sizeBytes, nowMs }));
  }
});

test('a day begins at midnight in UTC', () => {
  const midnight = Date.UTC(2026, 2, 29);
  for (const ms of [0, 1, dayMs - 1]) assert.equal(startOfDay(midnight + ms), midnight);
  assert.equal(startOfDay(midnight + dayMs), midnight + dayMs);
});

test('under BytesPerHour, retrievals in progress count together, each rounded up', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await limitTo(domain, 5n);
  await retrieve(domain, archiveId);
  await retrieve(domain, archiveId);
  await assert.rejects(retrieve(domain, archiveId), denied);
  await retrieve(domain, await storeText(domain, 'four'));
  await assert.rejects(retrieve(domain, await storeText(domain, '1')), denied);
});

test('what is refused leaves no job, and counts for nothing', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await limitTo(domain, 1n);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await assert.rejects(retrieve(domain, archiveId), denied);
  }
  assert.deepEqual((await domain.jobs.list(photos, {})).jobs, []);
  await retrieve(domain, await storeText(domain, 'four'));
});

test('whoever asks at the same time, the rate is never exceeded', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'four');
  await limitTo(domain, 3n);
  const asking = Array.from({ length: 8 }, () => retrieve(domain, archiveId));
  const outcomes = await Promise.allSettled(asking);
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 3);
  assert.equal((await domain.jobs.list(photos, {})).jobs.length, 3);
});

test('a range counts with its own length', async () => {
  await using domain = await openDomain();
  const { archiveId } = await domain.archives.store(upload(sampleBytes(2 * mebibyte + 5)));
  const ranged = (retrievalByteRange: string) =>
    retrieve(domain, archiveId, { retrievalByteRange });
  await limitTo(domain, BigInt(mebibyte / 4) + 2n);
  await assert.rejects(retrieve(domain, archiveId), denied);
  await ranged(`${2 * mebibyte}-${2 * mebibyte + 4}`);
  await ranged(`0-${mebibyte - 1}`);
  await assert.rejects(ranged(`${2 * mebibyte}-${2 * mebibyte + 4}`), denied);
});

test('policies are about Standard retrievals alone', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await limitTo(domain, 2n);
  await retrieve(domain, archiveId, { tier: 'Bulk' });
  await retrieve(domain, archiveId, { tier: 'Expedited' });
  await inventory(domain);
  await retrieve(domain, archiveId);
  await assert.rejects(retrieve(domain, archiveId, { tier: 'Standard' }), denied);
  await retrieve(domain, archiveId, { tier: 'Bulk' });
  await retrieve(domain, archiveId, { tier: 'Expedited' });
  await inventory(domain);
});

test('a retrieval that is done at once counts for four hours from its start on', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'four');
  await limitTo(domain, 1n);
  await retrieved(domain, archiveId);
  domain.clock.advance(4 * hourMs - 1);
  await assert.rejects(retrieve(domain, archiveId), denied);
  domain.clock.advance(1);
  await retrieved(domain, archiveId);
});

test('a retrieval that takes longer counts as long as it takes, and while it is in progress', async () => {
  const delaysMs = { Expedited: 0, Standard: 6 * hourMs, Bulk: 0, inventory: 0 };
  await using domain = await openDomain({ delaysMs });
  const archiveId = await storeText(domain, 'four');
  await limitTo(domain, 1n);
  const jobId = await retrieve(domain, archiveId);
  domain.clock.advance(6 * hourMs - 1);
  await domain.jobs.succeed(jobId);
  await assert.rejects(retrieve(domain, archiveId), denied);
  domain.clock.advance(1);
  const another = await retrieve(domain, archiveId);
  domain.clock.advance(10 * hourMs);
  await assert.rejects(retrieve(domain, archiveId), denied);
  await domain.jobs.succeed(another);
  await retrieve(domain, archiveId);
});

test('all vaults of an account in a region count together, and nothing else does', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'four');
  await domain.vaults.create(videos);
  const inVideos = await domain.archives.store(upload(Buffer.from('four'), { vault: videos }));
  await limitTo(domain, 1n);
  for (const elsewhere of [{ region: 'eu-west-1' }, { accountId: '210987654321' }]) {
    const vault = { ...photos, ...elsewhere };
    await domain.vaults.create(vault);
    const there = await domain.archives.store(upload(Buffer.from('four'), { vault }));
    const asked = { type: 'archive-retrieval', archiveId: there.archiveId } as const;
    await domain.retrievalPolicies.set(vault, {
      rules: [{ strategy: 'BytesPerHour', bytesPerHour: 1n }],
    });
    await domain.jobs.initiate(vault, asked);
    await assert.rejects(domain.jobs.initiate(vault, asked), denied);
  }
  await domain.jobs.initiate(videos, { type: 'archive-retrieval', ...inVideos });
  await assert.rejects(retrieve(domain, archiveId), denied);
});

test('a vault that is deleted takes nothing back of what was retrieved from it', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'four');
  await limitTo(domain, 1n);
  await retrieve(domain, archiveId);
  await domain.archives.remove(photos, archiveId);
  await domain.vaults.remove(photos);
  await domain.vaults.create(photos);
  await assert.rejects(retrieve(domain, await storeText(domain, 'four')), denied);
});

test('what was begun under another policy, or none, counts under a new one', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'four');
  await retrieve(domain, archiveId);
  await limitTo(domain, 1n);
  await assert.rejects(retrieve(domain, archiveId), denied);
  await domain.retrievalPolicies.set(here, { rules: [{ strategy: 'None' }] });
  await retrieve(domain, archiveId);
  await limitTo(domain, 2n);
  await assert.rejects(retrieve(domain, archiveId), denied);
  await limitTo(domain, 3n);
  await retrieve(domain, archiveId);
});

test('the greatest rate is reckoned exactly', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'four');
  // So many rates of nearly 2^51 make a sum that is below 2^63, and that no number holds.
  for (let count = 1; count < 2 ** 12; count += 1) {
    await charge(domain, 2 ** 53 - 2 ** 13 + count);
  }
  const rate = await domain.store.read(({ retrievals }) =>
    retrievals.standardRate(here, domain.clock.now()),
  );
  await limitTo(domain, rate);
  await assert.rejects(retrieve(domain, archiveId), denied);
  await limitTo(domain, rate + 1n);
  await retrieve(domain, archiveId);
});

test('under FreeTier, the day’s allowance holds for all that was begun on that day', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'four');
  await domain.retrievalPolicies.set(here, { rules: [{ strategy: 'FreeTier' }] });
  const daily = Number(freeSizeBytesOfDay(domain.clock.now()));
  await charge(domain, daily - 7);
  await retrieved(domain, archiveId);
  await assert.rejects(retrieve(domain, archiveId), denied);
  await retrieved(domain, await storeText(domain, '3rd'));
  await assert.rejects(retrieve(domain, await storeText(domain, '1')), denied);
  domain.clock.advance(startOfDay(domain.clock.now()) + dayMs - 1 - domain.clock.now());
  await assert.rejects(retrieve(domain, archiveId), denied);
  domain.clock.advance(1);
  await retrieve(domain, archiveId);
});

test('a clock that is set forward gives nothing back', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'four');
  await limitTo(domain, 1n);
  await retrieved(domain, archiveId);
  domain.clock.jump(5 * dayMs);
  await assert.rejects(retrieve(domain, archiveId), denied);
  domain.clock.advance(4 * hourMs);
  await retrieved(domain, archiveId);
  await domain.retrievalPolicies.set(here, { rules: [{ strategy: 'FreeTier' }] });
  await charge(domain, Number(freeSizeBytesOfDay(domain.clock.now())));
  await assert.rejects(retrieve(domain, archiveId), denied);
});

test('a clock that is set back again finds what was begun meanwhile, for as long as it counts', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'four');
  await limitTo(domain, 1n);
  domain.clock.jump(5 * dayMs);
  await retrieved(domain, archiveId);
  domain.clock.jump(-5 * dayMs);
  domain.clock.advance(4 * hourMs - 1);
  await assert.rejects(retrieve(domain, archiveId), denied);
  domain.clock.advance(1);
  await retrieve(domain, archiveId);
});

test('what was begun in a future that was believed counts only while that is believed', async () => {
  await using domain = await openDomain({ expeditedOnDemandMax: 1 });
  const archiveId = await storeText(domain, 'four');
  await limitTo(domain, 1n);
  domain.clock.jump(30 * dayMs);
  domain.timeBounds.earliest();
  domain.clock.advance(dayMs);
  await retrieved(domain, archiveId);
  await retrieve(domain, archiveId, { tier: 'Expedited' });
  await assert.rejects(retrieve(domain, archiveId), denied);
  await assert.rejects(retrieve(domain, archiveId, { tier: 'Expedited' }), {
    code: 'InsufficientCapacityException',
  });
  domain.clock.jump(-30 * dayMs);
  await retrieve(domain, archiveId);
  await retrieve(domain, archiveId, { tier: 'Expedited' });
});

test('parameters and archive are judged before the policy is', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  await limitTo(domain, 1n);
  await assert.rejects(
    retrieve(domain, archiveId, { retrievalByteRange: '0-0' }),
    /The retrieval byte range is not valid/,
  );
  await domain.archives.remove(photos, archiveId);
  await assert.rejects(retrieve(domain, archiveId), /The archive ID was not found/);
});
