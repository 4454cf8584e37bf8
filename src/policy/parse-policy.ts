import { checkAction } from './parse-action.ts';
import { parseConditions } from './parse-condition.ts';
import { parsePrincipals } from './parse-principal.ts';
import { checkResource } from './parse-resource.ts';
import type { Effect, Policy, PolicyVersion, Principal, Selection, Statement } from './policy.ts';
import { PolicyError, quoted } from './policy-error.ts';
import {
  checkNames,
  isJsonObject,
  type JsonObject,
  parsePolicyJson,
  readList,
  readTexts,
} from './policy-json.ts';

/**
 * Reads the text of a policy of any kind: of a vault, or of a user or role. Throws a `PolicyError`
 * for the first thing in it that the grammar does not allow. Whether the kind of policy allows what
 * it says, such as a `Principal`, is for the kind to check.
 *
 * IAM user guide, "Grammar of the IAM JSON policy language".
 */
export function parsePolicy(text: string): Policy {
  const policy = parsePolicyJson(text);
  checkNames(policy, ['Version', 'Id', 'Statement'], 'The policy');
  const version = readVersion(policy);
  if (policy['Id'] !== undefined && typeof policy['Id'] !== 'string') {
    throw new PolicyError('The "Id" of the policy is not a string.');
  }
  if (!('Statement' in policy)) throw new PolicyError('The policy has no "Statement".');

  let count = 0;
  const statements = readList(policy['Statement'], 'The "Statement" of the policy', (value) => {
    count += 1;
    return parseStatement(value, version, `Statement ${count}`);
  });
  checkUnique(statements);
  return { version, id: policy['Id'], statements };
}

function readVersion(policy: JsonObject): PolicyVersion {
  const version = policy['Version'];
  if (version === '2012-10-17' || version === '2008-10-17') return version;
  if (version === undefined) return '2008-10-17';
  throw new PolicyError('The "Version" of the policy is neither "2012-10-17" nor "2008-10-17".');
}

const statementNames: readonly string[] = [
  ...['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction'],
  ...['Resource', 'NotResource', 'Condition'],
];

function parseStatement(value: unknown, version: PolicyVersion, where: string): Statement {
  if (!isJsonObject(value)) throw new PolicyError(`${where} is not a JSON object.`);
  checkNames(value, statementNames, where);
  return {
    sid: readSid(value, where),
    effect: readEffect(value, where),
    principals: readPrincipals(value, where),
    actions: readSelection(value, 'Action', where, (action, place) => checkAction(action, place)),
    resources: readSelection(value, 'Resource', where, (resource, place) =>
      checkResource(resource, version, place),
    ),
    conditions: parseConditions(value['Condition'], version, where),
  };
}

/**
 * IAM's own documents allow letters and digits only, but the developer guide's examples of vault
 * policies have hyphens.
 */
const sidPattern = /^[A-Za-z0-9 _.-]*$/;

function readSid(statement: JsonObject, where: string): string | undefined {
  const sid = statement['Sid'];
  if (sid === undefined) return undefined;
  if (typeof sid !== 'string') {
    throw new PolicyError(`The "Sid" of ${lower(where)} is not a string.`);
  }
  if (sidPattern.test(sid)) return sid;
  throw new PolicyError(
    `${where} has a "Sid" ${quoted(sid)}, but letters, digits, blanks, "_", "." and "-" alone are \
allowed there.`,
  );
}

function readEffect(statement: JsonObject, where: string): Effect {
  const effect = statement['Effect'];
  if (effect === 'Allow' || effect === 'Deny') return effect;
  if (effect === undefined) throw new PolicyError(`${where} has no "Effect".`);
  throw new PolicyError(`${where} has an "Effect" that is neither "Allow" nor "Deny".`);
}

function readPrincipals(statement: JsonObject, where: string): Selection<Principal> | undefined {
  if (!('Principal' in statement) && !('NotPrincipal' in statement)) return undefined;
  const { name, value, negated } = oneOf(statement, 'Principal', where);
  return { negated, listed: parsePrincipals(value, `The "${name}" of ${lower(where)}`) };
}

function readSelection(
  statement: JsonObject,
  element: 'Action' | 'Resource',
  where: string,
  check: (text: string, place: string) => void,
): Selection<string> {
  const { name, value, negated } = oneOf(statement, element, where);
  const listed = readTexts(value, `The "${name}" of ${lower(where)}`);
  for (const text of listed) check(text, where);
  return { negated, listed };
}

/** The value of `Action` or `NotAction`, of which a statement has exactly one; others alike. */
function oneOf(statement: JsonObject, element: string, where: string) {
  const [plain, not] = [element, `Not${element}`];
  const negated = not in statement;
  if (negated && plain in statement) {
    throw new PolicyError(`${where} has both "${plain}" and "${not}".`);
  }
  const name = negated ? not : plain;
  if (!(name in statement)) {
    throw new PolicyError(`${where} has neither "${plain}" nor "${not}".`);
  }
  return { name, value: statement[name], negated };
}

/** Some tools write an empty `Sid` into every statement, which names none. */
function checkUnique(statements: readonly Statement[]): void {
  const sids = new Set<string>();
  for (const { sid = '' } of statements) {
    if (sid !== '' && sids.has(sid)) {
      throw new PolicyError(`Two statements have the "Sid" ${quoted(sid)}.`);
    }
    sids.add(sid);
  }
}

/** `Statement 2` within a sentence. */
function lower(where: string): string {
  return where.replace('Statement', 'statement');
}
