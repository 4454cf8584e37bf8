import { type Handler, vaultOf } from '../handler.ts';

export const completeVaultLock: Handler<'CompleteVaultLock', 'vaultLocks'> = async (
  input,
  { vaultLocks },
  call,
) => {
  await vaultLocks.complete(vaultOf(input, call), input.lockId);
  return {};
};
