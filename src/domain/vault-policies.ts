import { parsePolicy } from '../policy/parse-policy.ts';
import { PolicyError } from '../policy/policy-error.ts';
import { checkVaultPolicy } from '../policy/vault-policy.ts';
import { type GlacierError, invalidParameter } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import { vaultArn } from '../protocol/names.ts';
import { operationNames, rowOf } from '../protocol/operations.ts';
import type { VaultKey } from '../storage/rows.ts';

/**
 * Developer guide, "Vault Access Policies": not to be used in a vault's policy are CreateVault and
 * what concerns the account as a whole.
 */
const identityOnlyNames = operationNames.filter(
  (name) => name === 'CreateVault' || rowOf(name).on === 'account',
);

/**
 * Throws `400` unless `text` is a policy that can apply to the vault. The first sentence of the error
 * is that of the live service, which says nothing of the reason.
 */
export function checkVaultPolicyText(text: string, vault: VaultKey, kind: 'access' | 'lock'): void {
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > limits.policySizeBytesMax) {
    const reason = `It has ${sizeBytes} bytes, and may have ${limits.policySizeBytesMax}.`;
    throw invalidPolicy(kind, reason);
  }
  // Half of a surrogate pair has no bytes: the policy could not be given back as it came.
  if (!text.isWellFormed()) throw invalidPolicy(kind, 'It is no Unicode text.');
  try {
    const policy = parsePolicy(text);
    checkVaultPolicy(policy, { vaultArn: vaultArn(vault), operationNames, identityOnlyNames });
  } catch (error) {
    throw error instanceof PolicyError ? invalidPolicy(kind, error.message, error) : error;
  }
}

function invalidPolicy(kind: string, reason: string, cause?: Error): GlacierError {
  return invalidParameter(
    `The specified vault ${kind} policy is invalid. Provide a valid policy. Reason: ${reason}`,
    { cause },
  );
}
