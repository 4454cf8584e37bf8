import type { Handler } from '../handler.ts';

export const listVaults: Handler<'ListVaults', 'vaults'> = async (input, { vaults }, call) => {
  const page = await vaults.list({
    accountId: input.accountId,
    region: call.region,
    marker: input.marker,
    limit: input.limit,
  });
  return { marker: page.marker, vaultList: page.vaults };
};
