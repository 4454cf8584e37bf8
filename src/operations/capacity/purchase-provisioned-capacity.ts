import type { Handler } from '../handler.ts';

export const purchaseProvisionedCapacity: Handler<
  'PurchaseProvisionedCapacity',
  'capacity'
> = async ({ accountId }, { capacity }, { region }) => ({
  capacityId: await capacity.purchase({ accountId, region }),
});
