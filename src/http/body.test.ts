import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { sha256Hex } from '../lib/node/sha256.ts';
import { GlacierError } from '../protocol/errors.ts';
import { readDocument, verifiedBody } from './body.ts';
import { errorIn, type FakeServices, Trial, until, uploadOf } from './trial-server.ts';

/** Services that store an archive by reading it, and tell what came. */
function readingStore(chunks: Uint8Array[], failures: unknown[] = []): FakeServices {
  const store = async ({ body }: { readonly body: AsyncIterable<Uint8Array> }) => {
    try {
      for await (const chunk of body) chunks.push(chunk);
    } catch (error) {
      failures.push(error);
      throw error;
    }
    return { archiveId: 'anId', treeHash: 'aTreeHash' };
  };
  return { archives: { store } };
}

test('a client that waits for 100 Continue gets it when the body is first read', async () => {
  const chunks: Uint8Array[] = [];
  await using trial = await Trial.start({ services: readingStore(chunks) });
  const upload = uploadOf('an archive', { headers: { Expect: '100-continue' } });
  const connection = await trial.connect();
  connection.write(trial.head(upload));
  assert.equal((await connection.reply()).status, 100);
  assert.equal(chunks.length, 0);
  connection.write('an archive');
  assert.equal((await connection.reply()).status, 201);
  assert.equal(Buffer.concat(chunks).toString(), 'an archive');

  connection.write(trial.head(upload));
  assert.equal((await connection.reply()).status, 100);
});

test('a client that waits for 100 Continue with a document gets it before it is checked', async () => {
  await using trial = await Trial.start();
  const connection = await trial.connect();
  const request = {
    method: 'POST',
    target: '/-/vaults/a/jobs',
    body: '{}',
    headers: { Expect: '100-continue' },
  };
  connection.write(trial.head(request));
  assert.equal((await connection.reply()).status, 100);
  connection.write('{}');
  assert.match(errorIn(await connection.reply()), /Required parameter missing: type$/);
});

for (const [title, upload, refusal] of [
  ['has no valid signature', { payloadSha256: 'f'.repeat(64) }, /^403 InvalidSignature/],
  ['goes nowhere', { target: '/vaults/a/archives' }, /^400 BadRequest/],
  ['names no version', { headers: { 'x-amz-glacier-version': '' } }, /^400 MissingParameter/],
  ['names no account', { target: '/x/vaults/a/archives' }, /^400 UnrecognizedClient/],
  ['has a bad member', { headers: { 'x-amz-sha256-tree-hash': '0' } }, /^400 InvalidParameter/],
  ['goes to a vault that is not there', {}, /^404 ResourceNotFoundException: Vault not found/],
] as const) {
  test(`an upload that ${title} gets its answer in place of 100 Continue`, async () => {
    const store = () =>
      Promise.reject(new GlacierError('ResourceNotFoundException', 'Vault not found for ARN: x'));
    await using trial = await Trial.start({ services: { archives: { store } } });
    const valid = uploadOf('x'.repeat(1000));
    const headers = {
      ...valid.headers,
      Expect: '100-continue',
      ...('headers' in upload ? upload.headers : {}),
    };
    const connection = await trial.connect();
    connection.write(trial.head({ ...valid, ...upload, headers }));
    const reply = await connection.reply();
    assert.match(errorIn(reply), refusal);
    assert.equal(reply.headers.get('connection'), 'close');
    await connection.closed();
  });
}

test('another expectation is overlooked', async () => {
  const list = () => Promise.resolve({ vaults: [], marker: null });
  await using trial = await Trial.start({ services: { vaults: { list } } });
  const headers = { Expect: 'the-unexpected' };
  assert.equal((await trial.send({ method: 'GET', target: '/-/vaults', headers })).status, 200);
});

