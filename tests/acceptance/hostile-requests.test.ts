import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVault, uploadHeaders } from '../support/deeds.ts';
import { headOf, RawConnection } from '../support/http.ts';
import { openTarget } from '../support/target.ts';

const { api } = await openTarget();
const vault = await createVault(api);

const badRequest = /\r\n\r\n\{"code":"BadRequest","message":"Bad request","type":"Client"\}$/;

async function answerTo(bytes: Uint8Array | string): Promise<string> {
  using connection = new RawConnection(api.url);
  connection.write(bytes);
  return await connection.untilClosed();
}

const nonsense: Readonly<Record<string, string>> = {
  'no HTTP at all': 'hello\r\n\r\n',
  'a bad header line': 'GET / HTTP/1.1\r\nHost: a\r\nno colon here\r\n\r\n',
  'a bad length': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n',
  'a negative length': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
  'two lengths': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  'a length and chunks':
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'headers of 100 KiB': `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(100 * 1024)}\r\n\r\n`,
};

for (const [shown, bytes] of Object.entries(nonsense)) {
  test(`${shown}: the connection ends with a JSON error`, async () => {
    const text = await answerTo(bytes);
    assert.match(text, /^HTTP\/1\.1 4\d\d /);
    assert.match(text, /\r\nx-amzn-RequestId: [\w-]{47}\r\n/i);
    assert.match(text, /\r\nContent-Type: application\/json\r\n/i);
    assert.match(text, badRequest);
  });
}

const requestTo = (method: string, target: string, ...lines: string[]) =>
  [`${method} ${target} HTTP/1.1`, `Host: ${api.host}`, ...lines, '', ''].join('\r\n');

/** Each has a complete head, and is no HTTP all the same. */
const unreadable: Record<string, string> = {
  'a CONNECT': requestTo('CONNECT', 'glacier.us-east-1.amazonaws.com:443'),
  'a bad chunk': `${requestTo('PUT', '/-/vaults/a', 'Transfer-Encoding: chunked')}zz\r\n`,
};
for (const method of ['PUT', 'GET']) {
  for (const encoding of ['gzip', 'identity', 'xchunked', 'chunked, gzip']) {
    unreadable[`a ${method} with the transfer encoding "${encoding}"`] = requestTo(
      method,
      '/-/vaults/a',
      `Transfer-Encoding: ${encoding}`,
    );
  }
}

async function assertRefused(bytes: Uint8Array | string): Promise<void> {
  using connection = new RawConnection(api.url);
  connection.write(bytes);
  const text = await connection.until(badRequest);
  assert.match(text, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(text, /\r\nx-amzn-RequestId: [\w-]{47}\r\n/i);
  assert.match(text, /\r\nContent-Type: application\/json\r\n/i);
  assert.match(text, /\r\nConnection: close\r\n/i);
  connection.end();
  await connection.untilClosed();
  assert.equal(connection.text, text);
}

for (const [shown, bytes] of Object.entries(unreadable)) {
  test(`${shown}: the connection ends with a JSON error`, () => assertRefused(bytes));
}

for (const encoding of ['gzip', 'chunked']) {
  test(`a signed job whose body, said to be ${encoding}, is not: a JSON error`, async () => {
    const request = api.prepare('POST', `/-/vaults/${vault}/jobs`, {
      body: 'zz\r\n',
      headers: [['Transfer-Encoding', encoding]],
      without: ['content-length'],
    });
    await assertRefused(Buffer.concat([headOf(request), Buffer.from('zz\r\n')]));
  });
}

test('a path that is not percent-encoded UTF-8 is refused, and the server lives on', async () => {
  for (const target of ['/-/vaults/%zz', '/-/vaults/%ff', '/-/vaults/%00', '//', '/..%2f..']) {
    const { status, text } = await api.call('GET', target);
    assert.ok(status === 400 || status === 404 || status === 403, `${target}: ${status} ${text}`);
  }
  assert.equal((await api.call('GET', `/-/vaults/${vault}`)).status, 200);
});

test('requests that follow each other without waiting are answered in their order', async () => {
  using connection = new RawConnection(api.url);
  const heads = ['/-/vaults?limit=1', `/-/vaults/${vault}`, '/-/nowhere'].map((target) =>
    headOf(api.prepare('GET', target)),
  );
  connection.write(Buffer.concat(heads));
  const text = await connection.until(/BadRequest.*\}$/s);
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status);
  assert.deepEqual(statuses, ['200', '200', '400']);
});

test('a connection is kept after an answer, also after an error to a small body', async () => {
  using connection = new RawConnection(api.url);
  const bytes = Buffer.from('small');
  const headers = uploadHeaders(Buffer.from('other'));
  const target = `/-/vaults/${vault}/archives`;
  const request = api.prepare('POST', target, { body: bytes, headers });
  connection.write(Buffer.concat([headOf(request), bytes]));
  await connection.until(/InvalidSignatureException.*\}$/s);
  connection.write(headOf(api.prepare('GET', `/-/vaults/${vault}`)));
  await connection.until(/HTTP\/1\.1 200 OK.*"VaultName"/s);
});

test('what is not UTF-8 in a JSON body answers 400', async () => {
  const body = Buffer.concat([Buffer.from('{"Type":"'), Buffer.of(0xff), Buffer.from('"}')]);
  const answer = await api.call('POST', `/-/vaults/${vault}/jobs`, { body });
  assert.equal(JSON.parse(answer.text).code, 'SerializationException');
});

test('deeply nested JSON is refused or ignored, and the server lives on', async () => {
  const body = `{"Type":"inventory-retrieval","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
  const { status } = await api.call('POST', `/-/vaults/${vault}/jobs`, { body });
  assert.ok(status === 202 || status === 400, String(status));
  assert.equal((await api.call('GET', `/-/vaults/${vault}`)).status, 200);
});

test('members of the JSON with the names of object methods do no harm', async () => {
  const body = '{"Type":"inventory-retrieval","__proto__":{"Tier":"x"},"constructor":1}';
  const { status } = await api.call('POST', `/-/vaults/${vault}/jobs`, { body });
  assert.equal(status, 202);
});
