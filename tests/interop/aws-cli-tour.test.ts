import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import * as sdk from '@aws-sdk/client-glacier';
import { Api } from '../support/api.ts';
import { missing, run } from '../support/commands.ts';
import { bytesOf, completedJob } from '../support/deeds.ts';
import { policyText } from '../support/policies.ts';
import { startServer } from '../support/start-server.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import { mebibyte, treeHashOf } from '../support/tree-hash-reference.ts';

const skip = missing('aws', '--version');
const region = 'us-west-2';

/** The CLI beside a server, and what it was used for. */
class Session implements AsyncDisposable {
  readonly server: Awaited<ReturnType<typeof startServer>>;
  readonly directory = new TemporaryDirectory();
  readonly api: Api;
  /** The commands that succeeded. */
  readonly succeeded = new Set<string>();

  constructor(server: Awaited<ReturnType<typeof startServer>>) {
    this.server = server;
    this.api = new Api({ url: server.url, credentials: server.account.credentials, region });
  }

  static async start(): Promise<Session> {
    return new Session(await startServer({ env: { FIRN_EXPEDITED_ON_DEMAND: '0' } }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.api[Symbol.dispose]();
    this.directory[Symbol.dispose]();
    await this.server[Symbol.asyncDispose]();
  }

  get accountId(): string {
    return this.server.account.accountId;
  }

  arnOf(vault: string): string {
    return `arn:aws:glacier:${region}:${this.accountId}:vaults/${vault}`;
  }

  path(name: string): string {
    return join(this.directory.path, name);
  }

  #run(args: readonly string[]) {
    const { accessKeyId, secretAccessKey } = this.server.account.credentials;
    const env = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: region,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_MAX_ATTEMPTS: '1',
      AWS_PAGER: '',
    };
    const all = ['--endpoint-url', this.server.url, 'glacier', ...args];
    return run('aws', all, { env, cwd: this.directory.path });
  }

  /** What a command prints. */
  async textOf(command: string, ...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.#run([command, '--account-id', '-', ...args]);
    assert.equal(status, 0, `${command}: ${stderr}`);
    this.succeeded.add(command);
    return stdout;
  }

  /** What a command prints, read as JSON; nothing when it prints nothing. */
  async ask(command: string, ...args: string[]): Promise<Record<string, unknown>> {
    return JSON.parse((await this.textOf(command, ...args)) || '{}');
  }

  /** Runs a command that prints nothing. */
  async tell(command: string, ...args: string[]): Promise<void> {
    assert.deepEqual(await this.ask(command, ...args), {}, command);
  }

  /** Runs a command that the server refuses with `code`. */
  async refused(code: string, command: string, ...args: string[]): Promise<void> {
    const { status, stderr } = await this.#run([command, '--account-id', '-', ...args]);
    assert.notEqual(status, 0, command);
    assert.match(stderr, new RegExp(`An error occurred \\(${code}\\) when calling the \\w+`));
  }
}

// Each command is a process that takes half a second: the tests run side by side, on two vaults.
describe('a tour with the AWS CLI', { skip }, async () => {
  if (skip !== false) return;
  const session = await Session.start();
  after(() => session[Symbol.asyncDispose]());

  describe('side by side', { concurrency: true }, () => {
    test('archives go up, whole and in parts, and come down', () => storeAndRetrieve(session));
    test('a vault and its account are configured', () => configure(session));
  });

  test('left no operation out', () => {
    const commands = Object.keys(sdk).flatMap((name) => /^[A-Z]\w+(?=Command$)/.exec(name) ?? []);
    assert.equal(commands.length, 33);
    assert.deepEqual([...session.succeeded].sort(), commands.map(kebab).sort());
  });
});

const kebab = (name: string) => name.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase();

async function storeAndRetrieve(session: Session): Promise<void> {
  const vault = ['--vault-name', 'archives'];
  const { location } = await session.ask('create-vault', ...vault);
  assert.equal(location, `/${session.accountId}/vaults/archives`);
  const whole = bytesOf(2.5 * mebibyte);
  writeFileSync(session.path('whole.bin'), whole);
  const uploaded = await session.ask(
    ...(['upload-archive', ...vault, '--body', 'whole.bin'] as const),
    ...['--archive-description', 'whole'],
  );
  assert.equal(uploaded['checksum'], treeHashOf(whole));
  const archiveId = await uploadInParts(session, vault, whole);
  await abandonUpload(session, vault);
  await retrieve(session, vault, { archiveId, whole });
  for (const id of [archiveId, String(uploaded['archiveId'])]) {
    await session.tell('delete-archive', ...vault, `--archive-id=${id}`);
  }
  await session.tell('delete-vault', ...vault);
}

