import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Api } from '../support/api.ts';
import { bytesOf, createVault, upload } from '../support/deeds.ts';
import { firn } from '../support/firn.ts';
import { spawnServer } from '../support/spawn-server.ts';
import { accountSettings, testAccount } from '../support/start-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

const env = accountSettings(testAccount);
const { credentials } = testAccount;

function endpointOf({ path }: TemporaryDirectory): {
  readonly url: string;
  readonly token: string;
} {
  return JSON.parse(readFileSync(join(path, 'server.admin'), 'utf8'));
}

test('accounts that a running server made are good at once, and after it was killed', async () => {
  using directory = new TemporaryDirectory();
  let made: { readonly accountId: string; accessKeyId: string; secretAccessKey: string };
  {
    await using server = await spawnServer({ dataDirectory: directory.path, env });
    const created = await firn(directory.path, 'account', 'create', '--name', 'backup', '--json');
    assert.equal(created.status, 0, created.stderr);
    made = JSON.parse(created.stdout);
    using api = new Api({ url: server.url, credentials: made });
    await createVault(api);
    const args = ['--name', 'again', '--account-id', made.accountId] as const;
    const taken = await firn(directory.path, 'account', 'create', ...args);
    assert.equal(taken.status, 1);
    assert.match(taken.stderr, /^firn: There is an account \d{12} already\.\n$/);
    await server.kill();
  }
  assert.ok(existsSync(join(directory.path, 'server.admin')), 'the killed server left it behind');
  const listed = await firn(directory.path, 'account', 'list', '--json');
  assert.equal(listed.status, 0, listed.stderr);
  const accounts: { readonly accountId: string; readonly name: string }[] = JSON.parse(
    listed.stdout,
  );
  assert.deepEqual(accounts.map(({ name }) => name).sort(), ['backup', 'root']);
  assert.ok(accounts.some(({ accountId }) => accountId === made.accountId));
});

test('`firn status` tells the same with and without a server, but for what runs', async () => {
  using directory = new TemporaryDirectory();
  const bytes = bytesOf(3000);
  let archiveId: string;
  {
    await using server = await spawnServer({ dataDirectory: directory.path, env });
    using api = new Api({ url: server.url, credentials });
    const vault = await createVault(api, 'photos');
    archiveId = await upload(api, vault, bytes);
    const { status, stdout, stderr } = await firn(directory.path, 'status', '--json');
    assert.equal(status, 0, stderr);
    const report = JSON.parse(stdout);
    assert.equal(report.url, server.url);
    assert.match(report.startedAt, /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(report.archives, { count: 1, bytes: 3000 });
    assert.equal(report.vaults.count, 1);
    assert.equal(report.store.condition, 'ready');
    assert.match(report.masterKeyId, /^[0-9a-f]{16}$/);
    assert.ok(report.workers.length > 0);
    server.askToStop();
    assert.equal((await server.ended).code, 0);
  }
  const { status, stdout, stderr } = await firn(directory.path, 'status', '--json');
  assert.equal(status, 0, stderr);
  const report = JSON.parse(stdout);
  assert.equal(report.url, null);
  assert.deepEqual(report.archives, { count: 1, bytes: 3000 });
  assert.deepEqual(report.workers, []);
  const people = await firn(directory.path, 'status');
  assert.match(people.stdout, /^Server +no server runs/);
  const listed = await firn(directory.path, 'status', '--archives', '--vault', 'photos', '--json');
  assert.equal(listed.status, 0, listed.stderr);
  const [archive] = listed.stdout.trimEnd().split('\n');
  assert.equal(JSON.parse(archive ?? '').archiveId, archiveId);
  assert.equal(JSON.parse(archive ?? '').sizeBytes, 3000);
});

test('the admin endpoint is told of to the owner alone, as long as the server runs', async () => {
  using directory = new TemporaryDirectory();
  await using server = await spawnServer({ dataDirectory: directory.path, env });
  const path = join(directory.path, 'server.admin');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const { url, token } = endpointOf(directory);
  assert.notEqual(url, server.url);
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  assert.equal((await fetch(`${url}/accounts`)).status, 401);
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await fetch(`${url}/accounts`, { headers })).status, 200);
  server.askToStop();
  assert.equal((await server.ended).code, 0);
  assert.ok(!existsSync(path));
});

test('metrics count what was asked of the API', async () => {
  using directory = new TemporaryDirectory();
  await using server = await spawnServer({ dataDirectory: directory.path, env });
  using api = new Api({ url: server.url, credentials });
  const vault = await createVault(api);
  await upload(api, vault, bytesOf(5000));
  const { url } = endpointOf(directory);
  const text = await (await fetch(`${url}/metrics`)).text();
  for (const line of [
    'firn_requests_total{operation="CreateVault",status="201"} 1',
    'firn_requests_total{operation="UploadArchive",status="201"} 1',
    'firn_request_body_bytes_total{operation="UploadArchive"} 5000',
    'firn_store_condition{condition="ready"} 1',
    'firn_archives 1',
    'firn_archive_bytes 5000',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line}\n${text}`);
  }
  assert.match(text, /^firn_journal_sequence [1-9]\d*$/m);
});

for (const command of [
  ['repair', '--rebuild'],
  ['keys', 'rotate'],
]) {
  test(`\`firn ${command.join(' ')}\` is refused beside a running server`, async () => {
    using directory = new TemporaryDirectory();
    await using server = await spawnServer({ dataDirectory: directory.path, env });
    const { status, stderr } = await firn(directory.path, ...command);
    assert.equal(status, 1);
    assert.match(stderr, /^firn: Another server runs on .*process \d+.*: stop it first/);
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  });
}
