import assert from 'node:assert/strict';
import test from 'node:test';
import { nodeHashes } from '../auth/signing-keys.ts';
import { sha256Hex } from '../lib/node/sha256.ts';
import { emptyPayloadSha256 } from '../protocol/sigv4.ts';
import { presign } from '../protocol/sigv4-signer.ts';
import {
  errorIn,
  otherAccountId,
  Trial,
  type TrialRequest,
  trialAccountId,
  uploadOf,
} from './trial-server.ts';

const noServices = {};

/** A request with every fault at once: each step takes the first one away. */
test('the first stage that finds a fault decides the answer', async () => {
  await using trial = await Trial.start({ services: noServices });
  const job = (changes: Partial<TrialRequest>): TrialRequest => ({
    method: 'POST',
    target: `/${otherAccountId}/vaults/photos/jobs`,
    body: '{"Format": "XML"',
    afterSigning: { 'x-amz-glacier-version': null },
    ...changes,
  });
  const withVersion = { afterSigning: {} };
  const owned = { ...withVersion, target: '/-/vaults/photos/jobs' };
  for (const [request, answer] of [
    [job({ isSigned: false, target: '/nowhere' }), '400 MissingAuthenticationTokenException'],
    [job({ target: '/nowhere', payloadSha256: 'f'.repeat(64) }), '403 InvalidSignatureException'],
    [job({ target: '/nowhere', headers: { 'x-amz-glacier-version': '' } }), '400 BadRequest'],
    [job({ headers: { 'x-amz-glacier-version': '1' }, ...withVersion }), '400 InvalidParameter'],
    [job(withVersion), '403 AccessDeniedException: Access denied for account ID: 444455556666'],
    [job(owned), '400 SerializationException: Invalid JSON in request body'],
    [job({ ...owned, body: '{"Format": "XML"}' }), '400 MissingParameterValueException: Req'],
    [
      job({ ...owned, body: '{"Type": "archive-retrieval", "Format": "XML"}' }),
      '400 InvalidParameterValueException: Invalid inventory format: XML',
    ],
  ] as const) {
    const error = await trial.errorOf(request);
    assert.ok(error.startsWith(answer), `${error} instead of ${answer}`);
  }
});

test('without an API version a request is refused, and so it is with another', async () => {
  await using trial = await Trial.start();
  const request = (version: string) => ({
    method: 'GET',
    target: '/-/vaults',
    headers: { 'x-amz-glacier-version': version },
  });
  assert.equal(
    await trial.errorOf(request('')),
    '400 MissingParameterValueException: Required parameter missing: API version',
  );
  assert.equal(
    await trial.errorOf(request('2012-06-02')),
    '400 InvalidParameterValueException: Invalid API version: 2012-06-02',
  );
});

test('the version in the query of a signed request counts for nothing', async () => {
  await using trial = await Trial.start();
  const error = await trial.errorOf({
    method: 'GET',
    target: '/-/vaults?x-amz-glacier-version=2012-06-01',
    headers: { 'x-amz-glacier-version': '' },
  });
  assert.match(error, /API version$/);
});

for (const [where, target, headers, status] of [
  ['nowhere', '/-/vaults', {}, '200'],
  ['in its query', '/-/vaults?x-amz-glacier-version=2012-06-01', {}, '200'],
  ['in a header', '/-/vaults', { 'x-amz-glacier-version': '2012-06-01' }, '200'],
  ['wrong in its query', '/-/vaults?x-amz-glacier-version=1', {}, '400 InvalidParameterValue'],
  ['wrong in a header', '/-/vaults', { 'x-amz-glacier-version': '1' }, '400 InvalidParameterValue'],
] as const) {
  test(`a presigned request with the API version ${where} is answered ${status}`, async () => {
    const list = () => Promise.resolve({ vaults: [], marker: null });
    await using trial = await Trial.start({ services: { vaults: { list } } });
    const host = `127.0.0.1:${trial.port}`;
    const rawHeaders = ['Host', host];
    const options = { payloadSha256: emptyPayloadSha256, region: 'us-east-1', service: 'glacier' };
    const signed = presign(
      {
        method: 'GET',
        target,
        rawHeaders,
        dateMs: trial.clock.now(),
        expiresSeconds: 60,
        ...options,
      },
      { accessKeyId: 'AKIDTRIAL', secretAccessKey: 'a secret for tests' },
      nodeHashes,
    );
    const connection = await trial.connect();
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    connection.write(`GET ${signed.target} HTTP/1.1\r\nHost: ${host}\r\n${lines.join('')}\r\n`);
    const reply = await connection.reply();
    assert.ok(`${errorIn(reply)}`.startsWith(status), `${reply.status} ${reply.body}`);
  });
}

