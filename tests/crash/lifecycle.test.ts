import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import { missing, run } from '../support/commands.ts';
import {
  bytesOf,
  createVault,
  describeVault,
  freshName,
  retrieve,
  uploadHeaders,
} from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { headOf, RawConnection } from '../support/http.ts';
import { launch, spawnServer } from '../support/spawn-server.ts';
import { accountSettings, testAccount } from '../support/start-server.ts';
import { storedFiles } from '../support/stored-files.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const env = accountSettings(testAccount);
const { credentials } = testAccount;

describe("the server's process", { concurrency: 3 }, () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} ends an idle server at once, with status 0`, async () => {
      using directory = new TemporaryDirectory();
      const { child, stdout, ended } = launch({ dataDirectory: directory.path, env });
      await eventually('the server answers', () => /answers at/.test(stdout()));
      const askedAtMs = Date.now();
      child.kill(signal);
      assert.deepEqual(await ended, { code: 0, signal: null });
      assert.ok(Date.now() - askedAtMs < 5000, `${Date.now() - askedAtMs} ms`);
    });
  }

  test('SIGTERM lets a running upload finish, acknowledges it, and ends with status 0', async () => {
    using directory = new TemporaryDirectory();
    const vault = freshName();
    const bytes = bytesOf(2_000_000);
    let archiveId: string;
    {
      await using server = await spawnServer({ dataDirectory: directory.path, env });
      using api = new Api({ url: server.url, credentials });
      await createVault(api, vault);
      const before = storedFiles(directory.path).size;
      const target = `/-/vaults/${vault}/archives`;
      const request = api.prepare('POST', target, { body: bytes, headers: uploadHeaders(bytes) });
      using connection = new RawConnection(server.url);
      connection.write(headOf(request));
      connection.write(bytes.subarray(0, 1_500_000));
      await eventually('it is under way', () => storedFiles(directory.path).size > before);

      server.askToStop();
      await eventually('no new connection is accepted', () => isRefused(server.url));
      connection.write(bytes.subarray(1_500_000));
      const text = await connection.until(/^HTTP\/1\.1 201 Created\r\n.*\r\n\r\n/s);
      archiveId = /x-amz-archive-id: (\S+)/i.exec(text)?.[1] ?? '';
      assert.match(text, /\r\nConnection: close\r\n/i);
      assert.deepEqual(await server.ended, { code: 0, signal: null });
    }
    await using server = await spawnServer({ dataDirectory: directory.path, env });
    using api = new Api({ url: server.url, credentials });
    assert.ok((await retrieve(api, vault, archiveId)).equals(bytes));
  });

  async function isRefused(url: string): Promise<boolean> {
    return fetch(`${url}/healthz`, { signal: AbortSignal.timeout(500) }).then(
      () => false,
      () => true,
    );
  }

  test('SIGTERM cuts what does not finish within FIRN_DRAIN_TIMEOUT, and ends with 0', async () => {
    using directory = new TemporaryDirectory();
    const settings = { ...env, FIRN_DRAIN_TIMEOUT: '1s' };
    await using server = await spawnServer({ dataDirectory: directory.path, env: settings });
    using api = new Api({ url: server.url, credentials });
    const vault = await createVault(api);
    const before = storedFiles(directory.path).size;
    const bytes = bytesOf(2_000_000);
    const target = `/-/vaults/${vault}/archives`;
    const request = api.prepare('POST', target, { body: bytes, headers: uploadHeaders(bytes) });
    using connection = new RawConnection(server.url);
    connection.write(headOf(request));
    connection.write(bytes.subarray(0, 1_500_000));
    await eventually('it is under way', () => storedFiles(directory.path).size > before);
    const askedAtMs = Date.now();
    server.askToStop();
    assert.deepEqual(await server.ended, { code: 0, signal: null });
    assert.ok(Date.now() - askedAtMs < 6000, `${Date.now() - askedAtMs} ms`);
    assert.equal(storedFiles(directory.path).size, before);
  });

  test('a refused upload does not hold up the end of the server', async () => {
    using directory = new TemporaryDirectory();
    await using server = await spawnServer({ dataDirectory: directory.path, env });
    using api = new Api({ url: server.url, credentials });
    const bytes = bytesOf(1000);
    const headers = [...uploadHeaders(bytes), ['Expect', '100-continue'] as const];
    const target = `/-/vaults/${freshName()}/archives`;
    {
      using connection = new RawConnection(server.url);
      connection.write(headOf(api.prepare('POST', target, { body: bytes, headers })));
      await connection.until(/^HTTP\/1\.1 404 .*"type":"Client"\}$/s);
    }
    const askedAtMs = Date.now();
    server.askToStop();
    assert.deepEqual(await server.ended, { code: 0, signal: null });
    assert.ok(Date.now() - askedAtMs < 6000, `${Date.now() - askedAtMs} ms`);
  });

  test('a second server on one data directory is refused, and told by whom', async () => {
    using directory = new TemporaryDirectory();
    await using server = await spawnServer({ dataDirectory: directory.path, env });
    const second = launch({ dataDirectory: directory.path, env });
    const { code } = await second.ended;
    const said = `${second.stdout()}${second.stderr()}`;
    assert.notEqual(code, 0);
    assert.match(said, /Another server runs on /);
    assert.ok(said.includes(directory.path), said);
    assert.match(said, /process \d+/);
    assert.doesNotMatch(said, /\n\s+at /, 'no stack trace is shown');

    using api = new Api({ url: server.url, credentials });
    await createVault(api);
  });

  interface FirstStart {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly commands: readonly string[];
  }

  function readFirstStart(text: string): FirstStart {
    const accessKeyId = /^\s*Access key id\s+(\S+)$/m.exec(text)?.[1] ?? '';
    const secretAccessKey = /^\s*Secret access key\s+(\S+)$/m.exec(text)?.[1] ?? '';
    const commands = text.split('\n').filter((line) => /^\s*(?:export|aws) /.test(line));
    return { accessKeyId, secretAccessKey, commands };
  }

  describe('a first start', () => {
    test('prints address, account and a key pair that works, once', async () => {
      using directory = new TemporaryDirectory();
      let shown: FirstStart;
      {
        await using server = await spawnServer({ dataDirectory: directory.path });
        const text = server.stdout();
        assert.ok(text.includes(`Firn answers at ${server.url}\n`), text);
        shown = readFirstStart(text);
        assert.equal(shown.commands.length, 3, text);
        const accountId = /Account (\d{12})/.exec(text)?.[1] ?? '';
        using api = new Api({ url: server.url, credentials: shown });
        const vault = await createVault(api);
        const { VaultARN } = await describeVault(api, vault);
        assert.equal(VaultARN, `arn:aws:glacier:us-east-1:${accountId}:vaults/${vault}`);
        server.askToStop();
        assert.equal((await server.ended).code, 0);
      }
      await using server = await spawnServer({ dataDirectory: directory.path });
      assert.doesNotMatch(server.stdout(), /Secret access key/);
      using api = new Api({ url: server.url, credentials: shown });
      assert.equal((await api.call('GET', '/-/vaults')).status, 200);
    });

    const skip = missing('aws', '--version');

    test('prints three commands that work when they are pasted', { skip }, async () => {
      using directory = new TemporaryDirectory();
      using elsewhere = new TemporaryDirectory();
      await using server = await spawnServer({ dataDirectory: directory.path });
      const { commands, ...key } = readFirstStart(server.stdout());
      const script = ['set -e', 'echo hello > README.md', ...commands].join('\n');
      const { status, stdout, stderr } = await run('bash', ['-c', script], { cwd: elsewhere.path });
      assert.equal(status, 0, stderr);
      assert.match(stdout, /"archiveId": "[\w-]{138}"/);
      using api = new Api({ url: server.url, credentials: key });
      assert.equal((await describeVault(api, 'my-first-vault')).NumberOfArchives, 1);
    });
  });

  test('a root key of the settings wins over the one that the first start made', async () => {
    using directory = new TemporaryDirectory();
    const { FIRN_ROOT_ACCESS_KEY_ID = '', FIRN_ROOT_SECRET_ACCESS_KEY = '' } = env;
    const rootKey = { FIRN_ROOT_ACCESS_KEY_ID, FIRN_ROOT_SECRET_ACCESS_KEY };
    let made: FirstStart;
    let vault: string;
    {
      await using server = await spawnServer({ dataDirectory: directory.path });
      made = readFirstStart(server.stdout());
      using api = new Api({ url: server.url, credentials: made });
      vault = await createVault(api);
      await server.kill();
    }
    await using server = await spawnServer({ dataDirectory: directory.path, env: rootKey });
    assert.doesNotMatch(server.stdout(), new RegExp(FIRN_ROOT_SECRET_ACCESS_KEY.slice(0, 8)));
    using api = new Api({ url: server.url, credentials });
    assert.equal((await describeVault(api, vault)).VaultName, vault);
    using former = new Api({ url: server.url, credentials: made });
    assert.equal((await former.call('GET', '/-/vaults')).status, 400);
  });

  test('`firn account create` makes an account beside a running server', async () => {
    using directory = new TemporaryDirectory();
    await using server = await spawnServer({ dataDirectory: directory.path, env });
    const { status, stdout, stderr } = await run(
      process.execPath,
      ['bin/firn.js', 'account', 'create', '--name', 'second', '--json'],
      { env: { FIRN_DATA_DIR: directory.path }, cwd: join(import.meta.dirname, '../..') },
    );
    assert.equal(status, 0, stderr);
    const { accountId, ...key } = JSON.parse(stdout);
    assert.match(accountId, /^\d{12}$/);
    using first = new Api({ url: server.url, credentials });
    using second = first.as({ credentials: key });
    const vault = await createVault(first);
    assert.equal((await second.call('GET', `/-/vaults/${vault}`)).status, 404);
    await createVault(second, vault);
    assert.equal((await second.call('GET', `/${testAccount.accountId}/vaults`)).status, 403);
  });

  test('settings that make no sense are refused with a message, not a stack trace', async () => {
    using directory = new TemporaryDirectory();
    const launched = launch({
      dataDirectory: directory.path,
      env: { ...env, FIRN_TIMING: 'amazon', FIRN_STANDARD_DELY: '4h' },
    });
    const { code } = await launched.ended;
    const said = `${launched.stdout()}${launched.stderr()}`;
    assert.notEqual(code, 0);
    assert.match(said, /FIRN_TIMING/);
    assert.match(said, /FIRN_STANDARD_DELAY/);
    assert.doesNotMatch(said, /\n\s+at /);
  });
});
