import { type Handler, vaultOf } from '../handler.ts';

export const initiateVaultLock: Handler<'InitiateVaultLock', 'vaultLocks'> = async (
  input,
  { vaultLocks },
  call,
) => ({ lockId: await vaultLocks.initiate(vaultOf(input, call), input.policy) });
