import { type Handler, vaultOf } from '../handler.ts';

export const abortVaultLock: Handler<'AbortVaultLock', 'vaultLocks'> = async (
  input,
  { vaultLocks },
  call,
) => {
  await vaultLocks.abort(vaultOf(input, call));
  return {};
};
