import { type Handler, vaultOf } from '../handler.ts';

export const getVaultLock: Handler<'GetVaultLock', 'vaultLocks'> = (input, { vaultLocks }, call) =>
  vaultLocks.describe(vaultOf(input, call));