test('account ids that name no account of this server are refused as such', async () => {
  await using trial = await Trial.start();
  for (const id of ['asdf', '1111-2222-3333', '999999999999', '--', '%2D%2D']) {
    assert.equal(
      await trial.errorOf({ method: 'GET', target: `/${id}/vaults` }),
      '400 UnrecognizedClientException: No account found for the given parameters',
    );
  }
});

test('a body for nowhere is as good as any other, however large and whatever its hash', async () => {
  await using trial = await Trial.start();
  const nowhere = { method: 'POST', target: '/nowhere', body: 'x'.repeat(1_048_577) };
  const small = { ...nowhere, body: 'small' };
  const bad = '400 BadRequest: Bad request';
  assert.equal(await trial.errorOf(nowhere), bad);
  assert.equal(await trial.errorOf(small), bad);
  const claim = { headers: { 'x-amz-content-sha256': sha256Hex('another') } };
  assert.equal(await trial.errorOf({ ...nowhere, ...claim }), bad);
  assert.equal(await trial.errorOf({ ...small, ...claim }), bad);
  const unsigned = await trial.errorOf({ ...nowhere, isSigned: false });
  assert.match(unsigned, /^400 MissingAuthenticationTokenException/);
  const wrong = { payloadSha256: 'f'.repeat(64) };
  assert.match(await trial.errorOf({ ...small, ...wrong }), /^403 InvalidSignatureException/);
});

