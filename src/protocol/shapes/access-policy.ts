import { accountId, body, required, vaultName } from './members.ts';
import type { Member, Shape } from './shape.ts';

/** A policy document as JSON text, inside of the JSON document. */
export const policy = {
  ...required(body('Policy', 'string')),
  missingName: 'policy',
  emptyIsAbsent: true,
} as const satisfies Member;

export const accessPolicyShapes = {
  SetVaultAccessPolicy: {
    input: { accountId, vaultName, policy },
    output: {},
  },
  GetVaultAccessPolicy: {
    input: { accountId, vaultName },
    output: { policy: required(body('Policy', 'string')) },
  },
  DeleteVaultAccessPolicy: {
    input: { accountId, vaultName },
    output: {},
  },
} as const satisfies Record<string, Shape>;
