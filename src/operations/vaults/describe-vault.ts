import { type Handler, vaultOf } from '../handler.ts';

export const describeVault: Handler<'DescribeVault', 'vaults'> = (input, { vaults }, call) =>
  vaults.describe(vaultOf(input, call));
