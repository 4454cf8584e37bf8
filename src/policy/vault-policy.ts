import { matchesArn, parseArnPattern } from './arn-pattern.ts';
import { splitAction } from './parse-action.ts';
import type { Policy, PolicyVersion, Statement } from './policy.ts';
import { PolicyError, quoted } from './policy-error.ts';
import { hasVariables } from './policy-variables.ts';
import { matches, wildcardOf } from './wildcard.ts';

/** What the service knows, against which the policies of its vaults are checked. */
export interface VaultPolicyRules {
  /** Of the vault that the policy is for. */
  readonly vaultArn: string;
  /** The names of all operations, such as `DeleteArchive`. */
  readonly operationNames: readonly string[];
  /** Those of them that only the policies of users and roles can allow or deny. */
  readonly identityOnlyNames: readonly string[];
}

/**
 * Throws a `PolicyError` for what no policy of a vault may say, be it the access policy or the
 * lock's: most of all for a statement that could never apply, since a lock that protects nothing
 * would be found out too late. Developer guide, "Vault Access Policies" and "Vault Lock Policies".
 */
export function checkVaultPolicy(policy: Policy, rules: VaultPolicyRules): void {
  for (const [index, statement] of policy.statements.entries()) {
    const where = `Statement ${index + 1}`;
    checkPrincipals(statement, where);
    checkActions(statement, rules, where);
    checkResources(statement, policy.version, rules.vaultArn, where);
  }
}

function checkPrincipals({ principals, effect }: Statement, where: string): void {
  if (principals === undefined) {
    throw new PolicyError(`${where} has neither "Principal" nor "NotPrincipal".`);
  }
  if (!principals.negated) return;
  if (effect === 'Allow') {
    throw new PolicyError(`${where} allows with "NotPrincipal", which would let in everyone else.`);
  }
  if (principals.listed.some(({ kind }) => kind === 'any')) {
    throw new PolicyError(`${where} has a "NotPrincipal" that spares everyone.`);
  }
}

function checkActions({ actions }: Statement, rules: VaultPolicyRules, where: string): void {
  const names = rules.operationNames.filter((name) => !rules.identityOnlyNames.includes(name));
  const spared = new Set<string>();
  for (const action of actions.listed) {
    const covered = coveredBy(action, names);
    if (covered.length === 0) throw uselessAction(action, rules, where);
    for (const name of covered) spared.add(name);
  }
  if (actions.negated && spared.size === names.length) {
    throw new PolicyError(`${where} has a "NotAction" that spares every action on a vault.`);
  }
}

/** The operations that an action's pattern stands for; names have no case here. */
function coveredBy(action: string, operationNames: readonly string[]): readonly string[] {
  const pattern = wildcardOf(action.toLowerCase());
  return operationNames.filter((name) => matches(pattern, `glacier:${name.toLowerCase()}`));
}

/** Why an action is refused that stands for no operation on a vault. */
function uselessAction(action: string, rules: VaultPolicyRules, where: string): PolicyError {
  const { service, name } = splitAction(action) ?? { service: '', name: '' };
  if (service !== 'glacier') {
    return new PolicyError(`${where} has an action of another service, ${quoted(action)}.`);
  }
  if (/[*?]/.test(name)) {
    return new PolicyError(
      `${where} has an action ${quoted(action)}, which matches none on a vault.`,
    );
  }
  if (coveredBy(action, rules.operationNames).length === 0) {
    return new PolicyError(`${where} has an unknown action ${quoted(action)}.`);
  }
  return new PolicyError(
    `${where} has an action ${quoted(action)}, which only the policies of users and roles can \
allow or deny.`,
  );
}

/**
 * Of several resources one must be able to match: a policy may be written for many vaults. Nothing
 * is known yet of what a variable will stand for.
 */
function checkResources(
  { resources }: Statement,
  version: PolicyVersion,
  vaultArn: string,
  where: string,
): void {
  const isLike = (resource: string) => {
    const pattern = parseArnPattern(resource, version);
    return pattern !== undefined && matchesArn(pattern, vaultArn, () => anything);
  };
  if (!resources.negated && !resources.listed.some(isLike)) {
    throw new PolicyError(`${where} has no "Resource" that matches this vault, ${vaultArn}.`);
  }
  const certain = resources.listed.filter((resource) => !hasVariables(resource, version));
  if (resources.negated && certain.some(isLike)) {
    throw new PolicyError(`${where} has a "NotResource" that spares this vault, ${vaultArn}.`);
  }
}

const anything = wildcardOf('*');