test('an upload that stalls is answered 408 after the idle time, and not before', async () => {
  const chunks: Uint8Array[] = [];
  await using trial = await Trial.start({ services: readingStore(chunks), bodyIdleMs: 60_000 });
  const connection = await trial.connect();
  connection.write(`${trial.head(uploadOf('an archive'))}an`);
  await until(() => chunks.length === 1);
  trial.clock.advance(59_000);
  connection.write(' ');
  await until(() => chunks.length === 2);
  trial.clock.advance(59_999);
  await setImmediate();
  assert.equal(trial.events.length, 0);
  trial.clock.advance(1);
  const reply = await connection.reply();
  assert.equal(errorIn(reply), '408 RequestTimeoutException: Request timed out.');
  assert.equal(reply.headers.get('connection'), 'close');
  await connection.closed();
});

test('a document that stalls is answered 408, too', async () => {
  await using trial = await Trial.start({ bodyIdleMs: 60_000 });
  const connection = await trial.connect();
  const headers = { Expect: '100-continue' };
  const request = { method: 'POST', target: '/-/vaults/a/jobs', body: '{"a": 1}', headers };
  connection.write(trial.head(request));
  assert.equal((await connection.reply()).status, 100);
  connection.write('{');
  trial.clock.advance(60_000);
  assert.match(errorIn(await connection.reply()), /^408 RequestTimeoutException/);
});

test('time that the store takes is not the client’s', async () => {
  let goOn: () => void = () => {};
  let isWaiting = false;
  const store = async ({ body }: { readonly body: AsyncIterable<Uint8Array> }) => {
    for await (const _chunk of body) {
      isWaiting = true;
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    }
    return { archiveId: 'anId', treeHash: 'aTreeHash' };
  };
  await using trial = await Trial.start({ services: { archives: { store } } });
  const connection = await trial.connect();
  connection.write(trial.head(uploadOf('an archive')));
  connection.write('an archive');
  await until(() => isWaiting);
  trial.clock.advance(3_600_000);
  goOn();
  assert.equal((await connection.reply()).status, 201);
});

/** A connection over which the first bytes of an archive came, and were read. */
async function halfSent(trial: Trial, chunks: readonly Uint8Array[]) {
  const connection = await trial.connect();
  connection.write(`${trial.head(uploadOf('an archive'))}an`);
  await until(() => chunks.length === 1);
  return connection;
}

test('an upload whose connection is reset half-way fails for its reader, and is logged', async () => {
  const failures: unknown[] = [];
  const chunks: Uint8Array[] = [];
  await using trial = await Trial.start({ services: readingStore(chunks, failures) });
  const connection = await halfSent(trial, chunks);
  connection.socket.resetAndDestroy();
  await until(() => trial.eventsOf('request.completed').length === 1);
  assert.equal(failures.length, 1);
  assert.equal((failures[0] as Error).name, 'ClientGone');
  assert.equal(trial.eventsOf('request.abandoned').length, 1);
  assert.equal(trial.eventsOf('request.failed').length, 0);
  assert.equal(trial.eventsOf('request.completed')[0]?.['status'], null);
  await connection.closed();
  assert.equal(connection.unread, '');
});

test('an upload whose client ends its side half-way is answered 408', async () => {
  const failures: unknown[] = [];
  const chunks: Uint8Array[] = [];
  await using trial = await Trial.start({ services: readingStore(chunks, failures) });
  const connection = await halfSent(trial, chunks);
  connection.socket.end();
  const { status, body } = await connection.reply();
  assert.equal(status, 408);
  assert.match(String(body), /"code":"RequestTimeoutException","message":"Request timed out\."/);
  assert.equal(failures.length, 1);
  await connection.closed();
});

test('a client that ends its side behind a whole request is answered', async () => {
  const chunks: Uint8Array[] = [];
  await using trial = await Trial.start({ services: readingStore(chunks, []) });
  const connection = await trial.connect();
  connection.write(`${trial.head(uploadOf('an archive'))}an archive`);
  connection.socket.end();
  assert.equal((await connection.reply()).status, 201);
  await connection.closed();
});

