import { toTimestamp } from '../../protocol/names.ts';
import type { Handler } from '../handler.ts';

export const listProvisionedCapacity: Handler<'ListProvisionedCapacity', 'capacity'> = async (
  { accountId },
  { capacity },
  { region },
) => {
  const units = await capacity.list({ accountId, region });
  return {
    provisionedCapacityList: units.map(({ capacityId, startsAtMs, expiresAtMs }) => ({
      capacityId,
      expirationDate: toTimestamp(expiresAtMs),
      startDate: toTimestamp(startsAtMs),
    })),
  };
};
