import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import { capacityOf, freshName, purchaseCapacity } from '../support/deeds.ts';
import {
  assertDocument,
  assertEmpty,
  assertError,
  assertMembers,
  timestampPattern,
} from '../support/expectations.ts';
import type { Answer } from '../support/http.ts';
import { SimulatedClock, startServer } from '../support/start-server.ts';
import { onlyOwnServer, openTarget } from '../support/target.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const { api, account, other } = await openTarget();

const target = '/-/provisioned-capacity';
const purchase = (caller: Api) => caller.call('POST', target);
const list = (caller: Api) => caller.call('GET', target);

/** The account in a region in which nothing was bought yet. */
const fresh = (from: Api = api) => from.as({ region: freshName('fresh') });

function assertLimitReached(answer: Answer): void {
  const message = 'The limit of provisioned capacity units for this account has been reached';
  assertError(answer, 400, 'LimitExceededException', message);
}

async function idsOf(caller: Api): Promise<string[]> {
  return (await capacityOf(caller)).map(({ CapacityId }) => CapacityId);
}

describe('provisioned capacity', () => {
  test('is an empty list at first', async () => {
    using there = fresh();
    assertDocument(await list(there), { ProvisionedCapacityList: [] });
  });

  test('is bought with 201 and an id of 24 characters', async () => {
    using there = fresh();
    const answer = await purchase(there);
    assertEmpty(answer, 201);
    assert.match(answer.headers.get('x-amz-capacity-id') ?? '', /^[A-Za-z0-9][A-Za-z0-9_-]{23}$/);
    assert.equal(answer.headers.get('location'), undefined);
  });

  test('is listed with id, start and end', async () => {
    using there = fresh();
    const CapacityId = await purchaseCapacity(there);
    const answer = await list(there);
    const [unit] = await capacityOf(there);
    const { StartDate = '', ExpirationDate = '' } = unit ?? {};
    const ProvisionedCapacityList = [{ CapacityId, StartDate, ExpirationDate }];
    assertMembers(answer, { ProvisionedCapacityList });
    assert.match(StartDate, timestampPattern);
    assert.match(ExpirationDate, timestampPattern);
    assert.match(ExpirationDate, /\.000Z$/);
    assert.ok(Math.abs(Date.parse(StartDate) - Date.now()) < 60_000, StartDate);
    // The shortest month has 28 days, the longest one 31; half an hour of the clock is forgiven.
    const days = (Date.parse(ExpirationDate) - Date.parse(StartDate)) / (24 * 3_600_000);
    assert.ok(days > 27.9 && days <= 31, String(days));
  });

  for (const body of [undefined, '', '{}', 'anything']) {
    test(`is bought whatever the body says: ${body ?? 'none'}`, async () => {
      using there = fresh();
      assertEmpty(await there.call('POST', target, { body }), 201);
    });
  }

  test('is bought anew by each request', async () => {
    using there = fresh();
    const [one, another] = [await purchaseCapacity(there), await purchaseCapacity(there)];
    assert.notEqual(one, another);
    assert.deepEqual((await idsOf(there)).sort(), [one, another].sort());
  });

  test('has two units at most', { skip: onlyOwnServer }, async () => {
    using there = fresh();
    const bought = [await purchaseCapacity(there), await purchaseCapacity(there)];
    assertLimitReached(await purchase(there));
    assertLimitReached(await purchase(there));
    assert.deepEqual((await idsOf(there)).sort(), bought.sort());
  });

  test('has never more, whoever buys at the same time', { skip: onlyOwnServer }, async () => {
    using there = fresh();
    const answers = await Promise.all(Array.from({ length: 8 }, () => purchase(there)));
    const refused = answers.filter(({ status }) => status !== 201);
    for (const answer of refused) assertLimitReached(answer);
    assert.equal(refused.length, 6);
    assert.equal((await idsOf(there)).length, 2);
  });

  test("may be bought and listed by the caller's own number", async () => {
    using there = fresh();
    const own = target.replace('-', account.accountId);
    assertEmpty(await there.call('POST', own), 201);
    assert.equal((await there.call('GET', own)).text, (await list(there)).text);
  });

  test('belongs to its region', async () => {
    using there = fresh();
    using elsewhere = fresh();
    await purchaseCapacity(there);
    await purchaseCapacity(there);
    assert.deepEqual(await idsOf(elsewhere), []);
    assertEmpty(await purchase(elsewhere), 201);
  });

  test('belongs to its account, and no other can reach it', {
    skip: other === undefined && 'there is no second account on this server',
  }, async () => {
    assert.ok(other !== undefined);
    using there = fresh();
    using stranger = there.as({ credentials: other.credentials });
    await purchaseCapacity(there);
    await purchaseCapacity(there);
    assert.deepEqual(await idsOf(stranger), []);
    assertEmpty(await purchase(stranger), 201);
    const theirs = target.replace('-', account.accountId);
    const message = `Access denied for account ID: ${account.accountId}`;
    for (const method of ['GET', 'POST']) {
      const answer = await stranger.call(method, theirs);
      assertError(answer, 403, 'AccessDeniedException', message);
    }
    assert.equal((await idsOf(there)).length, 2);
  });
});

