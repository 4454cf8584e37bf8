import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeHost, runIn } from './fake-host.ts';
import { run } from './run.ts';

const key = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'not-so-secret' };

async function firn(...args: string[]) {
  const host = new FakeHost();
  const status = await run(args, host, '1.2.3');
  const { out, err, served, isClosed } = host;
  return { status, out, err, served, isClosed };
}

test('`firn serve` gives its flags to the settings', async () => {
  const flags = ['--listen', '127.0.0.1:1', '--data-dir', '/d', '--utf8-descriptions'];
  const { status, served, out, err } = await firn('serve', ...flags);
  assert.equal(status, 0);
  assert.equal(served?.listen.port, 1);
  assert.equal(served.dataDirectory, '/d');
  assert.equal(served.allowUtf8Descriptions, true);
  assert.equal(out + err, '');
});

test('a yes-or-no flag may say so in words', async () => {
  const { served } = await firn('serve', '--utf8-descriptions', 'no');
  assert.equal(served?.allowUtf8Descriptions, false);
});

test('`firn account create --json` prints exactly the key pair, the account and its name', async () => {
  const { status, out, isClosed, served } = await firn(
    ...['account', 'create', '--name', 'backup', '--json', '--data-dir', '/d'],
  );
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(out), { accountId: '000000000002', ...key, name: 'backup' });
  assert.equal(served?.dataDirectory, '/d');
  assert.ok(isClosed);
});

test('`firn account create` prints the same for people, with the id that was asked for', async () => {
  const args = ['account', 'create', '--name', 'backup', '--account-id', '123456789012'];
  const { out, served } = await firn(...args);
  assert.match(out, /^accountId +123456789012\naccessKeyId +AKIAEXAMPLE\nsecretAccessKey +not-so/);
  assert.equal(served?.account.accountId, null, 'the option is not the setting of that flag');
});

test('`firn account list` prints a table, or JSON', async () => {
  const { out } = await firn('account', 'list');
  assert.equal(
    out,
    'accountId     name  createdAt\n000000000001  root  2026-01-31T00:00:00.000Z\n',
  );
  assert.deepEqual(JSON.parse((await firn('account', 'list', '--json')).out), [
    { accountId: '000000000001', name: 'root', createdAt: '2026-01-31T00:00:00.000Z' },
  ]);
});

test('help and version go to standard output with status 0', async () => {
  assert.deepEqual(await firn('--version'), {
    ...{ status: 0, out: '1.2.3\n', err: '', served: undefined, isClosed: false },
  });
  const { status, out, err } = await firn('serve', '--help');
  assert.equal(status, 0);
  assert.equal(err, '');
  assert.match(out, /--listen <ADDRESS:PORT>/);
  assert.match(out, /Examples:\n {2}firn serve/);
});

test('what cannot be understood ends with status 2 and the nearest name', async () => {
  const option = await firn('serve', '--lisen', 'x');
  assert.equal(option.status, 2);
  assert.equal(option.err, "firn: unknown option '--lisen' (Did you mean --listen?)\n");
  const command = await firn('acount', 'create');
  assert.equal(command.status, 2);
  assert.match(command.err, /unknown command 'acount' \(Did you mean account\?\)/);
  assert.equal((await firn('account', 'create')).status, 2);
  assert.equal((await firn('serve', 'more')).status, 2);
  const id = await firn('account', 'create', '--name', 'x', '--account-id', '12');
  assert.equal(id.status, 2);
  assert.match(id.err, /12 digits/);
  const none = await firn();
  assert.equal(none.status, 2);
  assert.match(none.err, /^Usage: firn/);
});

test('bad settings end with status 2, all of them named', async () => {
  const { status, err } = await firn('serve', '--timing', 'slow', '--account-id', '7');
  assert.equal(status, 2);
  assert.equal(err.match(/^firn: --/gm)?.length, 2);
});

test('a failure ends with status 1 and one sentence; --verbose shows the stack', async () => {
  const { status, err } = await firn('account', 'create', '--name', 'broken');
  assert.equal(status, 1);
  assert.equal(err, 'firn: The disk is full.\n');
  const verbose = await firn('account', 'create', '--name', 'broken', '--verbose');
  assert.match(verbose.err, /run\.test\.ts[\s\S]*Caused by: Error: ENOSPC/);
});

test('with --json an error is JSON on standard error', async () => {
  const failure = await firn('account', 'create', '--name', 'broken', '--json');
  assert.deepEqual(JSON.parse(failure.err), { error: { message: 'The disk is full.' } });
  assert.equal(failure.out, '');
  const settings = await firn('serve', '--json', '--timing', 'slow');
  assert.equal(JSON.parse(settings.err).error.problems.length, 1);
});

test('accounts of a data directory that was never used are not listed', async () => {
  const { status, err, out } = await firn('account', 'list', '--data-dir', '/new');
  assert.equal(status, 1);
  assert.equal(out, '');
  assert.match(err, /^firn: There is no Firn data in \/new: name its directory with --data-dir/);
});

test('an account in a new data directory is made, and it is said that it is new', async () => {
  const { status, err, out } = await firn('account', 'create', '--name', 'a', '--data-dir', '/new');
  assert.equal(status, 0);
  assert.match(err, /there was no Firn data in \/new yet/);
  assert.match(out, /accountId/);
});

test('accounts are made and listed by the server that runs, else by opening the stores', async () => {
  for (const [isServerRunning, by] of [
    [true, 'server'],
    [false, 'stores'],
  ] as const) {
    const made = await runIn({ isServerRunning }, 'account', 'create', '--name', 'backup');
    assert.equal(made.status, 0);
    assert.deepEqual(made.host.asked, [`${by}: create backup`]);
    const listed = await runIn({ isServerRunning }, 'account', 'list');
    assert.deepEqual(listed.host.asked, [`${by}: list`]);
  }
});
