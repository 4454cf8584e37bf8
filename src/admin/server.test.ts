import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { RecordedLog } from '../../tests/support/recorded-log.ts';
import { SystemClock } from '../lib/clock.ts';
import { newChallenge, proofOf, readEndpoint } from '../lib/node/admin-endpoint.ts';
import { StoreError } from '../storage/errors.ts';
import { healthOf } from './health.ts';
import { Metrics } from './metrics.ts';
import { createAdminServer, newAdminToken } from './server.ts';
import { SampleServer } from './status-sample.ts';

const token = newAdminToken((length) => new Uint8Array(length).fill(7));
const bearer = { authorization: `Bearer ${token}` };

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** As `fetch`, but for the header `Host`, which that does not let one choose. */
function ask(url: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method, headers, agent: false }, (reply) => {
      let text = '';
      reply.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      reply.on('end', () =>
        resolve({ status: reply.statusCode ?? 0, text, headers: reply.headers }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

class Accounts {
  readonly made: { name: string; accountId: string }[] = [];
  failure: Error | undefined;

  async list() {
    return this.made.map((account) => ({ ...account, createdAtMs: 1 }));
  }

  async exists(accountId: string) {
    return this.made.some((account) => account.accountId === accountId);
  }

  async create({ name, accountId = '000000000001' }: { name: string; accountId?: string }) {
    if (this.failure !== undefined) throw this.failure;
    this.made.push({ name, accountId });
    return { name, accountId, accessKeyId: 'AKIA', secretAccessKey: 'secret' };
  }
}

async function admin() {
  await using started = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'firn-admin-'));
  started.defer(() => rmSync(directory, { recursive: true, force: true }));
  const sample = new SampleServer();
  const log = new RecordedLog();
  const accounts = new Accounts();
  const endpointPath = join(directory, 'server.admin');
  const server = createAdminServer({
    ...{ log, token, endpointPath, accounts, names: ['admin.example'], pid: 17, version: '1.2.3' },
    clock: new SystemClock(),
    status: sample.status,
    metrics: new Metrics(),
    health: () => healthOf(sample.condition),
  });
  started.defer(() => server.close());
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const stopping = started.move();
  return {
    ...{ url, log, sample, accounts, server, endpointPath },
    ask: (path: string, asking?: Asking) => ask(`${url}${path}`, asking),
    [Symbol.asyncDispose]: () => stopping.disposeAsync(),
  };
}

const post = (body: object, headers: object = bearer): Asking => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
});

test('the file tells where it listens as long as it does', async () => {
  await using it = await admin();
  assert.deepEqual(readEndpoint(it.endpointPath), { url: it.url, token, pid: 17 });
  assert.match(it.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  await it.server.close();
  assert.equal(readEndpoint(it.endpointPath), undefined);
  await assert.rejects(it.ask('/healthz'), { code: 'ECONNREFUSED' });
});

test('a file that cannot be written is told to the log, and the server serves', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'firn-admin-'));
  t.after(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'server.admin'));
  const sample = new SampleServer();
  const log = new RecordedLog();
  const server = createAdminServer({
    ...{ log, token, names: [], pid: 17, version: '1.2.3', accounts: new Accounts() },
    endpointPath: join(directory, 'server.admin'),
    clock: new SystemClock(),
    status: sample.status,
    metrics: new Metrics(),
    health: () => healthOf('ready'),
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  assert.equal((await ask(`${url}/healthz`)).status, 200);
  assert.deepEqual(log.names('warn'), ['admin.unannounced']);
  await server.close();
});

test('health is 200 with a full disk too, and 503 after a write was lost', async () => {
  await using it = await admin();
  const health = async () => {
    const { status, text } = await it.ask('/healthz');
    return `${status} ${JSON.parse(text).status}`;
  };
  assert.equal(await health(), '200 ok');
  it.sample.condition = 'full';
  assert.equal(await health(), '200 full');
  it.sample.condition = 'failed';
  assert.equal(await health(), '503 failed');
  assert.equal((await it.ask('/healthz', { method: 'HEAD' })).status, 503);
});

test('metrics are served to whoever reaches it', async () => {
  await using it = await admin();
  const { status, text, headers } = await it.ask('/metrics');
  assert.equal(status, 200);
  assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
  assert.match(text, /^firn_store_free_bytes 700$/m);
});

test('a challenge is answered with a proof that the server has the token', async () => {
  await using it = await admin();
  const challenge = newChallenge();
  const { text } = await it.ask(`/identity?challenge=${challenge}`);
  assert.deepEqual(JSON.parse(text), {
    version: '1.2.3',
    pid: 17,
    proof: proofOf(token, challenge),
  });
  for (const query of ['', '?challenge=abc', '?challenge=a&challenge=b']) {
    assert.equal((await it.ask(`/identity${query}`)).status, 400, query);
  }
});

