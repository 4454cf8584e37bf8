import assert from 'node:assert/strict';
import test from 'node:test';
import { createVault, freshName } from '../support/deeds.ts';
import { assertDocument, assertEmpty, assertError } from '../support/expectations.ts';
import { type HeaderLines, sha256Hex } from '../support/signature.ts';
import { openTarget } from '../support/target.ts';

const { api, account, other } = await openTarget();
const vault = await createVault(api);

test('a request without a version answers 400', async () => {
  const answer = await api.call('GET', '/-/vaults', { without: ['x-amz-glacier-version'] });
  const message = 'Required parameter missing: API version';
  assertError(answer, 400, 'MissingParameterValueException', message);
});

test('a request with another version answers 400', async () => {
  const answer = await api.call('GET', '/-/vaults', {
    without: ['x-amz-glacier-version'],
    headers: [['x-amz-glacier-version', '2013-01-01']],
  });
  const message = 'Invalid API version: 2013-01-01';
  assertError(answer, 400, 'InvalidParameterValueException', message);
});

test('the version is judged before the account', async () => {
  const answer = await api.call('GET', '/abc/vaults', { without: ['x-amz-glacier-version'] });
  const message = 'Required parameter missing: API version';
  assertError(answer, 400, 'MissingParameterValueException', message);
});

test('header names may be written in any case', async () => {
  const answer = await api.call('GET', '/-/vaults', {
    without: ['x-amz-glacier-version'],
    headers: [['X-AMZ-Glacier-Version', '2012-06-01']],
  });
  assert.equal(answer.status, 200, answer.text);
});

test("the caller's own account number says the same as a hyphen", async () => {
  const [byHyphen, byNumber] = await Promise.all([
    api.call('GET', `/-/vaults/${vault}`),
    api.call('GET', `/${account.accountId}/vaults/${vault}`),
  ]);
  assertDocument(byNumber, JSON.parse(byHyphen.text));
});

const otherSkip = other === undefined && 'there is no second account on this server';

test("another account's number answers 403, whether the vault exists or not", {
  skip: otherSkip,
}, async () => {
  const number = other?.accountId ?? '';
  for (const target of [`/${number}/vaults`, `/${number}/vaults/no-such-vault`]) {
    const answer = await api.call('GET', target);
    const message = `Access denied for account ID: ${number}`;
    assertError(answer, 403, 'AccessDeniedException', message);
  }
});

for (const segment of ['abc', '1111-2222-3333', '999999999999', '0123456789', '--']) {
  test(`the account ${segment}, which is none, answers 400`, async () => {
    const answer = await api.call('GET', `/${segment}/vaults`);
    const message = 'No account found for the given parameters';
    assertError(answer, 400, 'UnrecognizedClientException', message);
  });
}

const nowhere: readonly (readonly [method: string, target: string])[] = [
  ['GET', '/'],
  ['GET', '/-'],
  ['GET', '/vaults'],
  ['POST', `/vaults/${vault}/archives`],
  ['GET', `/-/vaults/${vault}/archives`],
  ['GET', `/-/vaults/${vault}/jobs/a/b`],
  ['PUT', `/-/vaults/${vault}/jobs`],
  ['PATCH', `/-/vaults/${vault}`],
  ['OPTIONS', '/-/vaults'],
  ['POST', `/-/vaults/${vault}/tags`],
  ['POST', `/-/vaults/${vault}/tags?operation=replace`],
  ['GET', '/-/Vaults'],
];

for (const [method, target] of nowhere) {
  const shown = target.replace(vault, 'v');
  test(`${method} ${shown}, which is no operation, answers 400 BadRequest`, async () => {
    assertError(await api.call(method, target), 400, 'BadRequest', 'Bad request');
  });
}

test('a body of more than 1 MiB, sent to no operation, answers 400 BadRequest', async () => {
  const body = Buffer.alloc(1_048_577, 'x');
  const target = `/-/vaults/${vault}/tags`;
  assertError(await api.call('POST', target, { body }), 400, 'BadRequest', 'Bad request');
  const headers: HeaderLines = [['x-amz-content-sha256', sha256Hex(body)]];
  assertError(await api.call('POST', target, { body, headers }), 400, 'BadRequest', 'Bad request');
});

test('HEAD, which is no operation, answers 400 without a body', async () => {
  const answer = await api.call('HEAD', `/-/vaults/${vault}`, { without: ['content-length'] });
  assert.equal(answer.status, 400);
  assert.equal(answer.text, '');
});

test('an empty vault name is a vault that does not exist, not the list of vaults', async () => {
  assert.equal((await api.call('GET', '/-/vaults/')).status, 404);
});

test('a body where none is expected is accepted, hashed for the signature, and ignored', async () => {
  const name = freshName();
  const headers: HeaderLines = [['Content-Type', 'application/json']];
  assertEmpty(await api.call('PUT', `/-/vaults/${name}`, { body: '{}', headers }), 201);
  const changed = api.prepare('PUT', `/-/vaults/${name}`, { body: '{}' });
  const answer = await api.transmit({ ...changed, body: Buffer.from('[]') });
  assertError(answer, 403, 'InvalidSignatureException', /does not match/);
});

test('a GET may carry the hashes that some clients send everywhere', async () => {
  const headers: HeaderLines = [
    ['x-amz-content-sha256', sha256Hex('')],
    ['x-amz-sha256-tree-hash', sha256Hex('')],
    ['Content-Length', '0'],
  ];
  assert.equal((await api.call('GET', '/-/vaults', { headers })).status, 200);
});

test('query parameters that no operation knows are ignored', async () => {
  assert.equal((await api.call('GET', `/-/vaults/${vault}?x=1&y`)).status, 200);
});

test('a request line in absolute form is understood', async () => {
  const request = api.prepare('GET', `/-/vaults/${vault}`);
  const answer = await api.transmit({ ...request, target: `${api.url}${request.target}` });
  assert.equal(answer.status, 200, answer.text);
});

test('each answer has a request id of its own', async () => {
  const answers = await Promise.all([1, 2, 3, 4].map(() => api.call('GET', '/-/vaults')));
  const ids = answers.map(({ headers }) => headers.get('x-amzn-requestid'));
  assert.equal(new Set(ids).size, 4);
});

test('GET /healthz answers 200 without a signature', async () => {
  const headers: HeaderLines = [['Host', api.host]];
  assert.equal((await api.transmit({ method: 'GET', target: '/healthz', headers })).status, 200);
});
