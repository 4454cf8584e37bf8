import { policy } from './access-policy.ts';
import { accountId, body, header, path, required, vaultName } from './members.ts';
import type { Shape } from './shape.ts';

export const vaultLockShapes = {
  InitiateVaultLock: {
    input: { accountId, vaultName, policy },
    output: { lockId: required(header('x-amz-lock-id')) },
  },
  GetVaultLock: {
    input: { accountId, vaultName },
    output: {
      creationDate: required(body('CreationDate', 'string')),
      expirationDate: body('ExpirationDate', 'string'),
      policy: required(body('Policy', 'string')),
      state: required(body('State', 'string')),
    },
  },
  CompleteVaultLock: {
    input: { accountId, vaultName, lockId: path('lockId') },
    output: {},
  },
  AbortVaultLock: {
    input: { accountId, vaultName },
    output: {},
  },
} as const satisfies Record<string, Shape>;