test('FIRN_CAPACITY_UNITS_MAX says how many units there may be', {
  skip: onlyOwnServer,
}, async () => {
  const server = await startServer({ env: { FIRN_CAPACITY_UNITS_MAX: '3' } });
  await using _ = server;
  using there = new Api({ url: server.url, credentials: server.account.credentials });
  for (let unit = 0; unit < 3; unit += 1) assertEmpty(await purchase(there), 201);
  assertLimitReached(await purchase(there));
});

describe('provisioned capacity in the course of time', { skip: onlyOwnServer }, async () => {
  if (onlyOwnServer !== false) return;

  const clock = new SimulatedClock(Date.parse('2026-01-01T00:00:00Z'));
  const server = await startServer({ clock });
  after(() => server[Symbol.asyncDispose]());
  const { url, account: owner } = server;
  const caller = new Api({ url, credentials: owner.credentials, now: () => clock.now() });
  after(() => caller[Symbol.dispose]());

  const until = (date: string) => clock.advance(Date.parse(date) - clock.now());

  const lives: readonly (readonly [start: string, expiration: string])[] = [
    ['2026-01-15T19:59:24.912Z', '2026-02-15T19:59:24.000Z'],
    ['2026-01-28T00:00:00.000Z', '2026-02-28T00:00:00.000Z'],
    ['2026-01-29T10:00:00.500Z', '2026-02-28T10:00:00.000Z'],
    ['2026-01-30T23:59:59.999Z', '2026-02-28T23:59:59.000Z'],
    ['2026-01-31T14:26:33.031Z', '2026-02-28T14:26:33.000Z'],
    ['2026-02-28T08:00:00.001Z', '2026-03-28T08:00:00.000Z'],
    ['2026-08-31T12:00:00.000Z', '2026-09-30T12:00:00.000Z'],
    ['2026-09-30T12:00:00.000Z', '2026-10-30T12:00:00.000Z'],
    ['2026-12-31T23:59:59.999Z', '2027-01-31T23:59:59.000Z'],
    ['2028-01-29T01:02:03.004Z', '2028-02-29T01:02:03.000Z'],
    ['2028-01-30T01:02:03.004Z', '2028-02-29T01:02:03.000Z'],
    ['2028-01-31T01:02:03.004Z', '2028-02-29T01:02:03.000Z'],
    ['2028-02-29T01:02:03.004Z', '2028-03-29T01:02:03.000Z'],
  ];

  for (const [StartDate, ExpirationDate] of lives) {
    test(`a unit of ${StartDate} lasts until ${ExpirationDate}`, async () => {
      until(StartDate);
      using there = fresh(caller);
      const CapacityId = await purchaseCapacity(there);
      const ProvisionedCapacityList = [{ CapacityId, StartDate, ExpirationDate }];
      assertMembers(await list(there), { ProvisionedCapacityList });
    });
  }

  test('a unit is listed to its last millisecond, and then makes room for another', async () => {
    until('2029-01-10T10:00:00.250Z');
    using there = fresh(caller);
    const first = await purchaseCapacity(there);
    until('2029-01-20T00:00:00Z');
    const second = await purchaseCapacity(there);
    until('2029-02-10T09:59:59.999Z');
    assert.deepEqual(await idsOf(there), [second, first]);
    assertLimitReached(await purchase(there));
    clock.advance(1);
    assert.deepEqual(await idsOf(there), [second]);
    const third = await purchaseCapacity(there);
    assert.deepEqual(await idsOf(there), [third, second]);
    assertLimitReached(await purchase(there));
  });

  test('units come newest first', async () => {
    using there = fresh(caller);
    const older = await purchaseCapacity(there);
    clock.advance(1);
    const newer = await purchaseCapacity(there);
    assert.deepEqual(await idsOf(there), [newer, older]);
  });

  test('units are there after a restart, and end then as they would have', async () => {
    using directory = new TemporaryDirectory();
    const env = { FIRN_DATA_DIR: directory.path };
    until('2029-05-31T12:00:00.999Z');
    let before = '';
    {
      const first = await startServer({ clock, env });
      await using _ = first;
      using there = caller.as({ url: first.url });
      await purchaseCapacity(there);
      await purchaseCapacity(there);
      before = (await list(there)).text;
    }
    const second = await startServer({ clock, env });
    await using _ = second;
    using there = caller.as({ url: second.url });
    assert.equal((await list(there)).text, before);
    assertLimitReached(await purchase(there));
    until('2029-06-30T12:00:00.000Z');
    assertDocument(await list(there), { ProvisionedCapacityList: [] });
    assertEmpty(await purchase(there), 201);
  });
});
