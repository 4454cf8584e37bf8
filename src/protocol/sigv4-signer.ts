import { assert } from '../lib/assert.ts';
import {
  deriveSigningKey,
  formatScope,
  type SignatureClaim,
  type SignedRequest,
  type SigningHashes,
  scopeTerminator,
  signatureOf,
  signingAlgorithm,
  stringToSign,
} from './sigv4.ts';
import { canonicalRequests, percentEncode } from './sigv4-canonical.ts';
import { formatTimestamp } from './sigv4-date.ts';

/** The secrets that a request is signed with. */
export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Comes with temporary credentials. */
  readonly sessionToken?: string | undefined;
}

/**
 * A request that is to be signed. Header values beyond ASCII are written with `byteStringOf`; the
 * `Host` header must be among them.
 */
export interface RequestToSign extends SignedRequest {
  /** SHA-256 of the body, 64 lower-case hexadecimal digits. */
  readonly payloadSha256: string;
  readonly dateMs: number;
  readonly region: string;
  readonly service: string;
  /** Lower-case names of the headers to sign; all that no proxy changes when not given. */
  readonly signedHeaders?: readonly string[];
}

/** Headers that belong to a connection, or that proxies and libraries change. */
const unsignable: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'x-amzn-trace-id',
]);

/**
 * Adds the headers `X-Amz-Date`, `X-Amz-Security-Token` where there is a token, and `Authorization`
 * to a request. Developer guide, "Signing Requests".
 */
export function sign(
  request: RequestToSign,
  credentials: SigningCredentials,
  hashes: SigningHashes,
): SignedRequest {
  const { method, target, payloadSha256 } = request;
  const timestamp = formatTimestamp(request.dateMs);
  const rawHeaders = [...request.rawHeaders, 'X-Amz-Date', timestamp];
  const token = credentials.sessionToken;
  if (token !== undefined) rawHeaders.push('X-Amz-Security-Token', token);

  const added = token === undefined ? ['x-amz-date'] : ['x-amz-date', 'x-amz-security-token'];
  const signedHeaders =
    request.signedHeaders === undefined
      ? signableNames(rawHeaders)
      : [...new Set([...request.signedHeaders, ...added])].sort();
  const claim = { ...claimOf(request), form: 'header', timestamp, signedHeaders } as const;
  const signature = signatureFor(
    { method, target, rawHeaders },
    { claim, payloadSha256, secretAccessKey: credentials.secretAccessKey },
    hashes,
  );
  const credential = `${credentials.accessKeyId}/${formatScope(claim.scope)}`;
  const authorization =
    `${signingAlgorithm} Credential=${credential}, ` +
    `SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  return { method, target, rawHeaders: [...rawHeaders, 'Authorization', authorization] };
}

/** Adds a signature to the query of a request, so that its URL alone is good for a while. */
export function presign(
  request: RequestToSign & { readonly expiresSeconds: number },
  credentials: SigningCredentials,
  hashes: SigningHashes,
): SignedRequest {
  const { method, rawHeaders, payloadSha256 } = request;
  const timestamp = formatTimestamp(request.dateMs);
  const signedHeaders = [...(request.signedHeaders ?? signableNames(rawHeaders))].sort();
  const claim = { ...claimOf(request), form: 'query', timestamp, signedHeaders } as const;
  const parameters: [name: string, value: string][] = [
    ['X-Amz-Algorithm', signingAlgorithm],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${formatScope(claim.scope)}`],
    ['X-Amz-Date', timestamp],
    ['X-Amz-Expires', String(request.expiresSeconds)],
    ['X-Amz-SignedHeaders', signedHeaders.join(';')],
  ];
  const token = credentials.sessionToken;
  if (token !== undefined) parameters.push(['X-Amz-Security-Token', token]);
  const query = parameters.map(([name, value]) => `${name}=${percentEncode(value)}`).join('&');
  const target = `${request.target}${request.target.includes('?') ? '&' : '?'}${query}`;
  const signature = signatureFor(
    { method, target, rawHeaders },
    { claim, payloadSha256, secretAccessKey: credentials.secretAccessKey },
    hashes,
  );
  return { method, target: `${target}&X-Amz-Signature=${signature}`, rawHeaders };
}

function claimOf({ dateMs, region, service }: RequestToSign): Pick<SignatureClaim, 'scope'> {
  const date = formatTimestamp(dateMs).slice(0, 8);
  return { scope: { date, region, service, terminator: scopeTerminator } };
}

function signableNames(rawHeaders: readonly string[]): readonly string[] {
  const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  return [...new Set(names)].filter((name) => !unsignable.has(name)).sort();
}

interface Signing {
  readonly claim: Pick<SignatureClaim, 'form' | 'scope' | 'signedHeaders' | 'timestamp'>;
  readonly payloadSha256: string;
  readonly secretAccessKey: string;
}

/** The signature over the common canonical form, which is the first. */
function signatureFor(
  request: SignedRequest,
  { claim, payloadSha256, secretAccessKey }: Signing,
  hashes: SigningHashes,
): string {
  const { value: canonicalRequest } = canonicalRequests(request, claim, { payloadSha256 }).next();
  assert(canonicalRequest !== undefined, 'Every request has a canonical form');
  assert(/^[^\u0100-\uffff]*$/.test(canonicalRequest), 'Headers hold one character per byte');
  const key = deriveSigningKey(secretAccessKey, claim.scope, hashes);
  return signatureOf(key, stringToSign(claim, canonicalRequest, hashes), hashes);
}
