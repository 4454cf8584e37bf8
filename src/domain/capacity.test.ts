import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, hourMs, openDomain, region } from '../../tests/support/domain.ts';
import { GlacierError } from '../protocol/errors.ts';

const here = { accountId, region };
const dayMs = 24 * hourMs;
const reached = new GlacierError(
  'LimitExceededException',
  'The limit of provisioned capacity units for this account has been reached',
);

test('a unit has an id of 24 letters and digits, and lasts a month from its purchase on', async () => {
  await using domain = await openDomain();
  const capacityId = await domain.capacity.purchase(here);
  assert.match(capacityId, /^[A-Za-z0-9]{24}$/);
  assert.deepEqual(await domain.capacity.list(here), [
    {
      ...here,
      capacityId,
      startsAtMs: Date.UTC(2026, 0, 31, 14, 26, 33, 31),
      expiresAtMs: Date.UTC(2026, 1, 28, 14, 26, 33),
    },
  ]);
});

test('every purchase buys a unit, up to the limit of the account in the region', async () => {
  await using domain = await openDomain();
  const first = await domain.capacity.purchase(here);
  domain.clock.advance(1);
  const second = await domain.capacity.purchase(here);
  assert.notEqual(first, second);
  await assert.rejects(domain.capacity.purchase(here), reached);
  await domain.capacity.purchase({ ...here, region: 'eu-west-1' });
  await domain.capacity.purchase({ ...here, accountId: '210987654321' });
  const ids = (await domain.capacity.list(here)).map(({ capacityId }) => capacityId);
  assert.deepEqual(ids, [second, first]);
});

test('whoever buys at the same time, there are never more units than the limit', async () => {
  await using domain = await openDomain({ capacityUnitsMax: 3 });
  const buying = Array.from({ length: 8 }, () => domain.capacity.purchase(here));
  const outcomes = await Promise.allSettled(buying);
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 3);
  assert.equal((await domain.capacity.list(here)).length, 3);
});

test('a unit that expired is not listed, and counts no more', async () => {
  await using domain = await openDomain({ capacityUnitsMax: 1 });
  await domain.capacity.purchase(here);
  domain.clock.advance(28 * dayMs - 32);
  assert.equal((await domain.capacity.list(here)).length, 1);
  await assert.rejects(domain.capacity.purchase(here), reached);
  domain.clock.advance(1);
  assert.deepEqual(await domain.capacity.list(here), []);
  await domain.capacity.purchase(here);
});

test('a clock that is set forward ends no unit', async () => {
  await using domain = await openDomain();
  await domain.capacity.purchase(here);
  domain.clock.jump(60 * dayMs);
  assert.equal((await domain.capacity.list(here)).length, 1);
  domain.clock.jump(-60 * dayMs);
  assert.equal((await domain.capacity.list(here)).length, 1);
});

test('a clock that stays forward ends no unit before a month has passed', async () => {
  await using domain = await openDomain();
  await domain.capacity.purchase(here);
  domain.clock.jump(60 * dayMs);
  domain.timeBounds.earliest();
  for (let day = 0; day < 27; day += 1) {
    assert.equal((await domain.capacity.list(here)).length, 1);
    domain.clock.advance(dayMs);
  }
  domain.clock.advance(dayMs);
  assert.deepEqual(await domain.capacity.list(here), []);
});

test('a unit that was bought while the clock was far ahead lasts a month, too', async () => {
  await using domain = await openDomain({ capacityUnitsMax: 1 });
  const boughtAtMs = domain.clock.now() + 70 * 365 * dayMs;
  domain.clock.jump(70 * 365 * dayMs);
  await domain.capacity.purchase(here);
  domain.clock.jump(-70 * 365 * dayMs);
  const [unit] = await domain.capacity.list(here);
  assert.equal(unit?.startsAtMs, boughtAtMs);
  domain.clock.advance(28 * dayMs);
  assert.deepEqual(await domain.capacity.list(here), []);
  await domain.capacity.purchase(here);
});

test('nothing is for sale where the limit is none', async () => {
  await using domain = await openDomain({ capacityUnitsMax: 0 });
  await assert.rejects(domain.capacity.purchase(here), reached);
});
