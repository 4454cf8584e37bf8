import assert from 'node:assert/strict';
import test from 'node:test';
import { SimulatedClock } from '../lib/clock.ts';
import { sha256Hex } from '../lib/node/sha256.ts';
import { errorCodes, GlacierError } from '../protocol/errors.ts';
import { emptyPayloadSha256, type SignedRequest } from '../protocol/sigv4.ts';
import { presign, type RequestToSign, sign } from '../protocol/sigv4-signer.ts';
import {
  Authenticator,
  type AuthenticatorOptions,
  type Credential,
  payloadMismatch,
} from './authenticate.ts';
import { nodeHashes } from './signing-keys.ts';

const nowMs = Date.UTC(2017, 1, 10, 12);

const root: Credential = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  accountId: '012345678901',
  principalArn: 'arn:aws:iam::012345678901:root',
  isActive: true,
};

const user: Credential = {
  ...root,
  accessKeyId: 'AKIDUSER',
  secretAccessKey: 'the secret of the user',
  principalArn: 'arn:aws:iam::012345678901:user/root',
};

const session: Credential = {
  ...user,
  accessKeyId: 'ASIASESSION',
  sessionToken: 'the token',
  expiresAtMs: nowMs + 60_000,
};

const inactive: Credential = { ...user, accessKeyId: 'AKIDINACTIVE', isActive: false };

const known = new Map([root, user, session, inactive].map((one) => [one.accessKeyId, one]));

function authenticator(options: Partial<AuthenticatorOptions> = {}): Authenticator {
  return new Authenticator({
    credentials: async (accessKeyId) => known.get(accessKeyId),
    clock: new SimulatedClock(nowMs),
    ...options,
  });
}

const version = ['x-amz-glacier-version', '2012-06-01'];

function request(changes: Partial<RequestToSign> = {}): RequestToSign {
  return {
    method: 'GET',
    target: '/-/vaults/examplevault',
    rawHeaders: ['Host', '127.0.0.1:8480', ...version],
    payloadSha256: emptyPayloadSha256,
    dateMs: nowMs,
    region: 'us-west-2',
    service: 'glacier',
    ...changes,
  };
}

function signed(changes: Partial<RequestToSign> = {}, by: Credential = root): SignedRequest {
  return sign(request(changes), by, nodeHashes);
}

function presigned(
  changes: Partial<RequestToSign> & { readonly expiresSeconds?: number } = {},
  by: Credential = root,
): SignedRequest {
  const url = request({ rawHeaders: ['Host', '127.0.0.1:8480'], ...changes });
  return presign({ expiresSeconds: 600, ...url }, by, nodeHashes);
}

interface Attempt {
  readonly options?: Partial<AuthenticatorOptions>;
  readonly payloadSha256?: string;
}

async function callerOf(received: SignedRequest, attempt: Attempt = {}) {
  const pending = await authenticator(attempt.options).begin(received);
  return pending.finish(attempt.payloadSha256 ?? emptyPayloadSha256);
}

/** The access key of a request that is let in; else the code and message of its error. */
async function outcomeOf(received: SignedRequest, attempt: Attempt = {}): Promise<string> {
  try {
    return (await callerOf(received, attempt)).accessKeyId;
  } catch (error) {
    assert.ok(error instanceof GlacierError, String(error));
    return `${error.code} ${errorCodes[error.code].status}: ${error.message}`;
  }
}

/** The request with the header `name` set to `value`, whether it was there before or not. */
function withHeader(received: SignedRequest, name: string, value: string): SignedRequest {
  return { ...received, rawHeaders: [...without(received, name).rawHeaders, name, value] };
}

function without(received: SignedRequest, name: string): SignedRequest {
  const pairs: string[] = [];
  for (let at = 0; at < received.rawHeaders.length; at += 2) {
    const [header = '', value = ''] = received.rawHeaders.slice(at, at + 2);
    if (header.toLowerCase() !== name.toLowerCase()) pairs.push(header, value);
  }
  return { ...received, rawHeaders: pairs };
}

