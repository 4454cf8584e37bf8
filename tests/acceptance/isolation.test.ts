import assert from 'node:assert/strict';
import test from 'node:test';
import {
  askForJob,
  bytesOf,
  createVault,
  deleteArchive,
  describeVault,
  freshName,
  initiateJob,
  jsonOf,
  upload,
} from '../support/deeds.ts';
import { assertEmpty, assertError } from '../support/expectations.ts';
import { openTarget } from '../support/target.ts';

const { api, account, other } = await openTarget();
const elsewhere = api.as({ region: 'eu-central-1' });
const stranger = other === undefined ? undefined : api.as({ credentials: other.credentials });

const needsOther = stranger === undefined && 'there is no second account on this server';

async function vaultNames(caller: typeof api): Promise<string[]> {
  const names: string[] = [];
  let query = '';
  for (;;) {
    const page = jsonOf<{ Marker: string | null; VaultList: { VaultName: string }[] }>(
      await caller.call('GET', `/-/vaults${query}`),
    );
    names.push(...page.VaultList.map(({ VaultName }) => VaultName));
    if (page.Marker === null) return names;
    query = `?marker=${encodeURIComponent(page.Marker)}`;
  }
}

test('a vault is seen in its region only', async () => {
  const name = await createVault(api);
  const answer = await elsewhere.call('GET', `/-/vaults/${name}`);
  const arn = `arn:aws:glacier:eu-central-1:${account.accountId}:vaults/${name}`;
  assertError(answer, 404, 'ResourceNotFoundException', `Vault not found for ARN: ${arn}`);
  assert.ok((await vaultNames(api)).includes(name));
  assert.ok(!(await vaultNames(elsewhere)).includes(name));
});

test('vaults of one name in two regions have nothing in common', async () => {
  const name = freshName();
  await createVault(api, name);
  await createVault(elsewhere, name);
  const archiveId = await upload(api, name, bytesOf(100));
  assert.equal((await describeVault(elsewhere, name)).SizeInBytes, 0);

  const parameters = { Type: 'archive-retrieval', ArchiveId: archiveId };
  const jobId = await initiateJob(api, name, parameters);
  const there = await elsewhere.call('GET', `/-/vaults/${name}/jobs/${jobId}`);
  assertError(there, 404, 'ResourceNotFoundException', `The job ID was not found: ${jobId}`);
  assertEmpty(await elsewhere.call('DELETE', `/-/vaults/${name}`), 204);
  assert.equal((await describeVault(api, name)).NumberOfArchives, 1);
});

test('vaults of one name in two accounts have nothing in common', {
  skip: needsOther,
}, async () => {
  assert.ok(stranger !== undefined && other !== undefined);
  const name = freshName();
  await createVault(api, name);
  await upload(api, name, bytesOf(100));
  const unseen = await stranger.call('GET', `/-/vaults/${name}`);
  const arn = `arn:aws:glacier:${api.region}:${other.accountId}:vaults/${name}`;
  assertError(unseen, 404, 'ResourceNotFoundException', `Vault not found for ARN: ${arn}`);

  await createVault(stranger, name);
  const { VaultARN, SizeInBytes } = await describeVault(stranger, name);
  assert.deepEqual({ VaultARN, SizeInBytes }, { VaultARN: arn, SizeInBytes: 0 });
  assert.deepEqual(await vaultNames(stranger), [name]);
  assertEmpty(await stranger.call('DELETE', `/-/vaults/${name}`), 204);
  assert.equal((await describeVault(api, name)).NumberOfArchives, 1);
});

test('nobody reaches into another account by its number', { skip: needsOther }, async () => {
  assert.ok(stranger !== undefined);
  const name = await createVault(api);
  const archiveId = await upload(api, name, bytesOf(10));
  const mine = `/${account.accountId}/vaults/${name}`;
  const attempts: readonly (readonly [method: string, target: string])[] = [
    ['GET', mine],
    ['PUT', mine],
    ['DELETE', mine],
    ['GET', `${mine}/jobs`],
    ['DELETE', `${mine}/archives/${archiveId}`],
    ['GET', `/${account.accountId}/vaults`],
  ];
  for (const [method, target] of attempts) {
    const answer = await stranger.call(method, target);
    const message = `Access denied for account ID: ${account.accountId}`;
    assertError(answer, 403, 'AccessDeniedException', message);
  }
  assert.equal((await describeVault(api, name)).NumberOfArchives, 1);
});

test('an archive is reached through its own vault only', { skip: needsOther }, async () => {
  assert.ok(stranger !== undefined);
  const name = freshName();
  await createVault(api, name);
  await createVault(stranger, name);
  const archiveId = await upload(api, name, bytesOf(10));
  const parameters = { Type: 'archive-retrieval', ArchiveId: archiveId };
  const refused = await askForJob(stranger, name, parameters);
  assert.ok([400, 404].includes(refused.status), refused.text);
  await stranger.call('DELETE', `/-/vaults/${name}/archives/${archiveId}`);
  assert.equal((await describeVault(api, name)).NumberOfArchives, 1);
  await deleteArchive(api, name, archiveId);
});