async function uploadInParts(
  session: Session,
  vault: readonly string[],
  whole: Buffer,
): Promise<string> {
  const started = await session.ask(
    ...(['initiate-multipart-upload', ...vault] as const),
    ...['--part-size', String(mebibyte), '--archive-description', 'in parts'],
  );
  const upload = [...vault, `--upload-id=${started['uploadId']}`];
  for (const index of [2, 0, 1]) {
    const first = index * mebibyte;
    const part = whole.subarray(first, first + mebibyte);
    writeFileSync(session.path('part.bin'), part);
    const range = `bytes ${first}-${first + part.length - 1}/*`;
    const put = ['--range', range, '--body', 'part.bin'];
    const { checksum } = await session.ask('upload-multipart-part', ...upload, ...put);
    assert.equal(checksum, treeHashOf(part));
  }

  const paged = ['--page-size', '1', '--max-items', '2'];
  const { Parts, NextToken } = await session.ask('list-parts', ...upload, ...paged);
  const rest = ['--page-size', '1', '--starting-token', String(NextToken)];
  const { Parts: others } = await session.ask('list-parts', ...upload, ...rest);
  assert.ok(Array.isArray(Parts) && Array.isArray(others));
  assert.deepEqual(
    [...Parts, ...others].map(({ RangeInBytes }) => RangeInBytes),
    ['0-1048575', '1048576-2097151', '2097152-2621439'],
  );

  const size = ['--archive-size', String(whole.length)];
  const checksum = treeHashOf(whole);
  const complete = ['complete-multipart-upload', ...upload, ...size] as const;
  await session.refused('MissingParameterValueException', ...complete);
  const completed = await session.ask(...complete, '--checksum', checksum);
  assert.equal(completed['checksum'], checksum);
  return String(completed['archiveId']);
}

async function abandonUpload(session: Session, vault: readonly string[]): Promise<void> {
  const start = ['initiate-multipart-upload', ...vault, '--part-size', '2097152'] as const;
  const ids = [await session.ask(...start), await session.ask(...start)].map(
    ({ uploadId }) => uploadId,
  );
  const page = ['--page-size', '1'];
  const { UploadsList } = await session.ask('list-multipart-uploads', ...vault, ...page);
  assert.ok(Array.isArray(UploadsList));
  const listed = UploadsList.map(({ MultipartUploadId }) => MultipartUploadId);
  assert.deepEqual(new Set(listed), new Set(ids));
  await session.tell('abort-multipart-upload', ...vault, `--upload-id=${ids[0]}`);
  const lost = ['list-parts', ...vault, `--upload-id=${ids[0]}`] as const;
  await session.refused('ResourceNotFoundException', ...lost);
}

async function retrieve(
  session: Session,
  vault: readonly string[],
  { archiveId, whole }: { readonly archiveId: string; readonly whole: Buffer },
): Promise<void> {
  const parameters = JSON.stringify({ Type: 'archive-retrieval', ArchiveId: archiveId });
  const start = ['initiate-job', ...vault, '--job-parameters', parameters] as const;
  const { jobId } = await session.ask(...start);
  const inventory = ['--job-parameters', '{"Type": "inventory-retrieval", "Format": "CSV"}'];
  const { jobId: inventoryId } = await session.ask('initiate-job', ...vault, ...inventory);
  // Asked by other means, because each command takes long.
  for (const id of [jobId, inventoryId]) await completedJob(session.api, 'archives', String(id));

  const job = [...vault, `--job-id=${jobId}`];
  const described = await session.ask('describe-job', ...job);
  assert.equal(described['StatusCode'], 'Succeeded');
  assert.equal(described['SHA256TreeHash'], treeHashOf(whole));
  const got = await session.ask('get-job-output', ...job, 'out.bin');
  assert.equal(got['archiveDescription'], 'in parts');
  assert.equal(got['checksum'], treeHashOf(whole));
  assert.ok(readFileSync(session.path('out.bin')).equals(whole));

  const range = ['--range', `bytes=${mebibyte}-${2 * mebibyte - 1}`];
  const part = await session.ask('get-job-output', ...job, ...range, 'range.bin');
  const expected = whole.subarray(mebibyte, 2 * mebibyte);
  assert.deepEqual([part['status'], part['checksum']], [206, treeHashOf(expected)]);
  assert.ok(readFileSync(session.path('range.bin')).equals(expected));

  await session.ask('get-job-output', ...vault, `--job-id=${inventoryId}`, 'inventory.csv');
  assert.ok(readFileSync(session.path('inventory.csv'), 'utf8').includes(archiveId));
  const { JobList } = await session.ask('list-jobs', ...vault, '--page-size', '1');
  assert.ok(Array.isArray(JobList));
  assert.deepEqual(
    JobList.map(({ JobId }) => JobId),
    [inventoryId, jobId],
  );
}

