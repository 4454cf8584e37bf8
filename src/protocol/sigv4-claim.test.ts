import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { GlacierError } from './errors.ts';
import type { SignedRequest } from './sigv4.ts';
import { readSignatureClaim } from './sigv4-claim.ts';

const algorithm = 'AWS4-HMAC-SHA256';
const credential = 'Credential=AK/20120525/us-east-1/glacier/aws4_request';
const names = 'SignedHeaders=host;x-amz-date';
const signature = 'Signature=abc';
const amzDate = ['X-Amz-Date', '20120525T002453Z'];

function withHeader(authorization: string, others: readonly string[] = amzDate): SignedRequest {
  return { method: 'GET', target: '/', rawHeaders: ['Authorization', authorization, ...others] };
}

const parameters: Readonly<Record<string, string>> = {
  'X-Amz-Algorithm': algorithm,
  'X-Amz-Credential': 'AK%2F20120525%2Fus-east-1%2Fglacier%2Faws4_request',
  'X-Amz-Date': '20120525T002453Z',
  'X-Amz-Expires': '600',
  'X-Amz-SignedHeaders': 'host%3Bx-amz-a',
  'X-Amz-Signature': 'abc',
};

function presigned(changes: Readonly<Record<string, string | undefined>> = {}): SignedRequest {
  const pairs = Object.entries({ ...parameters, ...changes }).filter(
    ([, value]) => value !== undefined,
  );
  const query = pairs.map(([name, value]) => `${name}=${value}`).join('&');
  return { method: 'GET', target: `/?${query}`, rawHeaders: ['Host', 'h'] };
}

/** `code: message` of the error that reading throws. */
function problemOf(request: SignedRequest): string {
  try {
    readSignatureClaim(request);
    return 'none';
  } catch (error) {
    assert.ok(error instanceof GlacierError);
    return `${error.code}: ${error.message}`;
  }
}

const expected = {
  form: 'header',
  accessKeyId: 'AK',
  scope: {
    date: '20120525',
    region: 'us-east-1',
    service: 'glacier',
    terminator: 'aws4_request',
  },
  signedHeaders: ['host', 'x-amz-date'],
  signature: 'abc',
  timestamp: '20120525T002453Z',
  timestampMs: Date.UTC(2012, 4, 25, 0, 24, 53),
  expiresSeconds: undefined,
  sessionToken: undefined,
  payloadSha256: undefined,
};

for (const authorization of [
  `${algorithm} ${credential}, ${names}, ${signature}`,
  `${algorithm} ${credential},${names},${signature}`,
  `${algorithm} ${signature},   ${names} ,\t${credential},`,
  `${algorithm}\t ${names},${credential},${signature},Extra=1`,
  `${algorithm} ${credential}, SignedHeaders=X-Amz-Date;Host;host, ${signature}`,
]) {
  test(`the header ${JSON.stringify(authorization)} is understood`, () => {
    assert.deepEqual(readSignatureClaim(withHeader(authorization)), expected);
  });
}

test('x-amz-date wins over Date; an empty one is none', () => {
  const whole = `${algorithm} ${credential}, ${names}, ${signature}`;
  const date = ['Date', 'Sat, 26 May 2012 00:00:00 GMT'];
  const timestampOf = (others: readonly string[]) =>
    readSignatureClaim(withHeader(whole, others)).timestamp;
  assert.equal(timestampOf([...date, ...amzDate]), '20120525T002453Z');
  assert.equal(timestampOf(date), '20120526T000000Z');
  assert.equal(timestampOf([...date, 'X-Amz-Date', '']), '20120526T000000Z');
  assert.equal(timestampOf(['Date', '20120525T010203Z']), '20120525T010203Z');
});

test('the token and the payload hash are read from their headers; empty ones are none', () => {
  const whole = `${algorithm} ${credential}, ${names}, ${signature}`;
  const others = ['X-Amz-Security-Token', 'T', 'X-Amz-Content-Sha256', 'not a hash', ...amzDate];
  const claim = readSignatureClaim(withHeader(whole, others));
  assert.equal(claim.sessionToken, 'T');
  assert.equal(claim.payloadSha256, 'not a hash');
  const blank = ['X-Amz-Security-Token', '', 'X-Amz-Content-Sha256', '', ...amzDate];
  assert.deepEqual(readSignatureClaim(withHeader(whole, blank)), expected);
});

test('the query of a presigned URL is understood', () => {
  const claim = readSignatureClaim(presigned({ 'X-Amz-Security-Token': 'a%2Fb' }));
  assert.deepEqual(claim, {
    ...expected,
    form: 'query',
    signedHeaders: ['host', 'x-amz-a'],
    expiresSeconds: 600,
    sessionToken: 'a/b',
  });
});

test('the Authorization header wins over the query', () => {
  const rawHeaders = withHeader(`${algorithm} ${credential}, ${names}, ${signature}`).rawHeaders;
  assert.equal(readSignatureClaim({ ...presigned(), rawHeaders }).form, 'header');
});