function headerOf(received: SignedRequest, name: string): string {
  const at = received.rawHeaders.findIndex((header) => header.toLowerCase() === name.toLowerCase());
  return received.rawHeaders[at + 1] ?? '';
}

/** Rewrites the `Authorization` header. */
function reauthorized(received: SignedRequest, change: (value: string) => string): SignedRequest {
  return withHeader(received, 'Authorization', change(headerOf(received, 'Authorization')));
}

const rootKey = root.accessKeyId;
const mismatch =
  'InvalidSignatureException 403: The request signature we calculated does not match the ' +
  'signature you provided. Check your AWS Secret Access Key and signing method. Consult the ' +
  'service documentation for details.';
const unrecognized =
  'UnrecognizedClientException 400: The security token included in the request is invalid.';

test('the caller is who signed, and the place is the scope', async () => {
  assert.deepEqual(await callerOf(signed({ region: 'eu-central-1' })), {
    accountId: '012345678901',
    accessKeyId: rootKey,
    principalArn: 'arn:aws:iam::012345678901:root',
    isRoot: true,
    region: 'eu-central-1',
    service: 'glacier',
  });
  assert.equal((await callerOf(signed({}, user))).isRoot, false);
});

test('a signature is verified at once when the request names the hash of its body', async () => {
  const body = sha256Hex('Welcome to Amazon Glacier.');
  const named = signed({
    rawHeaders: [...request().rawHeaders, 'x-amz-content-sha256', body],
    payloadSha256: body,
  });
  const pending = await authenticator().begin(named);
  assert.equal(pending.caller?.accessKeyId, rootKey);
  assert.equal(pending.claimedPayloadSha256, body);
  assert.equal(pending.finish(body), pending.caller);
  assert.throws(
    () => pending.finish(emptyPayloadSha256),
    payloadMismatch(emptyPayloadSha256, body),
  );
  const other = withHeader(named, 'x-amz-content-sha256', emptyPayloadSha256);
  await assert.rejects(authenticator().begin(other), { code: 'InvalidSignatureException' });
});

test('otherwise it is verified when the hash of the body is known', async () => {
  const pending = await authenticator().begin(signed());
  assert.equal(pending.caller, undefined);
  assert.equal(pending.claimedPayloadSha256, undefined);
  assert.equal(pending.finish(emptyPayloadSha256).accessKeyId, rootKey);
  assert.throws(() => pending.finish(sha256Hex('other')), { code: 'InvalidSignatureException' });
});

test('the date is judged when the headers are in, and not when the body is', async () => {
  const clock = new SimulatedClock(nowMs);
  const pending = await authenticator({ clock }).begin(signed());
  clock.advance(60 * 60_000);
  assert.equal(pending.finish(emptyPayloadSha256).accessKeyId, rootKey);
});

const invalid = (text: string) => `InvalidSignatureException 403: ${text}`;
const scoped = (text: string) => invalid(`Credential should be scoped ${text}.`);
const notHash = 'UNSIGNED-PAYLOAD';
const tooLate = 'Signature expired: 20170210T115459Z is now earlier than 20170210T115500Z';
const tooEarly = 'Signature not yet current: 20170210T120501Z is still later than 20170210T120500Z';

