import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { OperationName } from '../protocol/operations.ts';
import { shapes } from '../protocol/shapes/all.ts';
import { replyOf } from './reply-writer.ts';
import { Trial, type TrialOptions, until } from './trial-server.ts';

function reply(operation: OperationName, output: unknown) {
  const { status, headers, body } = replyOf(operation, shapes[operation].output, output);
  return { status, headers, body: body instanceof Uint8Array ? String(body) : body };
}

test('an output without a document has no body and no type', () => {
  assert.deepEqual(reply('CreateVault', { location: '/a/vaults/v' }), {
    status: 201,
    headers: { Location: '/a/vaults/v' },
    body: undefined,
  });
  assert.deepEqual(reply('DeleteVault', {}), { status: 204, headers: {}, body: undefined });
});

test('a document is compact, with its keys in the order of the shape, and null for what is not there', () => {
  const vault = {
    vaultName: 'photos',
    vaultARN: 'arn',
    sizeInBytes: 0,
    numberOfArchives: null,
    creationDate: '2026-01-01T00:00:00.000Z',
  };
  assert.deepEqual(reply('ListVaults', { vaultList: [vault] }), {
    status: 200,
    headers: { 'Content-Type': 'application/json' },
    body:
      '{"Marker":null,"VaultList":[{"CreationDate":"2026-01-01T00:00:00.000Z",' +
      '"LastInventoryDate":null,"NumberOfArchives":null,"SizeInBytes":0,"VaultARN":"arn",' +
      '"VaultName":"photos"}]}',
  });
});

test('a map is an object with its keys, whatever they are called', () => {
  const tags = new Map([
    ['__proto__', 'a'],
    ['b', ''],
  ]);
  assert.equal(reply('ListTagsForVault', { tags }).body, '{"Tags":{"__proto__":"a","b":""}}');
});

test('an integer of 64 bits is written exactly, and left out where it is none', () => {
  const rules = [{ strategy: 'BytesPerHour', bytesPerHour: 9_223_372_036_854_775_807n }];
  assert.equal(
    reply('GetDataRetrievalPolicy', { policy: { rules } }).body,
    '{"Policy":{"Rules":[{"BytesPerHour":9223372036854775807,"Strategy":"BytesPerHour"}]}}',
  );
  assert.equal(
    reply('GetDataRetrievalPolicy', {
      policy: { rules: [{ strategy: 'None', bytesPerHour: null }] },
    }).body,
    '{"Policy":{"Rules":[{"Strategy":"None"}]}}',
  );
});

test('a structure that is not there is null as a whole, and one that is has all its members', () => {
  const job = {
    action: 'InventoryRetrieval',
    completed: false,
    creationDate: 'd',
    jobId: 'j',
    statusCode: 'InProgress',
    vaultARN: 'arn',
  };
  const described = (inventoryRetrievalParameters: unknown) => {
    const { body } = reply('DescribeJob', { ...job, inventoryRetrievalParameters });
    return JSON.parse(String(body)).InventoryRetrievalParameters;
  };
  assert.equal(described(null), null);
  assert.deepEqual(described({ format: 'CSV', limit: null }), {
    EndDate: null,
    Format: 'CSV',
    Limit: null,
    Marker: null,
    StartDate: null,
  });
});

test('a required member that a handler leaves out is a defect', () => {
  assert.throws(() => reply('CreateVault', {}), { name: 'AssertionFailed' });
});

test('a header beyond ASCII goes out as UTF-8', () => {
  const body = { sizeBytes: 0, bytes: bytesOf() };
  const output = { status: 206, contentType: 'text/csv', acceptRanges: 'bytes', body };
  const written = reply('GetJobOutput', { ...output, archiveDescription: 'é' });
  assert.deepEqual(written, {
    status: 206,
    headers: {
      'Content-Type': 'text/csv',
      'Accept-Ranges': 'bytes',
      'x-amz-archive-description': '\xc3\xa9',
    },
    body,
  });
});

async function* bytesOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** A server whose one job has this output. */
function downloads(
  bytes: AsyncIterable<Uint8Array> | ((signal: AbortSignal) => AsyncIterable<Uint8Array>),
  sizeBytes: number,
  options: TrialOptions = {},
): Promise<Trial> {
  const output = () =>
    Promise.resolve({
      contentType: 'application/octet-stream' as const,
      firstByte: 0,
      lastByte: sizeBytes - 1,
      sizeBytes,
      isPartial: false,
      treeHash: null,
      archiveDescription: 'h\xe9',
      read: typeof bytes === 'function' ? bytes : () => bytes,
    });
  return Trial.start({ services: { jobs: { output } }, ...options });
}

