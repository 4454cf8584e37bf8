import { toHex } from './tree-hash.ts';

/** The only algorithm of the API. Developer guide, "Signing Requests". */
export const signingAlgorithm = 'AWS4-HMAC-SHA256';

/** The last element of every credential scope. */
export const scopeTerminator = 'aws4_request';

/** SHA-256 of no bytes: the payload hash of every request without a body. */
export const emptyPayloadSha256 =
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** The functions that signatures are made of. Values, because a browser computes them otherwise. */
export interface SigningHashes {
  /** SHA-256 of `data` as 64 lower-case hexadecimal digits. */
  readonly sha256Hex: (data: Uint8Array) => string;
  readonly hmacSha256: (key: Uint8Array, data: Uint8Array) => Uint8Array;
}

/**
 * A request as far as its signature goes. Its texts hold one character per byte (what HTTP calls
 * latin-1), exactly as the bytes are on the wire.
 */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as they stand in the request line, percent-encoding and all. */
  readonly target: string;
  /** Names and values in turn, as Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[];
  /** The same by name, as `headersOf` tells them, where somebody has asked it before. */
  readonly headerMap?: HeaderMap;
}

/** What a signing key is good for: one day, one region, one service. */
export interface CredentialScope {
  /** `YYYYMMDD`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly terminator: string;
}

/** What a request says about its own signature; nothing of it is proved yet. */
export interface SignatureClaim {
  /** Where it stands: in the `Authorization` header, or in the query of a presigned URL. */
  readonly form: 'header' | 'query';
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** Lower-case names, sorted, each once. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** The date of the request, `YYYYMMDD'T'HHMMSS'Z'`. */
  readonly timestamp: string;
  readonly timestampMs: number;
  /** How long a presigned URL is good for. */
  readonly expiresSeconds: number | undefined;
  /** The token of temporary credentials. */
  readonly sessionToken: string | undefined;
  /** The value of `x-amz-content-sha256`, whatever it is. An empty one is none. */
  readonly payloadSha256: string | undefined;
}

/** The scope as it stands in a credential and in the string to sign. */
export function formatScope(scope: CredentialScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/${scope.terminator}`;
}

/** Developer guide, "Signing Requests", task 2: what the signing key is applied to. */
export function stringToSign(
  claim: Pick<SignatureClaim, 'timestamp' | 'scope'>,
  canonicalRequest: string,
  hashes: SigningHashes,
): string {
  const digest = hashes.sha256Hex(bytesOf(canonicalRequest));
  return `${signingAlgorithm}\n${claim.timestamp}\n${formatScope(claim.scope)}\n${digest}`;
}

/** Developer guide, "Signing Requests", task 3: the key of a day, a region and a service. */
export function deriveSigningKey(
  secretAccessKey: string,
  scope: CredentialScope,
  hashes: SigningHashes,
): Uint8Array {
  const steps = [scope.date, scope.region, scope.service, scope.terminator];
  return steps.reduce(
    (key, step) => hashes.hmacSha256(key, bytesOf(step)),
    encoder.encode(`AWS4${secretAccessKey}`) as Uint8Array,
  );
}

/** The signature of a string, 64 lower-case hexadecimal digits. */
export function signatureOf(signingKey: Uint8Array, toSign: string, hashes: SigningHashes): string {
  return toHex(hashes.hmacSha256(signingKey, bytesOf(toSign)));
}

const encoder = new TextEncoder();

/** The bytes of a text that holds one character per byte. */
export function bytesOf(text: string): Uint8Array {
  // UTF-8 has as many bytes as characters exactly when all of them are ASCII, as they mostly are.
  const encoded = encoder.encode(text);
  if (encoded.length === text.length) return encoded;
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** A text of one character per byte of its UTF-8 form: how a header carries any text. */
export function byteStringOf(text: string): string {
  return fromBytes(encoder.encode(text));
}

/** A text of one character per byte. */
export function fromBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Headers by lower-case name; those that came more than once are joined by commas. */
export type HeaderMap = ReadonlyMap<string, string>;

/** The headers of a request by name. Values lose the white space around them and nothing else. */
export function headersOf(rawHeaders: readonly string[]): HeaderMap {
  const headers = new Map<string, string>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = trimBlanks(rawHeaders[at + 1] ?? '');
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return headers;
}

/** Cuts spaces and tabs off both ends. Not `trim`: that takes 0xA0 too, a byte of many letters. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
