import assert from 'node:assert/strict';
import test from 'node:test';
import { GlacierError } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import { errorBody } from './error-writer.ts';
import { errorIn, Trial, until, uploadOf } from './trial-server.ts';

const listing = { vaults: { list: () => Promise.resolve({ vaults: [], marker: null }) } };
const get = { method: 'GET', target: '/-/vaults' };

test('an error has a code, a message, a type, and a header for clients that look there', async () => {
  await using trial = await Trial.start();
  const reply = await trial.send({ method: 'GET', target: '/-/vaults?limit=%C3%A9' });
  assert.equal(reply.status, 400);
  const body = Buffer.from(reply.body, 'latin1').toString('utf8');
  assert.equal(
    body,
    '{"code":"InvalidParameterValueException","message":"Invalid limit: é","type":"Client"}',
  );
  assert.equal(reply.headers.get('content-type'), 'application/json');
  assert.equal(reply.headers.get('x-amzn-errortype'), 'InvalidParameterValueException');
  assert.match(reply.headers.get('x-amzn-requestid') ?? '', /^[A-Za-z0-9][A-Za-z0-9_-]{46}$/);
  assert.ok(reply.headers.has('date'));
});

test('a defect is answered 500 without its message, which is in the log with its stack', async () => {
  const list = () => Promise.reject(new Error('secret', { cause: new Error('deeper') }));
  await using trial = await Trial.start({ services: { vaults: { list } } });
  const reply = await trial.send(get);
  assert.equal(
    errorIn(reply),
    '500 ServiceUnavailableException: The service failed to process the request. Please try again.',
  );
  assert.match(reply.body, /"type":"Server"/);
  const [facts] = trial.eventsOf('request.failed');
  assert.equal(facts?.['requestId'], reply.headers.get('x-amzn-requestid'));
  assert.match(String(facts?.['error']), /^Error: secret\n {4}at .*\ncaused by: Error: deeper/s);
});

test('something thrown that is no error is a defect like any other', async () => {
  // biome-ignore lint/nursery/usePromiseRejectErrors: that somebody does so is what is tested
  const list = () => Promise.reject('a text' as unknown as Error);
  await using trial = await Trial.start({ services: { vaults: { list } } });
  assert.match(await trial.errorOf(get), /^500 ServiceUnavailableException/);
});

test('a connection goes on being used after errors', async () => {
  await using trial = await Trial.start({ services: listing });
  const connection = await trial.connect();
  for (const [request, answer] of [
    [{ ...get, isSigned: false }, /^400 MissingAuthenticationToken/],
    [{ method: 'GET', target: '/-/vaults/%zz' }, /^400 BadRequest/],
    [{ method: 'POST', target: '/-/vaults/a/jobs', body: '{' }, /^400 Serialization/],
    [{ method: 'POST', target: '/x', body: 'y'.repeat(1000), isSigned: false }, /^400 MissingAuth/],
    [uploadOf('x'.repeat(60_000), { isSigned: false }), /^400 MissingAuthenticationToken/],
    [get, /^200 undefined/],
  ] as const) {
    connection.write(trial.head(request) + ('body' in request ? request.body : ''));
    assert.match(errorIn(await connection.reply()), answer);
  }
});

test('a client that sends a big body is not cut off before it can read its refusal', async () => {
  await using trial = await Trial.start();
  const size = 20 * 1024 * 1024;
  const headers = { 'Content-Length': String(size) };
  const connection = await trial.connect();
  connection.write(trial.head(uploadOf('x', { headers, isSigned: false })));
  const piece = 'x'.repeat(1024 * 1024);
  for (let sent = 0; sent < size; sent += piece.length) connection.write(piece);
  const reply = await connection.reply();
  assert.match(errorIn(reply), /^400 MissingAuthenticationToken/);
  assert.equal(reply.headers.get('connection'), 'close');
  await connection.closed();
  assert.equal(connection.socket.bytesWritten > size, true);
});

test('a refused body is read for ten seconds at most', async () => {
  await using trial = await Trial.start();
  const connection = await trial.connect();
  const headers = { 'Content-Length': String(1024 * 1024 * 1024) };
  connection.write(trial.head(uploadOf('x', { headers, isSigned: false })));
  await connection.reply();
  trial.clock.advance(9_999);
  connection.write('x');
  await until(() => connection.socket.writableLength === 0);
  assert.equal(connection.isClosed, false);
  trial.clock.advance(1);
  await connection.closed();
});

test('a refused body of a kept connection must come within ten seconds, too', async () => {
  await using trial = await Trial.start();
  const connection = await trial.connect();
  connection.write(trial.head({ method: 'POST', target: '/x', body: 'abc', isSigned: false }));
  await connection.reply();
  trial.clock.advance(10_000);
  await connection.closed();
});

test('a refused body is read up to 64 MiB', async () => {
  await using trial = await Trial.start();
  const connection = await trial.connect();
  const headers = { 'Content-Length': String(1024 * 1024 * 1024) };
  connection.write(trial.head(uploadOf('x', { headers, isSigned: false })));
  assert.match(errorIn(await connection.reply()), /^400/);
  const piece = 'x'.repeat(1024 * 1024);
  for (let sent = 0; sent < 80 && !connection.isClosed; sent++) {
    connection.write(piece);
    await until(() => connection.socket.writableLength === 0 || connection.isClosed);
  }
  await connection.closed();
});

test('an upload of more than 4 GiB is refused by its header alone', async () => {
  await using trial = await Trial.start();
  const connection = await trial.connect();
  const headers = { 'Content-Length': '38505164800' };
  connection.write(trial.head(uploadOf('x', { headers })));
  const reply = await connection.reply();
  assert.equal(
    errorIn(reply),
    '400 InvalidParameterValueException: Invalid Content-Length: 38505164800',
  );
  assert.equal(reply.headers.get('connection'), 'close');
});

test('a document of more than 1 MiB is refused by its header alone', async () => {
  await using trial = await Trial.start();
  const connection = await trial.connect();
  const body = 'x'.repeat(limits.documentSizeBytesMax + 1);
  connection.write(trial.head({ method: 'POST', target: '/-/vaults/a/jobs', body }));
  assert.match(errorIn(await connection.reply()), /^400 SerializationException/);
});

test('a document of 1 MiB is read', async () => {
  await using trial = await Trial.start();
  const body = `{"Type": "x"${' '.repeat(limits.documentSizeBytesMax - 13)}}`;
  assert.equal(body.length, limits.documentSizeBytesMax);
  const error = await trial.errorOf({ method: 'POST', target: '/-/vaults/a/jobs', body });
  assert.match(error, /Invalid job type: x$/);
});

test('a message that names a long value is cut', () => {
  const message = `Invalid marker: ${'😀'.repeat(100_000)}`;
  const error = new GlacierError('InvalidParameterValueException', message);
  const { message: shown } = JSON.parse(Buffer.from(errorBody(error)).toString());
  assert.equal(shown.length, 16_385);
  assert.match(shown, /^Invalid marker: (?:😀)+…$/u);
});
