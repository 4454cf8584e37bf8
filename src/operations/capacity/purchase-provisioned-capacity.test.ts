import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, region } from '../../../tests/support/domain.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { purchaseProvisionedCapacity } from './purchase-provisioned-capacity.ts';

const call = { region, signal: goingOn };

test('PurchaseProvisionedCapacity buys a unit in the region of the call and answers its id', async () => {
  await using domain = await openDomain();
  const { capacityId } = await purchaseProvisionedCapacity({ accountId }, domain, call);
  const units = await domain.capacity.list({ accountId, region });
  assert.deepEqual(
    units.map((unit) => unit.capacityId),
    [capacityId],
  );
  assert.deepEqual(await domain.capacity.list({ accountId, region: 'eu-west-1' }), []);
});

test('PurchaseProvisionedCapacity refuses a third unit', async () => {
  await using domain = await openDomain();
  const purchase = () => purchaseProvisionedCapacity({ accountId }, domain, call);
  await purchase();
  await purchase();
  await assert.rejects(
    purchase(),
    new GlacierError(
      'LimitExceededException',
      'The limit of provisioned capacity units for this account has been reached',
    ),
  );
});
