import { accountId, body, header, list, required } from './members.ts';
import type { Members, Shape } from './shape.ts';

const unitDescription = {
  capacityId: required(body('CapacityId', 'string')),
  expirationDate: required(body('ExpirationDate', 'string')),
  startDate: required(body('StartDate', 'string')),
} as const satisfies Members;

export const capacityShapes = {
  PurchaseProvisionedCapacity: {
    input: { accountId },
    output: { capacityId: required(header('x-amz-capacity-id')) },
  },
  ListProvisionedCapacity: {
    input: { accountId },
    output: {
      provisionedCapacityList: required(body('ProvisionedCapacityList', list(unitDescription))),
    },
  },
} as const satisfies Record<string, Shape>;
