import { accountId, body, required, vaultName } from './members.ts';
import type { Shape } from './shape.ts';

export const notificationShapes = {
  SetVaultNotifications: {
    input: {
      accountId,
      vaultName,
      sNSTopic: { ...required(body('SNSTopic', 'string')), emptyIsAbsent: true },
      events: { ...required(body('Events', { list: 'string' })), emptyIsAbsent: true },
    },
    output: {},
  },
  GetVaultNotifications: {
    input: { accountId, vaultName },
    output: {
      events: required(body('Events', { list: 'string' })),
      sNSTopic: required(body('SNSTopic', 'string')),
    },
  },
  DeleteVaultNotifications: {
    input: { accountId, vaultName },
    output: {},
  },
} as const satisfies Record<string, Shape>;