/** Every row of the table of refusals, in the order of the checks. */
const refusals: readonly [name: string, received: SignedRequest, outcome: string | RegExp][] = [
  [
    'no signature',
    without(signed(), 'Authorization'),
    'MissingAuthenticationTokenException 400: Missing Authentication Token',
  ],
  [
    'a header that lacks a part',
    reauthorized(signed(), (value) => value.replace(/, Signature=.*/, '')),
    /^IncompleteSignatureException 400: Authorization header requires 'Signature' parameter\. Auth/,
  ],
  [
    'no date',
    without(signed(), 'X-Amz-Date'),
    /^IncompleteSignatureException 400: Authorization header requires existence of either a 'X-A/,
  ],
  ['an unknown key', signed({}, { ...root, accessKeyId: 'AKIDNOBODY' }), unrecognized],
  ['a key that cannot be one', signed({}, { ...root, accessKeyId: 'a b' }), unrecognized],
  ['an inactive key', signed({}, inactive), unrecognized],
  ['another token', signed({}, { ...session, sessionToken: 'another' }), unrecognized],
  [
    'no token where there must be one',
    signed({}, { ...session, sessionToken: undefined }),
    unrecognized,
  ],
  ['a token where there is none', signed({}, { ...root, sessionToken: 'the token' }), unrecognized],
  [
    'the key of another day',
    reauthorized(signed(), (value) => value.replace('20170210', '20170209')),
    invalid(
      'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ' +
        "'20170209' != '20170210', from '20170210T120000Z'.",
    ),
  ],
  ['an odd region', signed({ region: 'US_1' }), scoped("to a valid region, not 'US_1'")],
  ['no region', signed({ region: '' }), scoped("to a valid region, not ''")],
  ['another service', signed({ service: 's3' }), scoped("to correct service: 'glacier'")],
  [
    'another terminator',
    reauthorized(signed(), (value) => value.replace('aws4_request', 'aws5')),
    scoped("with a valid terminator: 'aws4_request', not 'aws5'"),
  ],
  [
    'an old request',
    signed({ dateMs: nowMs - 301_000 }),
    invalid(`${tooLate} (20170210T120000Z - 5 min.)`),
  ],
  [
    'a request from the future',
    signed({ dateMs: nowMs + 301_000 }),
    invalid(`${tooEarly} (20170210T120000Z + 5 min.)`),
  ],
  [
    'an unsigned host',
    reauthorized(signed(), (value) => value.replace('host;', '')),
    invalid("'Host' must be a 'SignedHeader' in the AWS Authorization."),
  ],
  [
    'an unsigned date',
    reauthorized(signed(), (value) => value.replace('x-amz-date;', '')),
    invalid("'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization."),
  ],
  ['another secret', signed({}, { ...root, secretAccessKey: 'guess' }), mismatch],
  ['a signature of no hexadecimal', reauthorized(signed(), (v) => `${v.slice(0, -1)}g`), mismatch],
  ['a short signature', reauthorized(signed(), (value) => value.slice(0, -2)), mismatch],
  [
    'a body of another hash',
    signed({
      rawHeaders: [...request().rawHeaders, 'x-amz-content-sha256', notHash],
      payloadSha256: notHash,
    }),
    invalid(
      'The value passed in as x-amz-content-sha256 does not match the computed payload hash. ' +
        `Computed digest: ${emptyPayloadSha256} expected hash: ${notHash}`,
    ),
  ],
];

for (const [name, received, outcome] of refusals) {
  test(`${name} is refused in the words of the service`, async () => {
    const actual = await outcomeOf(received);
    if (typeof outcome === 'string') assert.equal(actual, outcome);
    else assert.match(actual, outcome);
  });
}

test('of several faults the one is told that is checked first', async () => {
  const old = { dateMs: nowMs - 24 * 60 * 60_000 };
  const stranger = { ...root, accessKeyId: 'AKIDNOBODY', secretAccessKey: 'guess' };
  const expired = { credentials: async () => ({ ...session, expiresAtMs: nowMs }) };
  const guessed = { ...session, secretAccessKey: 'guess' };
  const expiredToken =
    'ExpiredTokenException 403: The security token included in the request is expired';
  assert.equal(await outcomeOf(signed({ ...old, service: 's3' }, stranger)), unrecognized);
  assert.equal(
    await outcomeOf(signed({ ...old, service: 's3' }, guessed), { options: expired }),
    expiredToken,
  );
  assert.match(await outcomeOf(signed({ ...old, service: 's3' })), /correct service/);
  assert.match(await outcomeOf(signed({ ...old }, { ...root, secretAccessKey: 'x' })), /expired/);
});

test('temporary credentials are good with their token until they expire', async () => {
  assert.equal(await outcomeOf(signed({}, session)), 'ASIASESSION');
  assert.equal(await outcomeOf(presigned({}, session)), 'ASIASESSION');
  const clock = new SimulatedClock(nowMs + 60_000);
  assert.match(await outcomeOf(signed({}, session), { options: { clock } }), /^ExpiredToken/);
});

