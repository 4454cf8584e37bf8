import assert from 'node:assert/strict';
import test from 'node:test';
import { createVault } from '../support/deeds.ts';
import { assertError } from '../support/expectations.ts';
import type { Answer } from '../support/http.ts';
import { basicDate, type HeaderLines } from '../support/signature.ts';
import { openTarget } from '../support/target.ts';

const { api } = await openTarget();
const vault = await createVault(api);
const path = `/-/vaults/${vault}`;

const withVersion: HeaderLines = [['x-amz-glacier-version', '2012-06-01']];

function get(target: string, headers: HeaderLines = withVersion): Promise<Answer> {
  return api.transmit({ method: 'GET', target, headers: [['Host', api.host], ...headers] });
}

test('a presigned URL is answered with the version in a header that is not signed', async () => {
  const answer = await get(api.presign('GET', path));
  assert.equal(answer.status, 200, answer.text);
  assert.equal(JSON.parse(answer.text).VaultName, vault);
});

test('a presigned URL that names no version at all means the only one there is', async () => {
  assert.equal((await get(api.presign('GET', path), [])).status, 200);
});

test('a presigned URL may carry the version signed in its query, as JavaScript v2 makes it', async () => {
  const target = api.presign('GET', `${path}?x-amz-glacier-version=2012-06-01`, {
    headers: withVersion,
    signing: { signedNames: ['host', 'x-amz-glacier-version'] },
  });
  assert.equal((await get(target, [])).status, 200);
});

test('a presigned URL with another version answers 400', async () => {
  const answer = await get(api.presign('GET', path), [['x-amz-glacier-version', '2011-01-01']]);
  const message = 'Invalid API version: 2011-01-01';
  assertError(answer, 400, 'InvalidParameterValueException', message);
});

test('a presigned URL with further parameters works, in whichever order', async () => {
  const answer = await get(api.presign('GET', '/-/vaults?limit=1'));
  assert.equal(answer.status, 200, answer.text);
  assert.equal(JSON.parse(answer.text).VaultList.length, 1);
});

test('a presigned URL whose time is over answers 403', async () => {
  const dateMs = api.now() - 120_000;
  const target = api.presign('GET', path, { expiresSeconds: 60, signing: { dateMs } });
  const message = new RegExp(`^Signature expired: ${basicDate(dateMs)} is now earlier than `);
  assertError(await get(target), 403, 'InvalidSignatureException', message);
});

test('a presigned URL is good for longer than five minutes', async () => {
  const dateMs = api.now() - 3_600_000;
  const target = api.presign('GET', path, { expiresSeconds: 7200, signing: { dateMs } });
  assert.equal((await get(target)).status, 200);
});

test('a presigned URL from more than five minutes ahead answers 403', async () => {
  const target = api.presign('GET', path, { signing: { dateMs: api.now() + 360_000 } });
  assertError(await get(target), 403, 'InvalidSignatureException', /^Signature not yet current: /);
});

test('a presigned URL for another path, or with another parameter, answers 403', async () => {
  const target = api.presign('GET', path);
  for (const changed of [target.replace(vault, `${vault}x`), `${target}&limit=1`]) {
    assertError(await get(changed), 403, 'InvalidSignatureException', /does not match/);
  }
});

test('a presigned URL is good for the method that it was made for only', async () => {
  const target = api.presign('GET', path);
  const headers: HeaderLines = [['Host', api.host], ...withVersion];
  const answer = await api.transmit({ method: 'DELETE', target, headers });
  assertError(answer, 403, 'InvalidSignatureException', /does not match/);
});

for (const seconds of [0, 604_801]) {
  test(`a presigned URL that expires after ${seconds} seconds answers 400`, async () => {
    const target = api.presign('GET', path, { expiresSeconds: seconds });
    assertError(await get(target), 400, 'IncompleteSignatureException', /X-Amz-Expires/);
  });
}

test('a presigned URL may be good for a week', async () => {
  assert.equal((await get(api.presign('GET', path, { expiresSeconds: 604_800 }))).status, 200);
});

for (const name of ['X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-SignedHeaders', 'X-Amz-Date']) {
  test(`a presigned URL without ${name} answers 400`, async () => {
    const target = api.presign('GET', path).replace(new RegExp(`${name}=[^&]+&?`), '');
    assertError(await get(target), 400, 'IncompleteSignatureException', new RegExp(name));
  });
}
