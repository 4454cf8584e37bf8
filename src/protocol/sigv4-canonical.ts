import {
  bytesOf,
  fromBytes,
  type HeaderMap,
  headersOf,
  type SignatureClaim,
  type SignedRequest,
} from './sigv4.ts';

/** What the canonical form of a request depends on, beside the request. */
export interface CanonicalOptions {
  /** SHA-256 of the body in hexadecimal, or whatever the client claims it to be. */
  readonly payloadSha256: string;
  /** Names that clients may have signed in place of the `Host` that arrived: behind a proxy. */
  readonly publicNames?: readonly string[];
}

/** No honest request has nearly as many forms; a hostile one makes us hash no more than these. */
const canonicalFormsMax = 64;

/**
 * The canonical requests that a client may have signed. Developer guide, "Signing Requests",
 * describes one; clients differ about unusual paths, queries and headers, and all their readings
 * are good. The common one comes first, and for most requests it is the only one.
 */
export function* canonicalRequests(
  request: SignedRequest,
  claim: Pick<SignatureClaim, 'form' | 'signedHeaders'>,
  options: CanonicalOptions,
): Generator<string, void, undefined> {
  const [path, query] = splitTarget(request.target);
  const pairs = parseQuery(query);
  const headers = request.headerMap ?? headersOf(request.rawHeaders);
  const values = signedValues(headers, pairs, claim);
  const paths = pathForms(path);
  const queries = queryForms(query, pairs, claim.form);
  const end = `${claim.signedHeaders.join(';')}\n${options.payloadSha256}`;

  let count = 0;
  for (const headerForm of headerForms(values, options.publicNames ?? [])) {
    for (const queryForm of queries) {
      for (const pathForm of paths) {
        if (++count > canonicalFormsMax) return;
        yield `${request.method}\n${pathForm}\n${queryForm}\n${headerForm}\n${end}`;
      }
    }
  }
}

/** The path and the query of a request line, without the question mark. */
export function splitTarget(target: string): [path: string, query: string] {
  const mark = target.indexOf('?');
  return mark === -1 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
}

/** Names and values of a query, decoded, in the order of their coming. `+` stands for itself. */
export function parseQuery(query: string): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = equals === -1 ? part : part.slice(0, equals);
    pairs.push([percentDecode(name), equals === -1 ? '' : percentDecode(part.slice(equals + 1))]);
  }
  return pairs;
}

/** Segments of unreserved characters, none of them empty, and none beginning with a dot. */
const plainPathPattern = /^(?:\/[A-Za-z0-9\-_~][A-Za-z0-9\-._~]*)+\/?$/;

/**
 * The path, encoded twice as all services but S3 have it, as it was sent, and encoded once; and the
 * same without removing its empty and dot segments, which some clients leave alone. For a path of
 * plain names these are all one.
 */
function pathForms(path: string): readonly string[] {
  if (plainPathPattern.test(path)) return [path];
  const normal = normalise(path);
  const starts = normal === path ? [normal] : [normal, path];
  const forms = starts.flatMap((start) => [
    percentEncodePath(start),
    start,
    percentEncodePath(percentDecode(start)),
  ]);
  return [...new Set(forms)];
}

/** Removes empty segments and, as RFC 3986 5.2.4, dot segments. Keeps a slash at the end. */
function normalise(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const end = path.endsWith('/') && segments.length > 0 ? '/' : '';
  return `/${segments.join('/')}${end}`;
}

/** The sorted query; where it holds a `+`, with that read as itself, then as a space. */
function queryForms(
  query: string,
  pairs: readonly [string, string][],
  form: SignatureClaim['form'],
): readonly string[] {
  if (query === '') return [''];
  const asSent = canonicalQuery(pairs, form);
  if (!query.includes('+')) return [asSent];
  return [asSent, canonicalQuery(parseQuery(query.replaceAll('+', ' ')), form)];
}

