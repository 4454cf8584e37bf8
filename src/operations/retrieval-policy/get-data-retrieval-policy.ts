import type { Handler } from '../handler.ts';

export const getDataRetrievalPolicy: Handler<
  'GetDataRetrievalPolicy',
  'retrievalPolicies'
> = async ({ accountId }, { retrievalPolicies }, { region }) => ({
  policy: await retrievalPolicies.get({ accountId, region }),
});
