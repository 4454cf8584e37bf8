import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  accountId,
  type Domain,
  type DomainOptions,
  hourMs,
  openDomain,
  photos,
  region,
  retrieve,
  storeText,
} from '../../tests/support/domain.ts';
import { GlacierError } from '../protocol/errors.ts';

fc.configureGlobal({ seed: 20_260_131 });

const here = { accountId, region };
const fiveMinutesMs = 5 * 60_000;
const insufficient = new GlacierError(
  'InsufficientCapacityException',
  'There is insufficient capacity to process this expedited request. Please try again later.',
);

/** A domain with an archive, and a number of capacity units. */
async function openWith(units: number, options: DomainOptions = {}) {
  const domain = await openDomain(options);
  const archiveId = await storeText(domain, 'hello');
  for (let count = 0; count < units; count += 1) await domain.capacity.purchase(here);
  return { ...domain, expedite: () => retrieve(domain, archiveId, { tier: 'Expedited' }) };
}

/** How many of the last five minutes were served from provisioned capacity, and how many not. */
async function served({ store, clock }: Domain): Promise<readonly [number, number]> {
  const nowMs = clock.now();
  const sinceMs = nowMs - fiveMinutesMs;
  return await store.read(async ({ retrievals }) => [
    await retrievals.countExpedited(here, { sinceMs, nowMs, isProvisioned: true }),
    await retrievals.countExpedited(here, { sinceMs, nowMs, isProvisioned: false }),
  ]);
}

test('without units and without a limit, every Expedited retrieval is accepted', async () => {
  await using domain = await openWith(0);
  for (let count = 0; count < 20; count += 1) await domain.expedite();
  assert.deepEqual(await served(domain), [0, 20]);
});

test('without units, as many are accepted in five minutes as the limit says', async () => {
  await using domain = await openWith(0, { expeditedOnDemandMax: 2 });
  await domain.expedite();
  domain.clock.advance(1000);
  await domain.expedite();
  await assert.rejects(domain.expedite(), insufficient);
  domain.clock.advance(fiveMinutesMs - 1001);
  await assert.rejects(domain.expedite(), insufficient);
  domain.clock.advance(1);
  await domain.expedite();
  await assert.rejects(domain.expedite(), insufficient);
  domain.clock.advance(1000);
  await domain.expedite();
});

test('with a limit of none, only units help', async () => {
  await using domain = await openWith(0, { expeditedOnDemandMax: 0 });
  await assert.rejects(domain.expedite(), insufficient);
  await domain.capacity.purchase(here);
  await domain.expedite();
});

test('a unit serves three in five minutes, and what goes beyond is on demand', async () => {
  await using domain = await openWith(1, { expeditedOnDemandMax: 1 });
  for (let count = 0; count < 3; count += 1) await domain.expedite();
  assert.deepEqual(await served(domain), [3, 0]);
  await domain.expedite();
  assert.deepEqual(await served(domain), [3, 1]);
  await assert.rejects(domain.expedite(), insufficient);
  domain.clock.advance(fiveMinutesMs);
  await domain.expedite();
  assert.deepEqual(await served(domain), [1, 0]);
});

test('each unit serves three more', async () => {
  await using domain = await openWith(2, { expeditedOnDemandMax: 0 });
  for (let count = 0; count < 6; count += 1) await domain.expedite();
  await assert.rejects(domain.expedite(), insufficient);
});

test('a unit that expired, or is of another region or account, serves nobody', async () => {
  await using domain = await openWith(1, { expeditedOnDemandMax: 0 });
  await domain.capacity.purchase({ accountId, region: 'eu-west-1' });
  await domain.capacity.purchase({ accountId: '210987654321', region });
  domain.clock.advance(28 * 24 * hourMs - 32);
  await domain.expedite();
  domain.clock.advance(1);
  await assert.rejects(domain.expedite(), insufficient);
});

test('what is refused leaves no job, and takes nobody’s place', async () => {
  await using domain = await openWith(0, { expeditedOnDemandMax: 1 });
  await domain.expedite();
  for (let count = 0; count < 3; count += 1) {
    domain.clock.advance(1000);
    await assert.rejects(domain.expedite(), insufficient);
  }
  assert.equal((await domain.jobs.list(photos, {})).jobs.length, 1);
  domain.clock.advance(fiveMinutesMs - 3000);
  await domain.expedite();
});

test('Standard and Bulk retrievals need no capacity', async () => {
  await using domain = await openWith(0, { expeditedOnDemandMax: 0 });
  const archiveId = await storeText(domain, 'hello');
  await retrieve(domain, archiveId, { tier: 'Standard' });
  await retrieve(domain, archiveId, { tier: 'Bulk' });
});

test('an archive that is not there is told before capacity is', async () => {
  await using domain = await openWith(0, { expeditedOnDemandMax: 0 });
  await assert.rejects(
    retrieve(domain, 'a'.repeat(138), { tier: 'Expedited' }),
    /The archive ID was not found/,
  );
});

test('a clock that is set forward gives no place back', async () => {
  await using domain = await openWith(0, { expeditedOnDemandMax: 1 });
  await domain.expedite();
  domain.clock.jump(hourMs);
  await assert.rejects(domain.expedite(), insufficient);
  domain.clock.advance(fiveMinutesMs);
  await domain.expedite();
});

test('in no five minutes are more accepted than units and limit allow, and fewer only where none was refused', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(2),
      fc.nat(3),
      fc.array(fc.nat(150), { maxLength: 25 }),
      async (units, expeditedOnDemandMax, pausesSeconds) => {
        await using domain = await openWith(units, { expeditedOnDemandMax });
        const accepted: number[] = [];
        for (const seconds of pausesSeconds) {
          domain.clock.advance(seconds * 1000);
          const nowMs = domain.clock.now();
          const lately = accepted.filter((atMs) => atMs > nowMs - fiveMinutesMs).length;
          const isRoom = lately < 3 * units + expeditedOnDemandMax;
          if (isRoom) {
            await domain.expedite();
            accepted.push(nowMs);
          } else {
            await assert.rejects(domain.expedite(), insufficient);
          }
        }
      },
    ),
    { numRuns: 30 },
  );
});
