import { type Handler, vaultOf } from '../handler.ts';

export const deleteVault: Handler<'DeleteVault', 'vaults'> = async (input, { vaults }, call) => {
  await vaults.remove(vaultOf(input, call));
  return {};
};
