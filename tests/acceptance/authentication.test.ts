import assert from 'node:assert/strict';
import test from 'node:test';
import { assertError } from '../support/expectations.ts';
import type { Answer, RequestOnTheWire } from '../support/http.ts';
import { basicDate, type HeaderLines, type Signing, sha256Hex } from '../support/signature.ts';
import { startServer } from '../support/start-server.ts';
import { onlyOwnServer, openTarget } from '../support/target.ts';

const { api } = await openTarget();

const path = '/-/vaults';
const mismatch =
  'The request signature we calculated does not match the signature you provided. Check your ' +
  'AWS Secret Access Key and signing method. Consult the service documentation for details.';

const callSigned = (signing: Partial<Signing>) => api.call('GET', path, { signing });

/** A good request whose `Authorization` is then changed. */
function callWith(change: (authorization: string) => string): Promise<Answer> {
  return api.transmit(withAuthorization(api.prepare('GET', path), change));
}

function withAuthorization(
  request: RequestOnTheWire,
  change: (authorization: string) => string,
): RequestOnTheWire {
  const headers = request.headers.map(
    ([name, value]) => [name, name === 'Authorization' ? change(value) : value] as const,
  );
  return { ...request, headers };
}

test('a signed request is answered', async () => {
  assert.equal((await api.call('GET', path)).status, 200);
});