test('skew and services are what they were set to', async () => {
  const late = signed({ dateMs: nowMs - 301_000 });
  assert.equal(await outcomeOf(late, { options: { skewMs: 301_000 } }), rootKey);
  assert.match(await outcomeOf(late, { options: { skewMs: 300_500 } }), / - 300\.5 sec\.\)$/);
  const services = ['glacier', 'sts'];
  const caller = await callerOf(signed({ service: 'sts' }), { options: { services } });
  assert.equal(caller.service, 'sts');
});

test('a presigned URL is good until it expires', async () => {
  assert.equal(await outcomeOf(presigned()), rootKey);
  assert.equal(await outcomeOf(presigned({ dateMs: nowMs - 600_000 })), rootKey);
  assert.equal(
    await outcomeOf(presigned({ dateMs: nowMs - 601_000 })),
    invalid(
      'Signature expired: 20170210T114959Z is now earlier than 20170210T115000Z ' +
        '(20170210T120000Z - 10 min.)',
    ),
  );
  assert.match(await outcomeOf(presigned({ dateMs: nowMs + 301_000 })), /not yet current/);
  assert.match(await outcomeOf(presigned({ expiresSeconds: 604_801 })), /^IncompleteSignature/);
});

test('presigned URLs as boto3 and as the SDK for JavaScript v2 make them are good', async () => {
  // The caller of a URL made by boto3 adds the version as a header that nobody signed.
  assert.equal(
    await outcomeOf(withHeader(presigned(), version[0] ?? '', version[1] ?? '')),
    rootKey,
  );
  const javaScript = presigned({
    target: '/-/vaults/examplevault?x-amz-glacier-version=2012-06-01',
    signedHeaders: ['host', 'x-amz-glacier-version'],
  });
  assert.equal(await outcomeOf(javaScript), rootKey);
  const target = javaScript.target.replace('2012-06-01', '2012-06-02');
  assert.equal(await outcomeOf({ ...javaScript, target }), mismatch);
});

test('a request is refused when anything that it signed was changed', async () => {
  const headers = [...request().rawHeaders, 'x-amz-part-size', '1048576', 'Range', 'bytes=0-1'];
  const good = signed({ target: '/-/vaults/v?limit=1&marker=a', rawHeaders: headers });
  assert.equal(await outcomeOf(good), rootKey);
  const changed: SignedRequest[] = [
    { ...good, method: 'DELETE' },
    { ...good, target: '/-/vaults/w?limit=1&marker=a' },
    { ...good, target: '/-/vaults/v?limit=2&marker=a' },
    { ...good, target: '/-/vaults/v?limit=1' },
    { ...good, target: '/-/vaults/v?limit=1&marker=a&marker=b' },
    withHeader(good, 'Host', 'other.example'),
    withHeader(good, 'X-Amz-Date', '20170210T120001Z'),
    withHeader(good, 'X-Amz-Glacier-Version', '2012-06-02'),
    withHeader(good, 'X-Amz-Part-Size', '2097152'),
    { ...good, rawHeaders: [...good.rawHeaders, 'X-Amz-Part-Size', '1'] },
    without(good, 'Range'),
    reauthorized(good, (value) => value.replace('us-west-2', 'us-west-1')),
    reauthorized(good, (value) => value.replace(rootKey, user.accessKeyId)),
    reauthorized(good, (value) => value.replace(';range', '')),
  ];
  for (const one of changed) {
    assert.equal(await outcomeOf(one), mismatch, JSON.stringify(one));
  }
  assert.equal(await outcomeOf(good, { payloadSha256: sha256Hex('a body') }), mismatch);
  const unsigned = { ...good, rawHeaders: [...good.rawHeaders, 'X-Amz-Anything', 'x'] };
  assert.equal(await outcomeOf(unsigned), rootKey, 'what is not signed may be added');
});
