import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, region } from '../../../tests/support/domain.ts';
import { listProvisionedCapacity } from './list-provisioned-capacity.ts';

const call = { region, signal: goingOn };

test('ListProvisionedCapacity answers the units with their dates, latest start first', async () => {
  await using domain = await openDomain();
  assert.deepEqual(await listProvisionedCapacity({ accountId }, domain, call), {
    provisionedCapacityList: [],
  });
  const first = await domain.capacity.purchase({ accountId, region });
  domain.clock.advance(1000);
  const second = await domain.capacity.purchase({ accountId, region });
  assert.deepEqual(await listProvisionedCapacity({ accountId }, domain, call), {
    provisionedCapacityList: [
      {
        capacityId: second,
        expirationDate: '2026-02-28T14:26:34.000Z',
        startDate: '2026-01-31T14:26:34.031Z',
      },
      {
        capacityId: first,
        expirationDate: '2026-02-28T14:26:33.000Z',
        startDate: '2026-01-31T14:26:33.031Z',
      },
    ],
  });
});
