import { vaultPath } from '../../protocol/names.ts';
import { type Handler, vaultOf } from '../handler.ts';

export const createVault: Handler<'CreateVault', 'vaults'> = async (input, { vaults }, call) => {
  const vault = vaultOf(input, call);
  await vaults.create(vault);
  return { location: vaultPath(vault) };
};
