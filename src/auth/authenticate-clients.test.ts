// What clients in use send beyond the letter of the guide, and what none may send.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SimulatedClock } from '../lib/clock.ts';
import { sha256Hex } from '../lib/node/sha256.ts';
import { GlacierError } from '../protocol/errors.ts';
import {
  byteStringOf,
  deriveSigningKey,
  emptyPayloadSha256,
  formatScope,
  type SignedRequest,
  signatureOf,
  stringToSign,
} from '../protocol/sigv4.ts';
import { presign, sign } from '../protocol/sigv4-signer.ts';
import { Authenticator, type AuthenticatorOptions, type Credential } from './authenticate.ts';
import { nodeHashes } from './signing-keys.ts';

const nowMs = Date.UTC(2017, 1, 10, 12);
const timestamp = '20170210T120000Z';

const credential: Credential = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  accountId: '012345678901',
  principalArn: 'arn:aws:iam::012345678901:root',
  isActive: true,
};

function authenticator(options: Partial<AuthenticatorOptions> = {}): Authenticator {
  const credentials = async (accessKeyId: string) =>
    accessKeyId === credential.accessKeyId ? credential : undefined;
  return new Authenticator({ credentials, clock: new SimulatedClock(nowMs), ...options });
}

/** Whether a request is let in. It may be refused for its signature, and for nothing else. */
async function isLetIn(
  received: SignedRequest,
  options: Partial<AuthenticatorOptions> = {},
  payloadSha256: string = emptyPayloadSha256,
): Promise<boolean> {
  try {
    const pending = await authenticator(options).begin(received);
    pending.finish(payloadSha256);
    return true;
  } catch (error) {
    assert.ok(error instanceof GlacierError, String(error));
    assert.equal(error.code, 'InvalidSignatureException', error.message);
    return false;
  }
}

interface Shape {
  readonly method?: string;
  readonly target?: string;
  /** Headers beside the host and the date. */
  readonly headers?: readonly string[];
  readonly host?: string;
  readonly region?: string;
  readonly service?: string;
  readonly payloadSha256?: string;
}

const place = { region: 'us-west-2', service: 'glacier' };

function signed(shape: Shape = {}): SignedRequest {
  return sign(
    {
      method: 'GET',
      target: '/-/vaults/examplevault',
      payloadSha256: emptyPayloadSha256,
      dateMs: nowMs,
      ...place,
      ...shape,
      rawHeaders: ['Host', shape.host ?? '127.0.0.1:8480', ...(shape.headers ?? [])],
    },
    credential,
    nodeHashes,
  );
}

/** The request with an `Authorization` that signs the given canonical form, whatever that is. */
function signedOver(
  sent: SignedRequest,
  canonicalLines: readonly string[],
  separator = ', ',
): SignedRequest {
  const scope = { date: timestamp.slice(0, 8), ...place, terminator: 'aws4_request' };
  const key = deriveSigningKey(credential.secretAccessKey, scope, nodeHashes);
  const toSign = stringToSign({ timestamp, scope }, canonicalLines.join('\n'), nodeHashes);
  const parts = [
    `Signature=${signatureOf(key, toSign, nodeHashes)}`,
    `Credential=${credential.accessKeyId}/${formatScope(scope)}`,
    `SignedHeaders=${canonicalLines.at(-2) ?? ''}`,
  ];
  const authorization = `AWS4-HMAC-SHA256 ${parts.join(separator)}`;
  return { ...sent, rawHeaders: [...sent.rawHeaders, 'Authorization', authorization] };
}

/** The request with its header `name` replaced. */
function withHeader(sent: SignedRequest, name: string, value: string): SignedRequest {
  const rawHeaders = [...sent.rawHeaders];
  rawHeaders[rawHeaders.indexOf(name) + 1] = value;
  return { ...sent, rawHeaders };
}

test('the raw header that the guide prints, without spaces and in its order, is good', async () => {
  const scope = 'AKIAIOSFODNN7EXAMPLE/20120525/us-east-1/glacier/aws4_request';
  const sample = {
    method: 'PUT',
    target: '/-/vaults/examplevault',
    rawHeaders: [
      ...['Host', 'glacier.us-east-1.amazonaws.com', 'x-amz-Date', '20120525T002453Z'],
      ...['x-amz-glacier-version', '2012-06-01', 'Content-Length', '0', 'Authorization'],
      `AWS4-HMAC-SHA256 Credential=${scope},` +
        'SignedHeaders=host;x-amz-date;x-amz-glacier-version,' +
        'Signature=3ce5b2f2fffac9262b4da9256f8d086b4aaf42eba5f111c21681a65a127b7c2a',
    ],
  };
  const clock = new SimulatedClock(Date.UTC(2012, 4, 25, 0, 24, 53));
  assert.ok(await isLetIn(sample, { clock }));
});

const hostAndDate = [`host:h`, `x-amz-date:${timestamp}`, '', 'host;x-amz-date'];

