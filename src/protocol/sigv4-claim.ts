import { GlacierError } from './errors.ts';
import {
  type HeaderMap,
  headersOf,
  type SignatureClaim,
  type SignedRequest,
  signingAlgorithm,
  trimBlanks,
} from './sigv4.ts';
import { parseQuery, splitTarget } from './sigv4-canonical.ts';
import { malformedDate, parseDateHeader, parseTimestamp, type SigningDate } from './sigv4-date.ts';
import { readPresignedClaim } from './sigv4-presigned.ts';
import { parseCredential, parseSignedHeaders } from './sigv4-scope.ts';

/**
 * Reads what a request says about its signature, from its `Authorization` header or else from its
 * query. Throws a `GlacierError` when there is nothing, when a part is missing, and when there is
 * no date, in this order.
 */
export function readSignatureClaim(request: SignedRequest): SignatureClaim {
  const headers = request.headerMap ?? headersOf(request.rawHeaders);
  const authorization = headers.get('authorization') ?? '';
  if (authorization !== '') return readHeaderClaim(authorization, headers);

  const pairs = parseQuery(splitTarget(request.target)[1]);
  if (pairs.some(([name]) => name === 'X-Amz-Algorithm')) return readPresignedClaim(pairs, headers);
  throw new GlacierError('MissingAuthenticationTokenException', 'Missing Authentication Token');
}

/** The parts that must be there, in the order in which their absence is reported. */
const requiredParts = ['Credential', 'Signature', 'SignedHeaders'] as const;

function readHeaderClaim(authorization: string, headers: HeaderMap): SignatureClaim {
  const parts = readParts(authorization);
  const missing = requiredParts.filter((name) => (parts.get(name) ?? '') === '');
  if (missing.length > 0) {
    const sentences = missing.map((name) => `Authorization header requires '${name}' parameter.`);
    throw incomplete(`${sentences.join(' ')} Authorization=${authorization}`);
  }
  const credential = parseCredential(parts.get('Credential') ?? '');
  return {
    ...credential,
    ...readDate(authorization, headers),
    form: 'header',
    signedHeaders: parseSignedHeaders(parts.get('SignedHeaders') ?? ''),
    signature: parts.get('Signature') ?? '',
    expiresSeconds: undefined,
    sessionToken: headers.get('x-amz-security-token') || undefined,
    payloadSha256: headers.get('x-amz-content-sha256') || undefined,
  };
}

/** The `name=value` parts behind the algorithm: parted by commas and blanks, in any order. */
function readParts(authorization: string): ReadonlyMap<string, string> {
  const algorithm = /^[^ \t]*/.exec(authorization)?.[0] ?? '';
  if (algorithm !== signingAlgorithm) {
    throw incomplete(
      `Unsupported AWS 'algorithm': '${algorithm}', must be '${signingAlgorithm}'. ` +
        `Authorization=${authorization}`,
    );
  }
  const parts = new Map<string, string>();
  for (const part of authorization.slice(algorithm.length).split(',').map(trimBlanks)) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    if (equals === -1) {
      const rule = 'not a valid key=value pair (missing equal-sign) in Authorization header';
      throw incomplete(`'${part}' ${rule}: '${authorization}'.`);
    }
    const name = part.slice(0, equals);
    if (parts.has(name)) {
      const rule = `Authorization header has more than one '${name}' parameter.`;
      throw incomplete(`${rule} Authorization=${authorization}`);
    }
    parts.set(name, part.slice(equals + 1));
  }
  return parts;
}

/** Developer guide, "Common Request Headers": `x-amz-date` always overrides the `Date` header. */
function readDate(authorization: string, headers: HeaderMap): SigningDate {
  const amzDate = headers.get('x-amz-date') ?? '';
  const date = headers.get('date') ?? '';
  if (amzDate === '' && date === '') {
    throw incomplete(
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. " +
        `Authorization=${authorization}`,
    );
  }
  const parsed = amzDate === '' ? parseDateHeader(date) : parseTimestamp(amzDate);
  if (parsed === undefined) throw malformedDate(amzDate === '' ? date : amzDate);
  return parsed;
}

function incomplete(message: string): GlacierError {
  return new GlacierError('IncompleteSignatureException', message);
}