test('a request without a signature answers 400 MissingAuthenticationTokenException', async () => {
  const headers: HeaderLines = [
    ['Host', api.host],
    ['x-amz-glacier-version', '2012-06-01'],
  ];
  const answer = await api.transmit({ method: 'GET', target: path, headers });
  assertError(answer, 400, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
});

test('the header may part its members by a comma alone', async () => {
  assert.equal((await callWith((text) => text.replaceAll(', ', ','))).status, 200);
});

test('the header may hold its members in any order', async () => {
  const answer = await callWith((text) => {
    const [algorithm, ...members] = text.replaceAll(',', '').split(' ');
    return `${algorithm} ${members.reverse().join(', ')}`;
  });
  assert.equal(answer.status, 200);
});

for (const member of ['Credential', 'SignedHeaders', 'Signature']) {
  test(`an Authorization header without ${member} answers 400 and says so`, async () => {
    let sent = '';
    const answer = await callWith((text) => {
      const [algorithm, ...members] = text.replaceAll(',', '').split(' ');
      sent = `${algorithm} ${members.filter((each) => !each.startsWith(member)).join(', ')}`;
      return sent;
    });
    const message = `Authorization header requires '${member}' parameter. Authorization=${sent}`;
    assertError(answer, 400, 'IncompleteSignatureException', message);
  });
}

test('another algorithm than AWS4-HMAC-SHA256 answers 400', async () => {
  const answer = await callWith((text) => text.replace('AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA1'));
  assertError(answer, 400, 'IncompleteSignatureException', /AWS4-HMAC-SHA1/);
});

test('a Basic authorization answers 400', async () => {
  const answer = await callWith(() => 'Basic dXNlcjpwYXNzd29yZA==');
  assertError(answer, 400, 'IncompleteSignatureException', /Basic/);
});

test('a request without any date answers 400 and says so', async () => {
  const request = api.prepare('GET', path, {
    without: ['x-amz-date'],
    signing: { signedNames: ['host'] },
  });
  const authorization = request.headers.at(-1)?.[1];
  assertError(
    await api.transmit(request),
    400,
    'IncompleteSignatureException',
    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. " +
      `Authorization=${authorization}`,
  );
});

test('the Date header dates a request in either form where there is no X-Amz-Date', async () => {
  const now = api.now();
  for (const date of [basicDate(now), new Date(now).toUTCString()]) {
    const answer = await api.call('GET', path, {
      without: ['x-amz-date'],
      headers: [['Date', date]],
      signing: { dateMs: now, signedNames: ['date', 'host'] },
    });
    assert.equal(answer.status, 200, answer.text);
  }
});

test('X-Amz-Date wins over Date', async () => {
  const headers: HeaderLines = [['Date', 'Fri, 25 May 2012 00:24:53 GMT']];
  assert.equal((await api.call('GET', path, { headers })).status, 200);
});

test('an unknown access key answers 400 UnrecognizedClientException', async () => {
  const credentials = { ...api.credentials, accessKeyId: 'AKIAUNKNOWNUNKNOWN00' };
  const answer = await callSigned({ credentials });
  const message = 'The security token included in the request is invalid.';
  assertError(answer, 400, 'UnrecognizedClientException', message);
});

test('a session token that nobody issued answers 400 UnrecognizedClientException', async () => {
  const headers: HeaderLines = [['X-Amz-Security-Token', 'made-up']];
  const answer = await api.call('GET', path, { headers });
  const message = 'The security token included in the request is invalid.';
  assertError(answer, 400, 'UnrecognizedClientException', message);
});

test('a wrong secret answers 403 InvalidSignatureException', async () => {
  const credentials = { ...api.credentials, secretAccessKey: 'not-the-secret' };
  assertError(await callSigned({ credentials }), 403, 'InvalidSignatureException', mismatch);
});

test('a request changed after it was signed answers 403', async () => {
  const signed = api.prepare('GET', path);
  const target = `${path}?limit=1`;
  const answer = await api.transmit({ ...signed, target });
  assertError(answer, 403, 'InvalidSignatureException', mismatch);
});

test('a JSON body changed after it was signed answers 403', async () => {
  const signed = api.prepare('POST', '/-/vaults/v/jobs', { body: '{"Type":"a"}' });
  const answer = await api.transmit({ ...signed, body: Buffer.from('{"Type":"b"}') });
  assertError(answer, 403, 'InvalidSignatureException', mismatch);
});

test('a JSON body that is not the one of x-amz-content-sha256 answers 403 and names both', async () => {
  const claimed = sha256Hex('{"Type":"a"}');
  const signed = api.prepare('POST', '/-/vaults/v/jobs', {
    body: '{"Type":"a"}',
    headers: [['x-amz-content-sha256', claimed]],
  });
  const answer = await api.transmit({ ...signed, body: Buffer.from('{"Type":"b"}') });
  assertError(
    answer,
    403,
    'InvalidSignatureException',
    'The value passed in as x-amz-content-sha256 does not match the computed payload hash. ' +
      `Computed digest: ${sha256Hex('{"Type":"b"}')} expected hash: ${claimed}`,
  );
});

test('a scope of another day than the request answers 403', async () => {
  const answer = await callSigned({ scopeDay: '20120525' });
  assertError(answer, 403, 'InvalidSignatureException', /20120525/);
});

test('a scope of another service answers 403', async () => {
  const message = "Credential should be scoped to correct service: 'glacier'.";
  const answer = await callSigned({ service: 'execute-api' });
  assertError(answer, 403, 'InvalidSignatureException', message);
});

test('a scope with another terminator answers 403', async () => {
  const message =
    "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'.";
  const answer = await callSigned({ terminator: 'aws5_request' });
  assertError(answer, 403, 'InvalidSignatureException', message);
});

test('a scope with an ill-formed region answers 403', async () => {
  const message = "Credential should be scoped to a valid region, not 'US EAST'.";
  const answer = await callSigned({ region: 'US EAST' });
  assertError(answer, 403, 'InvalidSignatureException', message);
});

const minute = 60_000;

test('a request of almost five minutes ago, or in almost five minutes, is answered', async () => {
  for (const offMs of [-4.8 * minute, 4.8 * minute]) {
    assert.equal((await callSigned({ dateMs: api.now() + offMs })).status, 200);
  }
});

test('a request older than five minutes answers 403 and says by how much', async () => {
  const dateMs = api.now() - 6 * minute;
  const answer = await callSigned({ dateMs });
  assertError(answer, 403, 'InvalidSignatureException', /^Signature expired: /);
  const pattern = /^Signature expired: (\S+) is now earlier than (\S+) \((\S+) - 5 min\.\)$/;
  const [, sent, limit = '', now = ''] = pattern.exec(JSON.parse(answer.text).message) ?? [];
  assert.equal(sent, basicDate(dateMs));
  assert.equal(timeOf(now) - timeOf(limit), 5 * minute);
});

test('a request from more than five minutes ahead answers 403 and says by how much', async () => {
  const dateMs = api.now() + 6 * minute;
  const answer = await callSigned({ dateMs });
  const pattern =
    /^Signature not yet current: (\S+) is still later than (\S+) \((\S+) \+ 5 min\.\)$/;
  assertError(answer, 403, 'InvalidSignatureException', pattern);
  const [, sent, limit = '', now = ''] = pattern.exec(JSON.parse(answer.text).message) ?? [];
  assert.equal(sent, basicDate(dateMs));
  assert.equal(timeOf(limit) - timeOf(now), 5 * minute);
});

function timeOf(text: string): number {
  return Date.parse(text.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

test('a signature that does not cover the host answers 403', async () => {
  const answer = await callSigned({ signedNames: ['x-amz-date'] });
  assertError(answer, 403, 'InvalidSignatureException', /Host/);
});

test('host and date are all that has to be signed', async () => {
  assert.equal((await callSigned({ signedNames: ['host', 'x-amz-date'] })).status, 200);
});

test('a signed header that is not sent counts as an empty one', async () => {
  const signedNames = ['host', 'x-amz-date', 'x-amz-nothing'];
  assert.equal((await callSigned({ signedNames })).status, 200);
});

test('a signature over another Host than the one sent answers 403', async () => {
  const signed = api.prepare('GET', path);
  const headers = signed.headers.map(
    ([name, value]) => [name, name === 'Host' ? 'elsewhere.example' : value] as const,
  );
  const answer = await api.transmit({ ...signed, headers });
  assertError(answer, 403, 'InvalidSignatureException', mismatch);
});

test('any Host will do when it is the one that was signed', async () => {
  const headers: HeaderLines = [['Host', 'glacier.us-east-1.amazonaws.com']];
  const answer = await api.call('GET', path, { without: ['host'], headers });
  assert.equal(answer.status, 200, answer.text);
});

test('FIRN_PUBLIC_NAMES are good for signatures behind a proxy that rewrites the Host', {
  skip: onlyOwnServer,
}, async () => {
  await using server = await startServer({ env: { FIRN_PUBLIC_NAMES: 'archive.example' } });
  using there = api.as({ url: server.url });
  for (const [signed, status] of [
    ['archive.example', 200],
    [`archive.example:${new URL(server.url).port}`, 200],
    ['another.example', 403],
  ] as const) {
    const headers: HeaderLines = [['Host', signed]];
    const request = there.prepare('GET', path, { without: ['host'], headers });
    const rewritten = request.headers.map(
      ([name, value]) => [name, name === 'Host' ? there.host : value] as const,
    );
    const answer = await there.transmit({ ...request, headers: rewritten });
    assert.equal(answer.status, status, signed);
  }
});

test('a path that is percent-encoded once or twice in the canonical form verifies', async () => {
  for (const pathEncodings of [1, 2] as const) {
    const answer = await api.call('GET', '/-/vaults/a%20b', { signing: { pathEncodings } });
    assertError(answer, 404, 'ResourceNotFoundException', 'Vault not found for ARN: a b');
  }
});

test('a query verifies whatever the order and the encoding of its members', async () => {
  for (const query of ['marker=&limit=2', 'limit=2&marker', 'limit=%32&a=%2B&A=+']) {
    const answer = await api.call('GET', `${path}?${query}`);
    assert.equal(answer.status, 200, `${query}: ${answer.text}`);
  }
});

test('runs of blanks in a signed header count as one', async () => {
  const headers: HeaderLines = [['x-amz-note', 'a   b  c']];
  assert.equal((await api.call('GET', path, { headers })).status, 200);
});

test('signatures are judged before routes: an unsigned request to nowhere says nothing', async () => {
  const answer = await api.transmit({
    method: 'GET',
    target: '/nowhere/at/all/of/it',
    headers: [['Host', api.host]],
  });
  assertError(answer, 400, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
});
