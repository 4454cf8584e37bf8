import { GlacierError } from './errors.ts';
import { type HeaderMap, type SignatureClaim, signingAlgorithm } from './sigv4.ts';
import { malformedDate, parseTimestamp } from './sigv4-date.ts';
import { parseCredential, parseSignedHeaders } from './sigv4-scope.ts';

/** A presigned URL is good for a week at most. */
const expiresSecondsMax = 604_800;

/** The parameters that must be there, in the order in which their absence is reported. */
const requiredParameters = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
  'X-Amz-Date',
  'X-Amz-Expires',
] as const;

/**
 * Reads what the query of a presigned URL says about its signature. Throws a `GlacierError` when a
 * part is missing or malformed. The guide does not speak of presigned URLs; all SDKs can make them.
 */
export function readPresignedClaim(
  pairs: readonly [name: string, value: string][],
  headers: HeaderMap,
): SignatureClaim {
  const parameter = (name: string) => pairs.find((pair) => pair[0] === name)?.[1] ?? '';
  const algorithm = parameter('X-Amz-Algorithm');
  if (algorithm !== '' && algorithm !== signingAlgorithm) {
    throw incomplete(`Unsupported AWS 'algorithm': '${algorithm}', must be '${signingAlgorithm}'.`);
  }
  const missing = requiredParameters.filter((name) => parameter(name) === '');
  if (missing.length > 0) {
    const sentences = missing.map((name) => `AWS query-string parameters must include '${name}'.`);
    throw incomplete(`${sentences.join(' ')} Re-examine the query-string parameters.`);
  }
  const credential = parseCredential(parameter('X-Amz-Credential'));
  const date = parseTimestamp(parameter('X-Amz-Date'));
  if (date === undefined) throw malformedDate(parameter('X-Amz-Date'));
  return {
    ...credential,
    ...date,
    form: 'query',
    signedHeaders: parseSignedHeaders(parameter('X-Amz-SignedHeaders')),
    signature: parameter('X-Amz-Signature'),
    expiresSeconds: parseExpires(parameter('X-Amz-Expires')),
    sessionToken:
      parameter('X-Amz-Security-Token') || headers.get('x-amz-security-token') || undefined,
    payloadSha256: headers.get('x-amz-content-sha256') || undefined,
  };
}

function parseExpires(text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= expiresSecondsMax) return seconds;
  const rule = `X-Amz-Expires must be a number of seconds from 1 to ${expiresSecondsMax}`;
  throw incomplete(`${rule}, not '${text}'.`);
}

function incomplete(message: string): GlacierError {
  return new GlacierError('IncompleteSignatureException', message);
}
