import type { NamedPrincipal, Principal } from './policy.ts';
import { PolicyError, quoted } from './policy-error.ts';
import { isJsonObject, readTexts } from './policy-json.ts';

/**
 * Reads a `Principal` or `NotPrincipal`: `"*"`, or an object of lists by the kind of principal. IAM
 * user guide, "AWS JSON policy elements: Principal".
 */
export function parsePrincipals(value: unknown, where: string): readonly Principal[] {
  if (!isJsonObject(value)) {
    // Infrastructure tools also write the star in a list.
    const isAny = readTexts(value, where).every((text) => text === '*');
    if (isAny) return [{ kind: 'any' }];
    throw new PolicyError(`${where} is neither "*" nor an object such as {"AWS": "*"}.`);
  }
  const entries = Object.entries(value);
  if (entries.length === 0) throw new PolicyError(`${where} names nobody.`);
  return entries.flatMap(([kind, names]) => {
    const read = readers[kind];
    if (!Object.hasOwn(readers, kind) || read === undefined) {
      throw new PolicyError(`${where} has an unknown kind of principal ${quoted(kind)}.`);
    }
    return readTexts(names, `${where}, under "${kind}",`).map((name) => {
      const principal = read(name);
      if (principal !== undefined) return principal;
      throw new PolicyError(`${where} has an invalid principal ${quoted(name)}${hint(name)}.`);
    });
  });
}

const readers: Readonly<Record<string, (name: string) => Principal | undefined>> = {
  AWS: parseAwsPrincipal,
  Service: (name) =>
    /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(name) ? { kind: 'service', name } : undefined,
  Federated: (name) => (/^[^\s*?]+$/.test(name) ? { kind: 'federated', name } : undefined),
};

/** What most often is wrong. Parts of a principal's name match nothing, so they are refused. */
function hint(name: string): string {
  return /[*?]/.test(name) ? ': a wildcard stands only for everyone' : '';
}

const accountPattern = /^\d{12}$/;
const arnPattern = /^arn:aws(?:-[a-z]+)*:(iam|sts)::(\d{12}):([^*?]+)$/;

function parseAwsPrincipal(name: string): Principal | undefined {
  if (name === '*') return { kind: 'any' };
  if (accountPattern.test(name)) return { kind: 'account', accountId: name };
  const [, service, accountId, resource] = arnPattern.exec(name) ?? [];
  if (service === undefined || accountId === undefined || resource === undefined) return undefined;
  if (service === 'iam' && resource === 'root') return { kind: 'account', accountId };

  const [type = '', ...names] = resource.split('/');
  const kind = kindOf(service, type, names);
  return kind === undefined ? undefined : { kind, accountId, arn: name };
}

/** IAM user guide, "IAM and AWS STS quotas": names, and the paths in front of them. */
const namePattern = /^[A-Za-z0-9_+=,.@-]{1,64}$/;
const pathPattern = /^[\x21-\x7e]{0,510}$/;

function kindOf(
  service: string,
  type: string,
  names: readonly string[],
): NamedPrincipal['kind'] | undefined {
  if (service === 'iam' && (type === 'user' || type === 'role')) {
    const isNamed = namePattern.test(names.at(-1) ?? '');
    return isNamed && pathPattern.test(names.slice(0, -1).join('/')) ? type : undefined;
  }
  if (service !== 'sts' || !names.every((name) => namePattern.test(name))) return undefined;
  if (type === 'assumed-role' && names.length === 2) return 'role-session';
  return type === 'federated-user' && names.length === 1 ? 'federated-user' : undefined;
}