test('a request without any signature lacks its authentication token', () => {
  const missing = 'MissingAuthenticationTokenException: Missing Authentication Token';
  assert.equal(problemOf({ method: 'GET', target: '/', rawHeaders: [] }), missing);
  assert.equal(
    problemOf({ method: 'GET', target: '/?a=X-Amz-Algorithm', rawHeaders: [] }),
    missing,
  );
  assert.equal(problemOf(presigned({ 'X-Amz-Algorithm': undefined })), missing);
  assert.equal(problemOf(withHeader('')), missing);
});

const requires = (name: string) => `Authorization header requires '${name}' parameter.`;

// biome-ignore format: a table reads best as a table
const malformed: readonly [authorization: string, problem: string][] = [
  [`${algorithm} ${credential}, ${names}`,     requires('Signature')],
  [`${algorithm} ${credential}, ${signature}`, requires('SignedHeaders')],
  [`${algorithm} ${names}, ${signature}`,      requires('Credential')],
  [`${algorithm} ${credential}, ${names}, Signature=`, requires('Signature')],
  [algorithm, ['Credential', 'Signature', 'SignedHeaders'].map(requires).join(' ')],
];

for (const [authorization, problem] of malformed) {
  test(`the header ${JSON.stringify(authorization)} says what it lacks`, () => {
    const text = `IncompleteSignatureException: ${problem} Authorization=${authorization}`;
    assert.equal(problemOf(withHeader(authorization)), text);
    // A missing part is told before a missing date.
    assert.equal(problemOf(withHeader(authorization, [])), text);
  });
}

for (const authorization of [
  `Basic dXNlcjpwYXNz`,
  `AWS4-HMAC-SHA512 ${credential}, ${names}, ${signature}`,
  `aws4-hmac-sha256 ${credential}, ${names}, ${signature}`,
  `${algorithm} ${credential}, ${names}, ${signature}, ${signature}`,
  `${algorithm} nonsense`,
  `${algorithm} ${names}, ${signature}, Credential=AK/20120525/us-east-1/glacier`,
  `${algorithm} ${names}, ${signature}, Credential=AK/20120525/us-east-1/glacier/aws4_request/x`,
]) {
  test(`the header ${JSON.stringify(authorization)} is an incomplete signature`, () => {
    assert.match(problemOf(withHeader(authorization)), /^IncompleteSignatureException: ./);
  });
}

test('a request that is not dated is an incomplete signature', () => {
  const authorization = `${algorithm} ${credential}, ${names}, ${signature}`;
  assert.equal(
    problemOf(withHeader(authorization, [])),
    'IncompleteSignatureException: Authorization header requires existence of either a ' +
      `'X-Amz-Date' or a 'Date' header. Authorization=${authorization}`,
  );
  const badDate = /^IncompleteSignatureException: Date must be in ISO-8601 'basic format'. Got 'x'/;
  assert.match(problemOf(withHeader(authorization, ['Date', 'x'])), badDate);
  assert.match(problemOf(withHeader(authorization, ['X-Amz-Date', 'x'])), badDate);
});

for (const name of Object.keys(parameters).filter((name) => name !== 'X-Amz-Algorithm')) {
  test(`a presigned URL without ${name} says so`, () => {
    const text =
      `IncompleteSignatureException: AWS query-string parameters must include '${name}'. ` +
      'Re-examine the query-string parameters.';
    assert.equal(problemOf(presigned({ [name]: undefined })), text);
    assert.equal(problemOf(presigned({ [name]: '' })), text);
  });
}

for (const [name, value] of [
  ['X-Amz-Expires', '0'],
  ['X-Amz-Expires', '604801'],
  ['X-Amz-Expires', '-1'],
  ['X-Amz-Expires', '1e3'],
  ['X-Amz-Expires', '1.5'],
  ['X-Amz-Date', 'Fri'],
  ['X-Amz-Algorithm', 'AWS4-HMAC-SHA1'],
  ['X-Amz-Algorithm', ''],
  ['X-Amz-Credential', 'AK'],
] as const) {
  test(`a presigned URL with ${name}=${value} is an incomplete signature`, () => {
    assert.match(problemOf(presigned({ [name]: value })), /^IncompleteSignatureException: ./);
  });
}

test('a presigned URL may be good for one second, or for a week', () => {
  assert.equal(readSignatureClaim(presigned({ 'X-Amz-Expires': '1' })).expiresSeconds, 1);
  assert.equal(
    readSignatureClaim(presigned({ 'X-Amz-Expires': '604800' })).expiresSeconds,
    604_800,
  );
});

test('whatever the header or the query, reading gives a claim or a named error', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(fc.constantFrom(credential, names, signature, ',', ' ', '=', '/', 'x'))
      .map((parts) => [algorithm, ...parts].join(' ')),
    fc
      .array(fc.constantFrom(...Object.keys(parameters), '&', '=', '%', '%2F', '+', 'x'))
      .map((parts) => `X-Amz-Algorithm=${algorithm}&${parts.join('')}`),
  );
  fc.assert(
    fc.property(hostile, hostile, (authorization, query) => {
      problemOf(withHeader(authorization));
      problemOf({ method: 'GET', target: `/?${query}`, rawHeaders: [] });
    }),
    { numRuns: 2000 },
  );
});
