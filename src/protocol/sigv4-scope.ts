import { GlacierError } from './errors.ts';
import { type CredentialScope, type SignatureClaim, scopeTerminator } from './sigv4.ts';

/** Any region that is well-formed: one server serves them all. */
const regionPattern = /^[a-z0-9-]{1,64}$/;

/** The date is part of what is signed whichever of them a client lists. */
const dateHeaders: ReadonlySet<string> = new Set(['x-amz-date', 'date']);

/** Reads `AccessKeyId/YYYYMMDD/region/service/aws4_request`. */
export function parseCredential(text: string): Pick<SignatureClaim, 'accessKeyId' | 'scope'> {
  const [accessKeyId, date, region, service, terminator, ...more] = text.split('/');
  if (
    accessKeyId === undefined ||
    date === undefined ||
    region === undefined ||
    service === undefined ||
    terminator === undefined ||
    more.length > 0
  ) {
    const rule = 'Credential must have exactly 5 slash-delimited elements';
    throw new GlacierError(
      'IncompleteSignatureException',
      `${rule}, e.g. keyid/date/region/service/term, got '${text}'`,
    );
  }
  return { accessKeyId, scope: { date, region, service, terminator } };
}

/** Reads `host;x-amz-date`: lower-case names, sorted, each once, whatever their order was. */
export function parseSignedHeaders(text: string): readonly string[] {
  const names = text.toLowerCase().split(';');
  // As nearly all clients send them, and as nothing has to be made of them.
  if (names.every((name, at) => name > (names[at - 1] ?? ''))) return names;
  return [...new Set(names)].filter((name) => name !== '').sort();
}

/**
 * Throws a `GlacierError` unless the key was meant for the day of the request, for a region and for
 * one of `services`. Developer guide, "Signing Requests": a derived key is good for one date, one
 * region and one service.
 */
export function checkScope(claim: SignatureClaim, services: readonly string[]): void {
  const { scope, timestamp } = claim;
  const problem =
    dateProblem(scope, timestamp) ?? regionProblem(scope) ?? serviceProblem(scope, services);
  if (problem !== undefined) throw new GlacierError('InvalidSignatureException', problem);
}

function dateProblem(scope: CredentialScope, timestamp: string): string | undefined {
  const day = timestamp.slice(0, 8);
  if (scope.date === day) return undefined;
  return (
    'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ' +
    `'${scope.date}' != '${day}', from '${timestamp}'.`
  );
}

function regionProblem(scope: CredentialScope): string | undefined {
  if (regionPattern.test(scope.region)) return undefined;
  return `Credential should be scoped to a valid region, not '${scope.region}'.`;
}

function serviceProblem(scope: CredentialScope, services: readonly string[]): string | undefined {
  if (!services.includes(scope.service)) {
    return `Credential should be scoped to correct service: '${services[0] ?? ''}'.`;
  }
  if (scope.terminator === scopeTerminator) return undefined;
  return (
    `Credential should be scoped with a valid terminator: '${scopeTerminator}', ` +
    `not '${scope.terminator}'.`
  );
}

/**
 * Throws a `GlacierError` unless the host is signed, and in a header's signature a date. No other
 * header need be signed: the guide's own samples leave some out.
 */
export function checkSignedHeaders({ form, signedHeaders }: SignatureClaim): void {
  let missing: string | undefined;
  if (!signedHeaders.includes('host')) missing = 'Host';
  else if (form === 'header' && !signedHeaders.some((name) => dateHeaders.has(name))) {
    missing = 'X-Amz-Date';
  }
  if (missing === undefined) return;
  throw new GlacierError(
    'InvalidSignatureException',
    `'${missing}' must be a 'SignedHeader' in the AWS Authorization.`,
  );
}
