import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { healthOf } from '../admin/health.ts';
import { Metrics } from '../admin/metrics.ts';
import { createAdminServer } from '../admin/server.ts';
import { SampleServer } from '../admin/status-sample.ts';
import { SystemClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { endpointPath, readEndpoint, writeEndpoint } from '../lib/node/admin-endpoint.ts';
import { findRunningServer } from './running-server.ts';

const token = 'the token of this start';

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'firn-running-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A server of which a test asks through its admin endpoint. */
async function startAdmin(t: TestContext, { version = '1.2.3' } = {}) {
  const dataDirectory = directoryFor(t);
  const sample = new SampleServer();
  const names: string[] = [];
  const server = createAdminServer({
    ...{ token, version, names: [], pid: process.pid, log: silentLog, clock: new SystemClock() },
    endpointPath: endpointPath(dataDirectory),
    status: sample.status,
    metrics: new Metrics(),
    health: () => healthOf('ready'),
    accounts: {
      list: async () => names.map((name) => ({ accountId: '1', name, createdAtMs: 5 })),
      exists: async (accountId) => accountId === '111122223333',
      create: async ({ name }) => {
        names.push(name);
        return { accountId: '1', name, accessKeyId: 'a', secretAccessKey: 'b' };
      },
    },
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => server.close());
  return { dataDirectory, sample, server };
}

/** Somebody else at an address that a file tells of. */
async function startOther(t: TestContext, listener: RequestListener) {
  const dataDirectory = directoryFor(t);
  const seen: string[] = [];
  const other = createServer((request, response) => {
    seen.push(JSON.stringify(request.headers));
    listener(request, response);
  });
  await new Promise<void>((resolve) => {
    other.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    other.closeAllConnections();
    other.close();
  });
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  writeEndpoint(endpointPath(dataDirectory), { url, token, pid: process.pid });
  return { dataDirectory, seen };
}

const version = '1.2.3';

test('a running server is found, and asked', async (t) => {
  const { dataDirectory, sample } = await startAdmin(t);
  sample.rows.addVault('a');
  for (let count = 0; count < 3; count++) sample.rows.addArchive('a');
  const found = await findRunningServer({ dataDirectory, version });
  assert.ok(found !== null);
  assert.equal((await found.accounts.create({ name: 'backup' })).secretAccessKey, 'b');
  assert.deepEqual(await found.accounts.list(), [
    { accountId: '1', name: 'backup', createdAtMs: 5 },
  ]);
  assert.deepEqual(await found.status.report(), await sample.status.report());
  const query = { after: 1, limit: 1, vaultName: 'name-a' };
  assert.deepEqual(await found.status.archives(query), await sample.status.archives(query));
  assert.equal((await found.status.archives({ ...query, vaultName: 'b' })).archives.length, 0);
});

test('what the server refuses is refused with its own words', async (t) => {
  const { dataDirectory, server } = await startAdmin(t);
  const found = await findRunningServer({ dataDirectory, version });
  await assert.rejects(async () => found?.accounts.create({ name: '' }), /1 to 128 characters/);
  const taken = { name: 'x', accountId: '111122223333' };
  await assert.rejects(async () => found?.accounts.create(taken), /There is an account 1111/);
  await server.close();
  await assert.rejects(async () => found?.accounts.list(), /does not answer at http/);
});

test('no server is found where none has told of itself', async (t) => {
  assert.equal(await findRunningServer({ dataDirectory: directoryFor(t), version }), null);
});

test('what a killed server left behind is no server', async (t) => {
  const { dataDirectory, server } = await startAdmin(t);
  const endpoint = readEndpoint(endpointPath(dataDirectory));
  assert.ok(endpoint !== undefined);
  await server.close();
  writeEndpoint(endpointPath(dataDirectory), endpoint);
  assert.equal(await findRunningServer({ dataDirectory, version }), null);
});

test('a server of another start is not the one that the file tells of', async (t) => {
  const { dataDirectory } = await startAdmin(t);
  const endpoint = readEndpoint(endpointPath(dataDirectory));
  assert.ok(endpoint !== undefined);
  for (const change of [{ token: 'of an earlier start' }, { pid: endpoint.pid + 1 }]) {
    writeEndpoint(endpointPath(dataDirectory), { ...endpoint, ...change });
    assert.equal(await findRunningServer({ dataDirectory, version }), null);
  }
});

test('somebody else at its address is not believed, and does not see the token', async (t) => {
  const replies = ['', 'hello', '{}', 'null', '{"version":"1.2.3","proof":"00"}'];
  for (const text of replies) {
    const { dataDirectory, seen } = await startOther(t, (_request, response) => {
      response.end(text);
    });
    assert.equal(await findRunningServer({ dataDirectory, version }), null, text);
    assert.ok(seen.length === 1 && !seen.join().includes(token));
  }
});

test('a redirection is not followed', async (t) => {
  const { dataDirectory } = await startAdmin(t);
  const url = readEndpoint(endpointPath(dataDirectory))?.url ?? '';
  const other = await startOther(t, (request, response) => {
    response.writeHead(307, { location: `${url}${request.url}` }).end();
  });
  assert.equal(await findRunningServer({ ...other, version }), null);
});

test('an address where nobody speaks HTTP is no server', async (t) => {
  const dataDirectory = directoryFor(t);
  const other = createTcpServer((socket) => socket.end('220 mail ready\r\n'));
  await new Promise<void>((resolve) => {
    other.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => other.close());
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  writeEndpoint(endpointPath(dataDirectory), { url, token, pid: process.pid });
  assert.equal(await findRunningServer({ dataDirectory, version }), null);
});

test('a server that does not answer is not taken for none', async (t) => {
  const { dataDirectory } = await startOther(t, () => {
    // It hangs.
  });
  await assert.rejects(
    findRunningServer({ dataDirectory, version, timeoutMs: 100 }),
    /process \d+ does not answer at http.*remove .*server\.admin/,
  );
});

test('a server of another version is not asked', async (t) => {
  const { dataDirectory } = await startAdmin(t, { version: '2.0.0' });
  await assert.rejects(findRunningServer({ dataDirectory, version }), /is Firn 2\.0\.0, and this/);
});