for (const [method, path] of [
  ['GET', '/status'],
  ['GET', '/archives'],
  ['GET', '/accounts'],
  ['POST', '/accounts'],
] as const) {
  test(`${method} ${path} needs the token`, async () => {
    await using it = await admin();
    const headersOfOthers: Record<string, string>[] = [
      {},
      { authorization: token },
      { authorization: 'Bearer ' },
      { authorization: `Bearer ${token}x` },
    ];
    for (const headers of headersOfOthers) {
      const { status, text } = await it.ask(path, { method, headers });
      assert.equal(status, 401);
      assert.match(JSON.parse(text).error.message, /needs the token/);
    }
    assert.equal(it.accounts.made.length, 0);
    assert.equal(it.log.names('warn').length, 4);
    assert.ok(!JSON.stringify(it.log.events).includes(token));
  });
}

test('a request under the name of another host is refused, token or not', async () => {
  await using it = await admin();
  for (const path of ['/healthz', '/metrics', '/status', '/nothing']) {
    const { status } = await it.ask(path, { headers: { ...bearer, host: 'evil.example' } });
    assert.equal(status, 421, path);
  }
  const named = await it.ask('/healthz', { headers: { host: 'admin.example:8481' } });
  assert.equal(named.status, 200);
});

test('no page of another origin is let in', async () => {
  await using it = await admin();
  const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
  const preflight = await it.ask('/accounts', { method: 'OPTIONS', headers });
  assert.equal(preflight.status, 404);
  const answers = [preflight, await it.ask('/healthz', { headers })];
  for (const answer of answers) {
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  }
  const plain = { method: 'POST', body: '{"name":"x"}', headers: { ...bearer } };
  const typed = { ...plain, headers: { ...bearer, 'content-type': 'text/plain' } };
  for (const asking of [plain, typed]) {
    assert.equal((await it.ask('/accounts', asking)).status, 415);
  }
});

test('the status is a report', async () => {
  await using it = await admin();
  const { status, text } = await it.ask('/status', { headers: bearer });
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(text), await it.sample.status.report());
});

test('archives come in pages', async () => {
  await using it = await admin();
  it.sample.rows.addVault('a');
  for (let count = 0; count < 3; count++) it.sample.rows.addArchive('a');
  const page = async (query: string) => {
    const { status, text } = await it.ask(`/archives${query}`, { headers: bearer });
    return { status, ...JSON.parse(text) };
  };
  assert.equal((await page('')).archives.length, 3);
  const second = await page('?after=1&limit=1');
  assert.equal(second.archives[0].archiveId, 'archive-2');
  assert.equal(second.after, 2);
  assert.deepEqual(await page('?vault=other'), { status: 200, archives: [], after: null });
  for (const query of ['?limit=0', '?limit=1001', '?after=-1', '?after=x', '?limit=1.5']) {
    assert.equal((await page(query)).status, 400, query);
  }
});

test('accounts are made and listed', async () => {
  await using it = await admin();
  const made = await it.ask('/accounts', post({ name: 'backup', accountId: '111122223333' }));
  assert.equal(made.status, 201);
  assert.deepEqual(JSON.parse(made.text), {
    ...{ name: 'backup', accountId: '111122223333' },
    ...{ accessKeyId: 'AKIA', secretAccessKey: 'secret' },
  });
  const { text } = await it.ask('/accounts', { headers: bearer });
  assert.deepEqual(JSON.parse(text), {
    accounts: [{ name: 'backup', accountId: '111122223333', createdAtMs: 1 }],
  });
  assert.ok(!JSON.stringify(it.log.events).includes('secret'));
});

test('an account that cannot be made is refused with the reason', async () => {
  await using it = await admin();
  const refusal = async (body: object) => {
    const { status, text } = await it.ask('/accounts', post(body));
    return `${status} ${JSON.parse(text).error.message}`;
  };
  assert.match(await refusal({}), /^400 The name of an account has 1 to 128/);
  assert.match(await refusal({ name: 'x'.repeat(129) }), /^400/);
  assert.match(await refusal({ name: 7 }), /^400 name: it is one text/);
  assert.match(await refusal({ name: 'x', accountId: '12' }), /^400 12 is not an account id/);
  await it.ask('/accounts', post({ name: 'x', accountId: '111122223333' }));
  assert.match(await refusal({ name: 'y', accountId: '111122223333' }), /^409 There is an account/);
  assert.match(await refusal({ name: 'x', more: 'x'.repeat(20_000) }), /^413 /);
  it.accounts.failure = new StoreError('StoreFull', 'There is no room.');
  assert.equal(await refusal({ name: 'z' }), '503 There is no room.');
  it.accounts.failure = new Error('A defect.');
  assert.equal(await refusal({ name: 'z' }), '500 A defect.');
  assert.deepEqual(it.log.names('error'), ['admin.failed', 'admin.failed']);
});

test('what is not there is answered in JSON', async () => {
  await using it = await admin();
  const { status, text } = await it.ask('/nothing', { headers: bearer });
  assert.equal(status, 404);
  assert.equal(JSON.parse(text).error.message, 'There is nothing here.');
});
