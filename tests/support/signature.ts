import { createHash, createHmac } from 'node:crypto';

/** An access key, as clients have it. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Header lines in the order in which they are sent. Values hold one character per byte. */
export type HeaderLines = readonly (readonly [name: string, value: string])[];

export interface UnsignedRequest {
  readonly method: string;
  /** Path and query, percent-encoded, as on the request line. */
  readonly target: string;
  readonly headers: HeaderLines;
}

/** How a request is signed; a test changes one of them to see what the server says. */
export interface Signing {
  readonly credentials: Credentials;
  readonly region: string;
  readonly service: string;
  readonly terminator: string;
  readonly dateMs: number;
  /** The day of the credential scope, when it is to be another than the request's. */
  readonly scopeDay?: string | undefined;
  /** Lower-case hexadecimal SHA-256 of the body, or what the request claims it to be. */
  readonly payloadSha256: string;
  /** Lower-case names of the headers to sign. */
  readonly signedNames: readonly string[];
  /** How often the path is percent-encoded in the canonical form: once by S3, twice by all others. */
  readonly pathEncodings: 1 | 2;
}

export const sha256Hex = (bytes: Uint8Array | string) =>
  createHash('sha256').update(bytes).digest('hex');

const hmac = (key: Uint8Array | string, text: string) =>
  createHmac('sha256', key).update(text, 'latin1').digest();

/** `20260131T142633Z` */
export function basicDate(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
}

/** Percent-encodes all but the unreserved characters of RFC 3986. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The value of the `Authorization` header. The headers must hold the date already. */
export function authorizationOf(request: UnsignedRequest, signing: Signing): string {
  const { credentials } = signing;
  return (
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scopeOf(signing)}, ` +
    `SignedHeaders=${signing.signedNames.join(';')}, Signature=${signatureOf(request, signing)}`
  );
}

/** The request's target with a signature in its query, good for `expiresSeconds`. */
export function presignedTarget(
  request: UnsignedRequest,
  signing: Signing & { readonly expiresSeconds: number },
): string {
  const parameters = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${signing.credentials.accessKeyId}/${scopeOf(signing)}`,
    'X-Amz-Date': basicDate(signing.dateMs),
    'X-Amz-Expires': String(signing.expiresSeconds),
    'X-Amz-SignedHeaders': signing.signedNames.join(';'),
  };
  const query = Object.entries(parameters).map((pair) => pair.map(percentEncode).join('='));
  const separator = request.target.includes('?') ? '&' : '?';
  const target = `${request.target}${separator}${query.join('&')}`;
  return `${target}&X-Amz-Signature=${signatureOf({ ...request, target }, signing)}`;
}

export function signatureOf(request: UnsignedRequest, signing: Signing): string {
  const { region, service, terminator, credentials } = signing;
  const toSign = [
    'AWS4-HMAC-SHA256',
    basicDate(signing.dateMs),
    scopeOf(signing),
    sha256Hex(Buffer.from(canonicalRequest(request, signing), 'latin1')),
  ].join('\n');
  let key: Uint8Array | string = `AWS4${credentials.secretAccessKey}`;
  for (const part of [dayOf(signing), region, service, terminator]) key = hmac(key, part);
  return hmac(key, toSign).toString('hex');
}

function canonicalRequest(
  { method, target, headers }: UnsignedRequest,
  { signedNames, payloadSha256, pathEncodings }: Signing,
): string {
  const [path = '', query = ''] = target.split(/\?(.*)/s);
  const encodedPath = pathEncodings === 1 ? path : path.split('/').map(percentEncode).join('/');
  const values = signedNames.map((name) => {
    const lines = headers.filter(([each]) => each.toLowerCase() === name);
    return `${name}:${lines.map(([, value]) => value.trim().replaceAll(/[ \t]+/g, ' ')).join(',')}\n`;
  });
  return [
    method,
    encodedPath,
    canonicalQuery(query),
    values.join(''),
    signedNames.join(';'),
    payloadSha256,
  ].join('\n');
}

function canonicalQuery(query: string): string {
  const pairs = query.split('&').filter((pair) => pair !== '');
  const encoded = pairs.map((pair) => {
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    return [name, value].map((text) => percentEncode(decodeURIComponent(text))).join('=');
  });
  return encoded.sort().join('&');
}

function dayOf({ scopeDay, dateMs }: Signing): string {
  return scopeDay ?? basicDate(dateMs).slice(0, 8);
}

function scopeOf(signing: Signing): string {
  return `${dayOf(signing)}/${signing.region}/${signing.service}/${signing.terminator}`;
}
