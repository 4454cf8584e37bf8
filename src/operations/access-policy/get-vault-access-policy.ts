import { type Handler, vaultOf } from '../handler.ts';

export const getVaultAccessPolicy: Handler<'GetVaultAccessPolicy', 'accessPolicies'> = async (
  input,
  { accessPolicies },
  call,
) => ({ policy: await accessPolicies.get(vaultOf(input, call)) });