async function configure(session: Session): Promise<void> {
  const vault = ['--vault-name', 'configured'];
  await session.ask('create-vault', ...vault);
  assert.equal(
    (await session.ask('describe-vault', ...vault))['VaultARN'],
    session.arnOf('configured'),
  );
  await tagAndNotify(session, vault);
  await setPolicies(session, vault);
  await configureAccount(session);
  // The other vault may come and go meanwhile.
  const { VaultList } = await session.ask('list-vaults', '--page-size', '1');
  assert.ok(Array.isArray(VaultList));
  assert.ok(VaultList.some(({ VaultName }) => VaultName === 'configured'));
  await session.tell('delete-vault', ...vault);
}

async function tagAndNotify(session: Session, vault: readonly string[]): Promise<void> {
  await session.tell('add-tags-to-vault', ...vault, '--tags', 'project=tour,hold=true');
  await session.tell('remove-tags-from-vault', ...vault, '--tag-keys', 'hold', 'absent');
  const tagged = await session.ask('list-tags-for-vault', ...vault);
  assert.deepEqual(tagged, { Tags: { project: 'tour' } });

  const vaultNotificationConfig = {
    SNSTopic: `arn:aws:sns:${region}:${session.accountId}:topic`,
    Events: ['InventoryRetrievalCompleted'],
  };
  const config = ['--vault-notification-config', JSON.stringify(vaultNotificationConfig)];
  await session.tell('set-vault-notifications', ...vault, ...config);
  const notified = await session.ask('get-vault-notifications', ...vault);
  assert.deepEqual(notified, { vaultNotificationConfig });
  await session.tell('delete-vault-notifications', ...vault);
  await session.refused('ResourceNotFoundException', 'get-vault-notifications', ...vault);
}

async function setPolicies(session: Session, vault: readonly string[]): Promise<void> {
  const document = { Policy: policyText(session.arnOf('configured')) };
  writeFileSync(session.path('policy.json'), JSON.stringify(document));
  const policy = ['--policy', 'file://policy.json'];
  await session.tell('set-vault-access-policy', ...vault, ...policy);
  const granted = await session.ask('get-vault-access-policy', ...vault);
  assert.deepEqual(granted, { policy: document });
  await session.tell('delete-vault-access-policy', ...vault);

  await session.ask('initiate-vault-lock', ...vault, ...policy);
  const trial = await session.ask('get-vault-lock', ...vault);
  assert.deepEqual([trial['State'], trial['Policy']], ['InProgress', document.Policy]);
  await session.tell('abort-vault-lock', ...vault);
  const { lockId } = await session.ask('initiate-vault-lock', ...vault, ...policy);
  await session.tell('complete-vault-lock', ...vault, `--lock-id=${lockId}`);
  assert.equal((await session.ask('get-vault-lock', ...vault))['State'], 'Locked');
  await session.refused('AccessDeniedException', 'abort-vault-lock', ...vault);
}

async function configureAccount(session: Session): Promise<void> {
  // The largest number there is passes through unrounded.
  const rule = '{"Strategy":"BytesPerHour","BytesPerHour":9223372036854775807}';
  await session.tell('set-data-retrieval-policy', '--policy', `{"Rules":[${rule}]}`);
  const limited = await session.textOf('get-data-retrieval-policy');
  assert.match(limited, /"BytesPerHour": 9223372036854775807\b/);
  const { capacityId } = await session.ask('purchase-provisioned-capacity');
  const { ProvisionedCapacityList } = await session.ask('list-provisioned-capacity');
  assert.ok(Array.isArray(ProvisionedCapacityList));
  assert.equal(ProvisionedCapacityList[0].CapacityId, capacityId);
}