const download = { method: 'GET', target: '/-/vaults/a/jobs/b/output' };

test('an output is sent with its exact length, and the connection goes on being used', async () => {
  await using trial = await downloads(bytesOf(Buffer.from('ab'), Buffer.from('c')), 3);
  const connection = await trial.connect();
  connection.write(trial.head(download));
  const { status, headers, body } = await connection.reply();
  assert.equal(status, 200);
  assert.equal(body, 'abc');
  assert.equal(headers.get('content-length'), '3');
  assert.equal(headers.get('content-type'), 'application/octet-stream');
  assert.equal(headers.has('transfer-encoding'), false);
  assert.equal(headers.get('x-amz-archive-description'), 'h\xc3\xa9');
  connection.write(trial.head({ method: 'GET', target: '/healthz' }));
  assert.equal((await connection.reply()).status, 200);
  assert.equal(trial.eventsOf('request.completed')[0]?.['bytesOut'], 3);
});

for (const [title, chunks] of [
  ['shorter', ['ab']],
  ['longer', ['ab', 'cd']],
] as const) {
  test(`an output that turns out ${title} than announced is cut, never completed`, async () => {
    const bytes = bytesOf(...chunks.map((text) => Buffer.from(text)));
    await using trial = await downloads(bytes, 3);
    const connection = await trial.connect();
    connection.write(trial.head(download));
    await assert.rejects(connection.reply(), /closed after/);
    assert.equal(trial.eventsOf('reply.cut').length, 1);
  });
}

test('an output that fails half-way is cut, and why is in the log', async () => {
  async function* failing() {
    yield Buffer.from('ab');
    throw new Error('the disk broke');
  }
  await using trial = await downloads(failing(), 3);
  const connection = await trial.connect();
  connection.write(trial.head(download));
  await assert.rejects(connection.reply(), /closed after/);
  assert.match(String(trial.eventsOf('reply.cut')[0]?.['error']), /the disk broke/);
  await until(() => trial.eventsOf('request.completed').length === 1);
  assert.equal(trial.eventsOf('request.completed')[0]?.['isComplete'], false);
});

test('an output that fails before its first byte is answered with an error', async () => {
  const failing = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('x')) }),
  };
  await using trial = await downloads(failing, 3);
  assert.match(await trial.errorOf(download), /^500 ServiceUnavailableException/);
});

/** Yields until nobody takes any more; tells how far it came and that it was closed. */
function endless() {
  const state = { sizeBytes: 0, isClosed: false, isAborted: false };
  const chunk = Buffer.alloc(64 * 1024);
  async function* bytes(signal: AbortSignal) {
    signal.addEventListener('abort', () => {
      state.isAborted = true;
    });
    try {
      for (;;) {
        state.sizeBytes += chunk.length;
        yield chunk;
      }
    } finally {
      state.isClosed = true;
    }
  }
  return { state, bytes };
}

test('no more of an output is read than the client takes', async () => {
  const { state, bytes } = endless();
  await using trial = await downloads(bytes, 2 ** 40);
  const connection = await trial.connect();
  connection.socket.pause();
  connection.write(trial.head(download));
  let before = -1;
  await until(() => state.sizeBytes > 0);
  for (let still = 0; still < 1000; still++) {
    if (state.sizeBytes !== before) still = 0;
    before = state.sizeBytes;
    await setImmediate();
  }
  assert.ok(state.sizeBytes < 64 * 1024 * 1024, `${state.sizeBytes} bytes were read`);
});

test('a client that leaves within an output ends the reading of it', async () => {
  const { state, bytes } = endless();
  await using trial = await downloads(bytes, 2 ** 40);
  const connection = await trial.connect();
  connection.write(trial.head(download));
  await until(() => connection.unread.length > 1000);
  connection.socket.resetAndDestroy();
  await until(() => state.isClosed);
  await until(() => trial.eventsOf('request.completed').length === 1);
  assert.equal(state.isAborted, true);
  assert.equal(trial.eventsOf('request.abandoned').length, 1);
  assert.equal(trial.eventsOf('reply.cut').length, 0);
});

test('a client that takes nothing of an output for long is left', async () => {
  const { state, bytes } = endless();
  await using trial = await downloads(bytes, 2 ** 40, { replyIdleMs: 1000 });
  const connection = await trial.connect();
  connection.socket.pause();
  connection.write(trial.head(download));
  await until(() => state.sizeBytes > 0);
  await until(() => {
    trial.clock.advance(1000);
    return state.isClosed;
  });
  assert.match(
    String(trial.eventsOf('request.abandoned')[0]?.['reason']),
    /stopped taking the reply/,
  );
});
