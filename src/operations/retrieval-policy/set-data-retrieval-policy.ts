import type { Handler } from '../handler.ts';

export const setDataRetrievalPolicy: Handler<
  'SetDataRetrievalPolicy',
  'retrievalPolicies'
> = async ({ accountId, policy }, { retrievalPolicies }, { region }) => {
  await retrievalPolicies.set({ accountId, region }, policy);
  return {};
};