test('the parts of the header may come in any order, with spaces or without', async () => {
  const sent = { method: 'GET', target: '/x', rawHeaders: ['Host', 'h', 'X-Amz-Date', timestamp] };
  const canonical = ['GET', '/x', '', ...hostAndDate, emptyPayloadSha256];
  for (const separator of [',', ', ', ',   ', ' ,\t']) {
    assert.ok(await isLetIn(signedOver(sent, canonical, separator)), JSON.stringify(separator));
  }
});

test('a path may be encoded once or twice when it is signed', async () => {
  const target = '/-/vaults/arn%3Aaws%2Fv';
  const sent = { method: 'GET', target, rawHeaders: ['Host', 'h', 'X-Amz-Date', timestamp] };
  const over = (path: string) =>
    isLetIn(signedOver(sent, ['GET', path, '', ...hostAndDate, emptyPayloadSha256]));
  assert.ok(await over('/-/vaults/arn%253Aaws%252Fv'));
  assert.ok(await over('/-/vaults/arn%3Aaws%2Fv'));
  assert.equal(await over('/-/vaults/arn%25253Aaws%25252Fv'), false);
  assert.equal(await over('/-/vaults/arn:aws/v'), false);
});

test('a plus in a query may be signed as itself or as a space', async () => {
  const spaced = signed({ target: '/-/vaults?marker=a%20b' });
  const plus = signed({ target: '/-/vaults?marker=a%2Bb' });
  const target = '/-/vaults?marker=a+b';
  assert.ok(await isLetIn({ ...spaced, target }));
  assert.ok(await isLetIn({ ...plus, target }));
});

test('parameters without a value, empty ones and unsorted ones are good', async () => {
  for (const query of ['operation', 'operation=', 'marker=&limit=', 'completed=true&marker=']) {
    assert.ok(await isLetIn(signed({ target: `/-/vaults?${query}` })), query);
  }
});

test('a value with a double quote may be signed with its spaces folded or kept', async () => {
  const description = 'x  "a  b"  y';
  const headers = ['X-Amz-Archive-Description', description, 'X-Amz-Date', timestamp];
  const sent = { method: 'POST', target: '/x', rawHeaders: ['Host', 'h', ...headers] };
  const over = (value: string) =>
    isLetIn(
      signedOver(sent, [
        ...['POST', '/x', '', 'host:h', `x-amz-archive-description:${value}`],
        ...[`x-amz-date:${timestamp}`, '', 'host;x-amz-archive-description;x-amz-date'],
        emptyPayloadSha256,
      ]),
    );
  assert.ok(await over('x "a b" y'));
  assert.ok(await over('x "a  b" y'));
  assert.equal(await over('x  "a  b"  y'), false);
});

test('a description beyond ASCII is verified over its bytes as they were sent', async () => {
  const headers = ['x-amz-archive-description', byteStringOf('Fotos – voilà 写真\u3000２')];
  assert.ok(await isLetIn(signed({ method: 'POST', headers })));
  const other = withHeader(signed({ headers }), headers[0] ?? '', byteStringOf('Fotos'));
  assert.equal(await isLetIn(other), false);
});

test('the date may come in the Date header, in either format', async () => {
  for (const date of ['Fri, 10 Feb 2017 12:00:00 GMT', timestamp]) {
    const sent = { method: 'GET', target: '/x', rawHeaders: ['Date', date, 'Host', 'h'] };
    const headers = [`date:${date}`, 'host:h', '', 'date;host'];
    const canonical = ['GET', '/x', '', ...headers, emptyPayloadSha256];
    assert.ok(await isLetIn(signedOver(sent, canonical)), date);
  }
});

test('a client may sign both dates, or only one of the two that it sends', async () => {
  const date = 'Fri, 10 Feb 2017 12:00:00 GMT';
  assert.ok(await isLetIn(signed({ headers: ['Date', date] })));
  const rawHeaders = ['Date', date, 'Host', 'h', 'X-Amz-Date', timestamp];
  const sent = { method: 'GET', target: '/x', rawHeaders };
  const headers = [`date:${date}`, 'host:h', '', 'date;host'];
  assert.ok(await isLetIn(signedOver(sent, ['GET', '/x', '', ...headers, emptyPayloadSha256])));
});

test('the host is the one that was sent, whatever it is', async () => {
  for (const host of ['127.0.0.1', 'glacier.us-east-1.amazonaws.com', '[::1]:8480', 'Firn:1']) {
    assert.ok(await isLetIn(signed({ host })), host);
  }
});

test('behind a proxy the public names are good, with and without port, and no others', async () => {
  const through = (host: string, publicNames: readonly string[]) =>
    isLetIn(withHeader(signed({ host }), 'Host', '10.0.0.7:8480'), { publicNames });
  assert.ok(await through('firn.example:8443', ['firn.example:8443']));
  assert.ok(await through('firn.example', ['firn.example:8443']));
  assert.ok(await through('firn.example', ['other.example', 'firn.example']));
  assert.ok(await through('firn.example:8480', ['firn.example']));
  assert.equal(await through('firn.example', []), false);
  assert.equal(await through('foreign.example', ['firn.example']), false);
});