function canonicalQuery(pairs: readonly [string, string][], form: SignatureClaim['form']): string {
  const signed = pairs.filter(([name]) => form === 'header' || name !== 'X-Amz-Signature');
  const encoded = signed.map(
    ([name, value]) => [percentEncode(name), percentEncode(value)] as const,
  );
  // By code unit, upper case first: the encoded texts are plain ASCII, so this is by byte.
  encoded.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  return encoded.map(([name, value]) => `${name}=${value}`).join('&');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

type NamedValue = readonly [name: string, value: string];

/**
 * The signed headers with their values. One that did not come is empty, so that the signature
 * fails; but in a presigned URL a query parameter of the same name stands for it, as the second
 * generation of the SDK for JavaScript writes `x-amz-glacier-version`.
 */
function signedValues(
  headers: HeaderMap,
  pairs: readonly [string, string][],
  { form, signedHeaders }: Pick<SignatureClaim, 'form' | 'signedHeaders'>,
): readonly NamedValue[] {
  const inQuery = new Map<string, string>();
  if (form === 'query') {
    for (const [parameter, value] of pairs.toReversed()) {
      const name = parameter.toLowerCase();
      if (name.startsWith('x-amz-')) inQuery.set(name, value);
    }
  }
  return signedHeaders.map((name) => [name, headers.get(name) ?? inQuery.get(name) ?? '']);
}

/** The header lines, for each host name and each way of folding white space, without doubles. */
function* headerForms(
  values: readonly NamedValue[],
  publicNames: readonly string[],
): Generator<string, void, undefined> {
  const received = values.find(([name]) => name === 'host')?.[1] ?? '';
  const seen = new Set<string>();
  for (const host of hostForms(received, publicNames)) {
    for (const fold of foldings(values)) {
      let form = '';
      for (const [name, value] of values)
        form += `${name}:${fold(name === 'host' ? host : value)}\n`;
      if (!seen.has(form)) yield form;
      seen.add(form);
    }
  }
}

/** The host as it came and in lower case; each public name with and without its port. */
function* hostForms(
  received: string,
  publicNames: readonly string[],
): Generator<string, void, undefined> {
  yield received;
  yield received.toLowerCase();
  const port = /:\d+$/.exec(received)?.[0] ?? '';
  for (const name of publicNames) {
    const bare = name.replace(/:\d+$/, '');
    yield* [name, bare, bare === name ? `${bare}${port}` : name];
  }
}

/**
 * Developer guide, "Signing Requests": runs of spaces become one. Older texts of the rule spared
 * quoted strings, and some clients fold every space that Unicode knows: both only matter to values
 * that hold a double quote, or bytes beyond ASCII.
 */
function* foldings(
  values: readonly NamedValue[],
): Generator<(value: string) => string, void, undefined> {
  yield foldBlanks;
  if (values.some(([, value]) => value.includes('"'))) yield foldOutsideQuotes;
  if (values.some(([, value]) => /[\x80-\xff]/.test(value))) yield foldUnicodeSpaces;
}

function foldBlanks(value: string): string {
  return value.replace(/[ \t]+/g, ' ');
}

function foldOutsideQuotes(value: string): string {
  return value.replace(/"[^"]*"|[ \t]+/g, (match) => (match.startsWith('"') ? match : ' '));
}

function foldUnicodeSpaces(value: string): string {
  const text = new TextDecoder().decode(bytesOf(value));
  const folded = text.replace(/\p{White_Space}+/gu, ' ').trim();
  return fromBytes(new TextEncoder().encode(folded));
}

/** Percent-encodes all but the unreserved characters of RFC 3986. */
export function percentEncode(text: string): string {
  return text.replace(/[^A-Za-z0-9\-._~]/g, percentOf);
}

function percentEncodePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-._~/]/g, percentOf);
}

function percentOf(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** Undoes percent-encoding, byte by byte. A `%` that begins no escape stands for itself. */
function percentDecode(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
