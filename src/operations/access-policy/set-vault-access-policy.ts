import { type Handler, vaultOf } from '../handler.ts';

export const setVaultAccessPolicy: Handler<'SetVaultAccessPolicy', 'accessPolicies'> = async (
  input,
  { accessPolicies },
  call,
) => {
  await accessPolicies.set(vaultOf(input, call), input.policy);
  return {};
};
