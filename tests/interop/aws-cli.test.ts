import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import { missing, run } from '../support/commands.ts';
import { bytesOf, completedJob } from '../support/deeds.ts';
import { startServer } from '../support/start-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { mebibyte, treeHashOf } from '../support/tree-hash-reference.ts';

const skip = missing('aws', '--version');

// The steps of one session build on each other.
describe('the AWS CLI', { skip, concurrency: 1 }, async () => {
  if (skip !== false) return;
  const server = await startServer();
  const directory = new TemporaryDirectory();
  const api = new Api({
    url: server.url,
    credentials: server.account.credentials,
    region: 'us-west-2',
  });
  after(async () => {
    api[Symbol.dispose]();
    directory[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });
  const { accountId, credentials } = server.account;
  const env = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_DEFAULT_REGION: 'us-west-2',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_MAX_ATTEMPTS: '1',
    AWS_PAGER: '',
  };
  const file = (name: string) => join(directory.path, name);

  const glacier = (...args: string[]) =>
    run('aws', ['--endpoint-url', server.url, 'glacier', ...args], { env, cwd: directory.path });

  /** What a command prints, read as JSON. */
  async function ask(...args: string[]): Promise<Record<string, unknown>> {
    const { status, stdout, stderr } = await glacier(...args);
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout || '{}');
  }

  const vault = ['--account-id', '-', '--vault-name', 'cli-vault'];
  const bytes = bytesOf(3 * mebibyte + 123);
  writeFileSync(file('archive.bin'), bytes);
  let archiveId = '';

  async function finishedJob(parameters: object): Promise<string> {
    const text = JSON.stringify(parameters);
    const { jobId } = await ask('initiate-job', ...vault, '--job-parameters', text);
    assert.ok(typeof jobId === 'string');
    // Asked by other means, because each command takes a second.
    await completedJob(api, 'cli-vault', jobId);
    const described = await ask('describe-job', ...vault, `--job-id=${jobId}`);
    assert.equal(described['StatusMessage'], 'Succeeded');
    return jobId;
  }

  test('creates a vault, waits for it, describes and lists it', async () => {
    const created = await ask('create-vault', ...vault);
    assert.deepEqual(created, { location: `/${accountId}/vaults/cli-vault` });
    assert.equal((await glacier('wait', 'vault-exists', ...vault)).status, 0);
    const described = await ask('describe-vault', ...vault);
    const arn = `arn:aws:glacier:us-west-2:${accountId}:vaults/cli-vault`;
    assert.equal(described['VaultARN'], arn);
    const byNumber = await ask('list-vaults', '--account-id', accountId);
    assert.deepEqual(byNumber, { VaultList: [described] });
  });

  test('uploads a file with a description', async () => {
    const uploaded = await ask(
      ...['upload-archive', ...vault, '--body', 'archive.bin'],
      ...['--archive-description', 'a file,  with "quotes" and blanks'],
    );
    assert.equal(uploaded['checksum'], treeHashOf(bytes));
    archiveId = String(uploaded['archiveId']);
    assert.equal(archiveId.length, 138);
  });

  test('retrieves the archive, whole and in part, byte for byte', async () => {
    const jobId = await finishedJob({ Type: 'archive-retrieval', ArchiveId: archiveId });
    const got = await ask('get-job-output', ...vault, `--job-id=${jobId}`, 'out.bin');
    assert.equal(got['checksum'], treeHashOf(bytes));
    assert.equal(got['archiveDescription'], 'a file,  with "quotes" and blanks');
    assert.equal((await run('cmp', [file('archive.bin'), file('out.bin')])).status, 0);

    const range = `bytes=${2 * mebibyte}-${3 * mebibyte - 1}`;
    const part = await ask(
      ...['get-job-output', ...vault, `--job-id=${jobId}`, '--range', range, 'part.bin'],
    );
    assert.equal(part['status'], 206);
    const expected = bytes.subarray(2 * mebibyte, 3 * mebibyte);
    assert.ok(readFileSync(file('part.bin')).equals(expected));
    assert.equal(part['checksum'], treeHashOf(expected));
  });

  test('retrieves an inventory and lists the jobs', async () => {
    const jobId = await finishedJob({ Type: 'inventory-retrieval', Format: 'JSON' });
    await ask('get-job-output', ...vault, `--job-id=${jobId}`, 'inventory.json');
    const { ArchiveList } = JSON.parse(readFileSync(file('inventory.json'), 'utf8'));
    assert.equal(ArchiveList[0].ArchiveId, archiveId);
    assert.equal(ArchiveList[0].ArchiveDescription, 'a file,  with "quotes" and blanks');
    const { JobList } = await ask('list-jobs', ...vault, '--statuscode', 'Succeeded');
    assert.ok(Array.isArray(JobList));
    assert.equal(JobList.length, 2);
    assert.equal(JobList[0].JobId, jobId);
  });

  test('shows errors by code and message', async () => {
    const lost = await glacier('describe-vault', '--account-id', '-', '--vault-name', 'no-vault');
    assert.notEqual(lost.status, 0);
    assert.match(
      lost.stderr,
      /\(ResourceNotFoundException\) when calling the DescribeVault operation: Vault not found/,
    );
    const full = await glacier('delete-vault', ...vault);
    assert.match(full.stderr, /\(InvalidParameterValueException\).*Vault not empty or recently/);
  });

  test('deletes the archive and the vault, and waits for it to be gone', async () => {
    await ask('delete-archive', ...vault, `--archive-id=${archiveId}`);
    await ask('delete-vault', ...vault);
    assert.equal((await glacier('wait', 'vault-not-exists', ...vault)).status, 0);
    assert.deepEqual(await ask('list-vaults', '--account-id', '-'), { VaultList: [] });
  });
});
