import { type Handler, vaultOf } from '../handler.ts';

export const deleteVaultAccessPolicy: Handler<'DeleteVaultAccessPolicy', 'accessPolicies'> = async (
  input,
  { accessPolicies },
  call,
) => {
  await accessPolicies.remove(vaultOf(input, call));
  return {};
};