test('chunks for nowhere are read as far as a document goes', async () => {
  await using trial = await Trial.start();
  const headers = { 'Transfer-Encoding': 'chunked' };
  for (const [body, payloadSha256, answer] of [
    ['small', sha256Hex('small'), /^400 BadRequest/],
    ['small', sha256Hex('other'), /^403 InvalidSignatureException/],
    ['x'.repeat(1_048_577), sha256Hex('other'), /^400 BadRequest/],
  ] as const) {
    const request = { method: 'POST', target: '/nowhere', headers, payloadSha256 };
    const connection = await trial.connect();
    connection.write(`${trial.head(request)}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    assert.match(errorIn(await connection.reply()), answer);
  }
});

test('a small body is covered by the signature when no header names its hash', async () => {
  await using trial = await Trial.start();
  const request = { method: 'POST', target: '/-/vaults/a/jobs', body: '{"Type": "x"}' };
  assert.match(
    await trial.errorOf(request),
    /^400 InvalidParameterValueException: Invalid job type/,
  );
  assert.match(
    await trial.errorOf({ ...request, payloadSha256: sha256Hex('{"Type": "y"}') }),
    /^403 InvalidSignatureException: The request signature/,
  );
});

test('a small body that does not match the hash in its header is refused', async () => {
  await using trial = await Trial.start();
  const claimed = sha256Hex('{}');
  const computed = sha256Hex('{"a":1}');
  const request = {
    method: 'POST',
    target: '/-/vaults/a/jobs',
    body: '{"a":1}',
    headers: { 'x-amz-content-sha256': claimed },
  };
  assert.equal(
    await trial.errorOf(request),
    '403 InvalidSignatureException: The value passed in as x-amz-content-sha256 does not match ' +
      `the computed payload hash. Computed digest: ${computed} expected hash: ${claimed}`,
  );
});

test('a body where none is expected is hashed for the signature and otherwise ignored', async () => {
  const create = () => Promise.resolve();
  await using trial = await Trial.start({ services: { vaults: { create } } });
  const request = { method: 'PUT', target: '/-/vaults/photos', body: '{}' };
  assert.equal((await trial.send(request)).status, 201);
  assert.match(
    await trial.errorOf({ ...request, payloadSha256: emptyPayloadSha256 }),
    /^403 InvalidSignatureException/,
  );
});

test('a small upload without the hash of its body is authenticated before that is missed', async () => {
  await using trial = await Trial.start();
  const headers = { 'x-amz-content-sha256': '' };
  const request = { ...uploadOf('data', { headers }), payloadSha256: sha256Hex('data') };
  assert.equal(
    await trial.errorOf(request),
    '400 MissingParameterValueException: Required parameter missing: x-amz-content-sha256',
  );
  assert.match(
    await trial.errorOf({ ...request, payloadSha256: sha256Hex('other') }),
    /^403 InvalidSignatureException/,
  );
});

test('a large upload without the hash of its body cannot be authenticated, and is not read', async () => {
  await using trial = await Trial.start();
  const connection = await trial.connect();
  const headers = { 'x-amz-content-sha256': '', 'content-length': '1048577' };
  connection.write(trial.head(uploadOf('', { headers })));
  const { status, body } = await connection.reply();
  assert.equal(status, 400);
  assert.match(String(body), /Required parameter missing: x-amz-content-sha256/);
});

test('an upload comes to its handler as a stream, and is answered', async () => {
  const seen: unknown[] = [];
  const store = async ({ body, ...rest }: { readonly body: AsyncIterable<Uint8Array> }) => {
    seen.push(Buffer.concat(await Array.fromAsync(body)).toString(), rest);
    return { archiveId: 'anId', treeHash: 'aTreeHash' };
  };
  await using trial = await Trial.start({ services: { archives: { store } } });
  const headers = { 'x-amz-archive-description': 'two  spaces' };
  const reply = await trial.send(uploadOf('an archive', { headers }));
  assert.equal(reply.status, 201);
  assert.equal(reply.headers.get('location'), `/${trialAccountId}/vaults/photos/archives/anId`);
  assert.equal(reply.headers.get('x-amz-archive-id'), 'anId');
  assert.equal(reply.headers.get('x-amz-sha256-tree-hash'), 'aTreeHash');
  assert.equal(seen[0], 'an archive');
  const { signal, ...rest } = seen[1] as Record<string, unknown>;
  assert.ok(signal instanceof AbortSignal);
  assert.deepEqual(rest, {
    vault: { accountId: trialAccountId, region: 'us-east-1', vaultName: 'photos' },
    description: 'two  spaces',
    treeHash: 'ab'.repeat(32),
  });
});

test('an upload that does not match its hash fails in the hands of its reader', async () => {
  let failure: unknown;
  const store = async ({ body }: { readonly body: AsyncIterable<Uint8Array> }) => {
    try {
      await Array.fromAsync(body);
    } catch (error) {
      failure = error;
      throw error;
    }
    return { archiveId: '', treeHash: '' };
  };
  await using trial = await Trial.start({ services: { archives: { store } } });
  const headers = { 'x-amz-content-sha256': sha256Hex('another') };
  assert.match(
    await trial.errorOf(uploadOf('an archive', { headers })),
    /^403 InvalidSignatureException: The value passed in as x-amz-content-sha256/,
  );
  assert.ok(failure instanceof Error);
});

test('every request leaves one line in the log, without anything secret', async () => {
  await using trial = await Trial.start();
  await trial.send({ method: 'GET', target: '/-/vaults?limit=0' });
  const [facts] = trial.eventsOf('request.completed');
  assert.match(String(facts?.['requestId']), /^[A-Za-z0-9_-]{47}$/);
  assert.deepEqual(
    { ...facts, requestId: undefined },
    {
      requestId: undefined,
      method: 'GET',
      operation: 'ListVaults',
      status: 400,
      code: 'InvalidParameterValueException',
      isComplete: true,
      durationMs: 0,
      bytesIn: 0,
      bytesOut: 86,
      accessKeyId: 'AKIDTRIAL',
    },
  );
  assert.equal(trial.events.length, 1);
});