test('a client that goes away aborts what is done for it', async () => {
  let signal: AbortSignal | undefined;
  const store = async (archive: { readonly signal: AbortSignal }) => {
    signal = archive.signal;
    await new Promise((_resolve, reject) => {
      archive.signal.addEventListener('abort', () => reject(archive.signal.reason));
    });
    return { archiveId: '', treeHash: '' };
  };
  await using trial = await Trial.start({ services: { archives: { store } } });
  const connection = await trial.connect();
  connection.write(`${trial.head(uploadOf('an archive'))}an archive`);
  await until(() => signal !== undefined);
  connection.socket.resetAndDestroy();
  await until(() => trial.eventsOf('request.abandoned').length === 1);
  assert.equal(signal?.aborted, true);
});

test('a body sent in pieces of any size arrives whole and in order', async () => {
  const chunks: Uint8Array[] = [];
  await using trial = await Trial.start({ services: readingStore(chunks) });
  const connection = await trial.connect();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1 }),
      async (sizes) => {
        chunks.length = 0;
        const pieces = sizes.map((size, at) => String.fromCharCode(97 + (at % 26)).repeat(size));
        const upload = uploadOf(pieces.join(''));
        connection.write(trial.head(upload));
        for (const piece of pieces) connection.write(piece);
        assert.equal((await connection.reply()).status, 201);
        assert.equal(Buffer.concat(chunks).toString(), upload.body);
      },
    ),
    { numRuns: 20 },
  );
});

test('an upload in chunks, whose length nobody knows, is refused', async () => {
  await using trial = await Trial.start();
  const upload = uploadOf('abc', { headers: { 'Transfer-Encoding': 'chunked' }, measure: false });
  const connection = await trial.connect();
  connection.write(`${trial.head(upload)}3\r\nabc\r\n0\r\n\r\n`);
  assert.equal(
    errorIn(await connection.reply()),
    '400 MissingParameterValueException: Required parameter missing: Content-Length',
  );
});

test('a document in chunks is read like any other', async () => {
  await using trial = await Trial.start();
  const request = {
    method: 'POST',
    target: '/-/vaults/a/jobs',
    body: '{"Type":"x"}',
    headers: { 'Transfer-Encoding': 'chunked' },
    measure: false,
  };
  const connection = await trial.connect();
  connection.write(`${trial.head(request)}2\r\n{"\r\na\r\nType":"x"}\r\n0\r\n\r\n`);
  assert.match(errorIn(await connection.reply()), /Invalid job type: x$/);
});

test('an upload without a body is refused for its length', async () => {
  await using trial = await Trial.start();
  assert.equal(
    await trial.errorOf(uploadOf('')),
    '400 MissingParameterValueException: Required parameter missing: Content-Length',
  );
  assert.equal(
    await trial.errorOf(uploadOf('', { headers: { 'Content-Length': '0' } })),
    '400 InvalidParameterValueException: Invalid Content-Length: 0',
  );
});

test('a part that comes with neither length nor chunks is refused for its length', async () => {
  await using trial = await Trial.start();
  const part = uploadOf('abc', {
    method: 'PUT',
    target: '/-/vaults/a/multipart-uploads/b',
    headers: { 'Content-Range': 'bytes 0-2/*' },
    measure: false,
  });
  const connection = await trial.connect();
  connection.write(trial.head(part));
  assert.equal(
    errorIn(await connection.reply()),
    '400 InvalidParameterValueException: ' +
      'Content-Range: bytes 0-2/* is incompatible with Content-Length: 0',
  );
});

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

test('a verified body passes its bytes on, and is judged at its end by their hash', async () => {
  const judged: string[] = [];
  const body = verifiedBody(pieces('ab', 'c'), (sha256) => judged.push(sha256));
  assert.deepEqual((await Array.fromAsync(body)).map(String), ['ab', 'c']);
  assert.deepEqual(judged, [sha256Hex('abc')]);
});

test('a document has as many bytes as are allowed, and not one more', async () => {
  const read = (announcedSizeBytes: number, ...texts: string[]) =>
    readDocument(pieces(...texts), { announcedSizeBytes, sizeBytesMax: 4 });
  assert.equal(String(await read(4, 'ab', 'cd')), 'abcd');
  assert.equal(String(await read(0)), '');
  assert.equal(await read(5), undefined);
  assert.equal(await read(0, 'abc', 'de'), undefined);
});