test('signed headers that only some clients send are good', async () => {
  const headers = [
    ...['Content-Length', '2', 'Content-Type', 'application/json', 'amz-sdk-request', 'attempt=1'],
    ...['TE', 'deflate,gzip;q=0.3', 'X-Amz-Archive-Description', '', 'X-Amz-Content-Sha256', ''],
  ];
  const payloadSha256 = sha256Hex('{}');
  assert.ok(await isLetIn(signed({ headers, payloadSha256 }), {}, payloadSha256));
});

test('a hash or a signature in upper case is good', async () => {
  const payloadSha256 = emptyPayloadSha256.toUpperCase();
  const shouted = signed({ headers: ['x-amz-content-sha256', payloadSha256], payloadSha256 });
  assert.ok(await isLetIn(shouted));
  const [value = ''] = shouted.rawHeaders.slice(-1);
  const upper = value.replace(
    /Signature=.*/,
    (part) => `Signature=${part.slice(10).toUpperCase()}`,
  );
  assert.ok(await isLetIn(withHeader(shouted, 'Authorization', upper)));
});

test('the scope that boto derives from an address is good where it is allowed', async () => {
  const boto = signed({ region: '0', service: '127' });
  assert.equal(await isLetIn(boto), false);
  assert.ok(await isLetIn(boto, { services: ['glacier', '127'] }));
});

const byteString = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
});
const urlText = fc.string({ unit: fc.constantFrom(...'abAZ09-._~/%20:;=+&"\u00e9') });
const headerList = fc
  .array(fc.tuple(fc.stringMatching(/^x-[a-z-]{1,12}$/), byteString), { maxLength: 6 })
  .map((pairs) => pairs.filter(([name]) => !/^x-amz-(date|sec|con)/.test(name)).flat());
const requests = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE'),
  target: fc.tuple(urlText, urlText).map(([path, query]) => `/${path}?${query}`),
  headers: headerList,
  host: fc.stringMatching(/^[a-zA-Z0-9.:-]{1,20}$/),
  region: fc.stringMatching(/^[a-z0-9-]{1,64}$/),
});

test('what is signed is verified, whatever it is; and not with another body', async () => {
  await fc.assert(
    fc.asyncProperty(requests, fc.uint8Array(), async (shape, body) => {
      const payloadSha256 = sha256Hex(body);
      const received = signed({ ...shape, payloadSha256 });
      assert.ok(await isLetIn(received, {}, payloadSha256));
      assert.equal(await isLetIn(received, {}, sha256Hex(`${payloadSha256}x`)), false);
    }),
    { numRuns: 300 },
  );
});

test('what is presigned is verified, whatever it is', async () => {
  await fc.assert(
    fc.asyncProperty(requests, async ({ headers, host, ...shape }) => {
      const rawHeaders = ['Host', host, ...headers];
      const rest = { payloadSha256: emptyPayloadSha256, dateMs: nowMs, expiresSeconds: 1 };
      const url = presign({ ...place, ...shape, ...rest, rawHeaders }, credential, nodeHashes);
      assert.ok(await isLetIn(url));
    }),
    { numRuns: 300 },
  );
});

test('whatever is received, it is let in or refused by name', async () => {
  const scope = `${credential.accessKeyId}/20170210/us-west-2/glacier/aws4_request`;
  const word = fc.oneof(
    fc.constantFrom('AWS4-HMAC-SHA256 ', 'Credential=', scope, 'SignedHeaders=', 'host', ';'),
    fc.constantFrom('x-amz-date', 'Signature=', 'a'.repeat(64), ',', '=', '&', '%2F', 'X-Amz-'),
    fc.constantFrom('X-Amz-Algorithm=AWS4-HMAC-SHA256&', `X-Amz-Credential=${scope}&`),
    fc.constantFrom(
      'X-Amz-Date=20170210T120000Z&',
      'X-Amz-Expires=1&',
      'X-Amz-SignedHeaders=host&',
    ),
    fc.constantFrom('X-Amz-Signature=a&'),
    fc.string({ unit: 'binary' }),
  );
  const text = fc.array(word, { maxLength: 12 }).map((words) => words.join(''));
  const name = fc.constantFrom(
    'Authorization',
    'Host',
    'X-Amz-Date',
    'X-Amz-Content-Sha256',
    'Date',
  );
  const value = fc.oneof(fc.constant(timestamp), text);
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.array(fc.tuple(name, value)).map((pairs) => pairs.flat()),
      async (target, rawHeaders) => {
        try {
          const pending = await authenticator().begin({ method: 'GET', target, rawHeaders });
          pending.finish(emptyPayloadSha256);
          assert.fail('No such request was signed');
        } catch (error) {
          assert.ok(error instanceof GlacierError, String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});
