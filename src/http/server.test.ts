import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { errorIn, Trial, until, uploadOf } from './trial-server.ts';

const listing = { vaults: { list: () => Promise.resolve({ vaults: [], marker: null }) } };
const get = { method: 'GET', target: '/-/vaults' };

for (const [title, bytes] of [
  ['a method that is none', 'FOO /-/vaults HTTP/1.1\r\n\r\n'],
  ['another protocol', '\x16\x03\x01\x02\x00\x01\x00\x01'],
  ['a head that is too large', `GET / HTTP/1.1\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`],
  [
    'two lengths',
    'PUT /-/vaults/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
  ],
  [
    'a length and chunks',
    'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  ],
] as const) {
  test(`a request with ${title} gets an error in the API's form`, async () => {
    await using trial = await Trial.start();
    const connection = await trial.connect();
    connection.write(bytes);
    const reply = await connection.reply();
    assert.equal(errorIn(reply), '400 BadRequest: Bad request');
    assert.match(reply.headers.get('x-amzn-requestid') ?? '', /^[A-Za-z0-9_-]{47}$/);
    assert.equal(reply.headers.get('content-type'), 'application/json');
    assert.equal(reply.headers.get('connection'), 'close');
    assert.ok(reply.headers.has('date'));
    assert.equal(trial.eventsOf('connection.refused').length, 1);
    trial.clock.advance(2_000);
    await connection.closed();
  });
}

const chunked = { 'Transfer-Encoding': 'chunked' };
const unmeasured = { measure: false, target: '/-/vaults/a/jobs' };

for (const [title, request, sent] of [
  ['gzip for a body', { method: 'PUT', headers: { 'Transfer-Encoding': 'gzip' } }, 'abc'],
  ['no encoding of its body', { method: 'GET', headers: { 'Transfer-Encoding': 'identity' } }, ''],
  ['chunks that are none', { method: 'PUT', headers: { 'Transfer-Encoding': 'xchunked' } }, ''],
  ['a bad first chunk', { method: 'POST', headers: chunked }, 'zz\r\n'],
  [
    'a bad first chunk and no signature',
    { method: 'POST', headers: chunked, isSigned: false },
    'zz',
  ],
  ['a bad chunk behind a good one', { method: 'POST', headers: chunked }, '3\r\nabc\r\nzz\r\n'],
  [
    'a bad chunk, to nowhere',
    { method: 'POST', headers: chunked, target: '/nowhere' },
    `zz\r\n${'x'.repeat(5_000_000)}`,
  ],
] as const) {
  test(`a request with ${title} is answered in the API's form, and ends its connection`, async () => {
    await using trial = await Trial.start();
    const connection = await trial.connect();
    connection.write(trial.head({ ...unmeasured, ...request }) + sent);
    const reply = await connection.reply();
    assert.equal(errorIn(reply), '400 BadRequest: Bad request');
    assert.match(reply.headers.get('x-amzn-requestid') ?? '', /^[A-Za-z0-9_-]{47}$/);
    assert.equal(reply.headers.get('connection'), 'close');
    trial.clock.advance(2_000);
    await connection.closed();
    assert.equal(connection.unread, '');
    await until(() => trial.eventsOf('request.completed').length === 1);
    const [facts] = trial.eventsOf('request.completed');
    assert.equal(facts?.['code'], 'BadRequest');
    assert.equal(facts?.['isComplete'], true);
    assert.equal(trial.eventsOf('request.failed').length, 0);
  });
}

test('a client that is told of its bad chunk and leaves is not waited for', async () => {
  await using trial = await Trial.start();
  const connection = await trial.connect();
  connection.write(`${trial.head({ ...unmeasured, method: 'POST', headers: chunked })}zz\r\n`);
  assert.equal((await connection.reply()).status, 400);
  connection.socket.end();
  await connection.closed();
});

test('a part whose chunks turn bad under way fails for its reader, and is answered 400', async () => {
  const failures: unknown[] = [];
  let sizeBytes = 0;
  const putPart = async ({ body }: { readonly body: AsyncIterable<Uint8Array> }) => {
    try {
      for await (const chunk of body) sizeBytes += chunk.length;
    } catch (error) {
      failures.push(error);
      throw error;
    }
    return { treeHash: '' };
  };
  await using trial = await Trial.start({ services: { uploads: { putPart } } });
  const connection = await trial.connect();
  const headers = { ...uploadOf('abcdef').headers, ...chunked, 'Content-Range': 'bytes 0-5/*' };
  const target = '/-/vaults/a/multipart-uploads/b';
  connection.write(`${trial.head({ method: 'PUT', target, headers })}3\r\nabc\r\n`);
  await until(() => sizeBytes === 3);
  connection.write('zz\r\n');
  assert.equal(errorIn(await connection.reply()), '400 BadRequest: Bad request');
  assert.equal(failures.length, 1);
});

test('a bad chunk behind a whole request does not cost that its answer', async () => {
  await using trial = await Trial.start({ services: listing });
  const connection = await trial.connect();
  const bad = trial.head({ ...unmeasured, method: 'POST', headers: chunked });
  connection.write(`${trial.head(get)}${bad}zz\r\n`);
  assert.equal((await connection.reply()).status, 200);
  assert.equal(errorIn(await connection.reply()), '400 BadRequest: Bad request');
});

test('CONNECT is refused in the API’s form, and no connection is handed on', async () => {
  await using trial = await Trial.start();
  const connection = await trial.connect();
  connection.write('CONNECT glacier.us-east-1.amazonaws.com:443 HTTP/1.1\r\nHost: a\r\n\r\n');
  const reply = await connection.reply();
  assert.equal(errorIn(reply), '400 BadRequest: Bad request');
  assert.match(reply.headers.get('x-amzn-requestid') ?? '', /^[A-Za-z0-9_-]{47}$/);
  assert.equal(reply.headers.get('connection'), 'close');
  assert.deepEqual(trial.eventsOf('connection.refused')[0]?.['code'], 'CONNECT');
  connection.socket.end();
  await connection.closed();
});

test('CONNECT behind a request does not cost the request its answer', async () => {
  await using trial = await Trial.start({ services: listing });
  const connection = await trial.connect();
  connection.write(`${trial.head(get)}CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n`);
  assert.equal((await connection.reply()).status, 200);
  await connection.closed();
});

test('a request without a host is like any other that nobody signed', async () => {
  await using trial = await Trial.start();
  const connection = await trial.connect();
  connection.write('GET /-/vaults HTTP/1.1\r\n\r\n');
  assert.match(errorIn(await connection.reply()), /^400 MissingAuthenticationToken/);
});

test('nonsense behind a request does not cost the request its answer', async () => {
  await using trial = await Trial.start({ services: listing });
  const connection = await trial.connect();
  connection.write(`${trial.head(get)}NONSENSE\r\n\r\n`);
  assert.equal((await connection.reply()).status, 200);
  await connection.closed();
  assert.equal(connection.unread, '');
});

test('requests sent at once are answered in their order', async () => {
  await using trial = await Trial.start({ services: listing });
  const connection = await trial.connect();
  const missing = { method: 'GET', target: '/nowhere' };
  connection.write(trial.head(get) + trial.head(missing) + trial.head(get));
  const statuses = [];
  for (let at = 0; at < 3; at++) statuses.push((await connection.reply()).status);
  assert.deepEqual(statuses, [200, 400, 200]);
});

test('connections are kept for longer than the pools of clients keep them', async () => {
  await using trial = await Trial.start({ services: listing });
  const reply = await trial.send(get);
  assert.equal(reply.headers.get('connection'), 'keep-alive');
  assert.match(reply.headers.get('keep-alive') ?? '', /^timeout=(7[5-9]|[89]\d|\d{3,})$/);
});

test('the type of a document does not matter, nor does that of an archive', async () => {
  const store = async ({ body }: { readonly body: AsyncIterable<Uint8Array> }) => {
    for await (const _chunk of body);
    return { archiveId: 'anId', treeHash: 'aTreeHash' };
  };
  await using trial = await Trial.start({ services: { archives: { store } } });
  for (const type of ['application/x-www-form-urlencoded; charset=utf-8', ';;;', 'a/b/c', '\xe9']) {
    const headers = { 'Content-Type': type };
    const job = { method: 'POST', target: '/-/vaults/a/jobs', body: '{"Type": "x"}', headers };
    assert.match(await trial.errorOf(job), /Invalid job type: x$/);
    assert.equal((await trial.send(uploadOf('an archive', { headers }))).status, 201);
  }
});

test('replies without a document have no type, and 204 not even a length', async () => {
  const create = () => Promise.resolve();
  await using trial = await Trial.start({ services: { vaults: { create, remove: create } } });
  const created = await trial.send({ method: 'PUT', target: '/-/vaults/a' });
  assert.equal(created.status, 201);
  assert.equal(created.headers.get('content-length'), '0');
  assert.equal(created.headers.has('content-type'), false);
  const removed = await trial.send({ method: 'DELETE', target: '/-/vaults/a' });
  assert.equal(removed.status, 204);
  assert.equal(removed.headers.has('content-length'), false);
  assert.equal(removed.headers.has('content-type'), false);
  assert.match(removed.headers.get('x-amzn-requestid') ?? '', /^[A-Za-z0-9_-]{47}$/);
  assert.ok(removed.headers.has('date'));
});

test('descriptions with UTF-8 in them are signed, read and kept byte for byte', async () => {
  let description: unknown;
  const store = async (archive: {
    readonly description: string | undefined;
    readonly body: AsyncIterable<Uint8Array>;
  }) => {
    description = archive.description;
    for await (const _chunk of archive.body);
    return { archiveId: 'anId', treeHash: 'aTreeHash' };
  };
  const headers = { 'x-amz-archive-description': 'h\xc3\xa9  h\xc3\xa9' };
  const upload = uploadOf('an archive', { headers });
  const services = { archives: { store } };
  await using strict = await Trial.start({ services });
  assert.match(
    await strict.errorOf(upload),
    /^400 InvalidParameterValueException: Invalid x-amz-a/,
  );
  await using lenient = await Trial.start({ services, allowUtf8Descriptions: true });
  assert.equal((await lenient.send(upload)).status, 201);
  assert.equal(description, 'hé  hé');
});

/** A server with one request that runs until it is told to end, or is aborted. */
async function busy() {
  let end: () => void = () => {};
  let isAborted = false;
  let isRunning = false;
  const store = async (archive: { readonly signal: AbortSignal }) => {
    isRunning = true;
    await new Promise<void>((resolve, reject) => {
      end = resolve;
      archive.signal.addEventListener('abort', () => {
        isAborted = true;
        reject(archive.signal.reason);
      });
    });
    return { archiveId: 'anId', treeHash: 'aTreeHash' };
  };
  const trial = await Trial.start({ services: { archives: { store }, ...listing } });
  const connection = await trial.connect();
  connection.write(`${trial.head(uploadOf('data'))}data`);
  await until(() => isRunning);
  return { trial, connection, end: () => end(), isAborted: () => isAborted };
}

test('a server that closes lets running requests finish, and accepts no more', async () => {
  const { trial, connection, end } = await busy();
  const idle = await trial.connect();
  idle.write(trial.head(get));
  await idle.reply();
  const closed = trial.server.close(30_000);
  await idle.closed();
  await assert.rejects(trial.connect(), { code: 'ECONNREFUSED' });
  end();
  const reply = await connection.reply();
  assert.equal(reply.status, 201);
  assert.equal(reply.headers.get('connection'), 'close');
  await closed;
  await connection.closed();
  assert.equal(trial.eventsOf('requests.cut').length, 0);
});

test('a server that closes cuts what still runs when its patience ends', async () => {
  const { trial, connection, isAborted } = await busy();
  const closed = trial.server.close(30_000);
  trial.clock.advance(29_999);
  await setImmediate();
  assert.equal(isAborted(), false);
  trial.clock.advance(1);
  await closed;
  await connection.closed();
  assert.equal(isAborted(), true);
  assert.equal(connection.unread, '');
  assert.deepEqual(trial.eventsOf('requests.cut'), [{ count: 1 }]);
});

test('a refused client that goes on sending does not keep a server from closing', async () => {
  const trial = await Trial.start();
  const connection = await trial.connect();
  const headers = { 'Content-Length': String(1024 * 1024 * 1024) };
  connection.write(trial.head(uploadOf('x', { headers, isSigned: false })));
  await connection.reply();
  const closed = trial.server.close(1_000);
  trial.clock.advance(1_000);
  await closed;
  await connection.closed();
});

test('a server can be closed twice, and before it listens', async () => {
  await using trial = await Trial.start();
  await trial.server.close(0);
  await trial.server.close(0);
});

test('an observer is told of each request what the log is told', async () => {
  const seen: object[] = [];
  const observer = (facts: object) => {
    seen.push(facts);
  };
  await using trial = await Trial.start({ services: listing, observer });
  await trial.send(get);
  await trial.send({ method: 'GET', target: '/nowhere' });
  await trial.send({ method: 'GET', target: '/healthz', isSigned: false });
  await until(() => seen.length === 2);
  assert.deepEqual(seen, trial.eventsOf('request.completed'));
  assert.deepEqual(
    seen.map((facts) => Reflect.get(facts, 'operation')),
    ['ListVaults', null],
  );
});
