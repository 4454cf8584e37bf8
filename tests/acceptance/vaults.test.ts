import assert from 'node:assert/strict';
import test from 'node:test';
import {
  bytesOf,
  createVault,
  deleteArchive,
  describeVault,
  freshName,
  initiateJob,
  upload,
} from '../support/deeds.ts';
import {
  assertDocument,
  assertEmpty,
  assertError,
  timestampPattern,
} from '../support/expectations.ts';
import { onlyOwnServer, openTarget } from '../support/target.ts';

const { api, account } = await openTarget();

const arnOf = (vault: string) =>
  `arn:aws:glacier:${api.region}:${account.accountId}:vaults/${vault}`;

test('creating a vault answers 201 with its location, which names the account', async () => {
  const name = freshName();
  const answer = await api.call('PUT', `/-/vaults/${name}`);
  assertEmpty(answer, 201);
  assert.equal(answer.headers.get('location'), `/${account.accountId}/vaults/${name}`);
});

test('creating a vault again answers 201 and changes nothing', async () => {
  const name = await createVault(api);
  await upload(api, name, bytesOf(10));
  const before = await describeVault(api, name);
  const answer = await api.call('PUT', `/-/vaults/${name}`);
  assertEmpty(answer, 201);
  assert.equal(answer.headers.get('location'), `/${account.accountId}/vaults/${name}`);
  assert.deepEqual(await describeVault(api, name), before);
});

test('a vault may have every allowed character in its name', async () => {
  const name = `${freshName()}_AZaz09-.`;
  await createVault(api, name);
  assert.equal((await describeVault(api, name)).VaultName, name);
});

test('the names of vaults tell upper from lower case', async () => {
  const name = freshName('Case');
  await createVault(api, name);
  assert.equal((await api.call('GET', `/-/vaults/${name.toLowerCase()}`)).status, 404);
});

for (const length of [1, 255]) {
  test(`a vault name may have ${length} characters`, async () => {
    const name = length === 1 ? 'v' : freshName().padEnd(length, 'x');
    assertEmpty(await api.call('PUT', `/-/vaults/${name}`), 201);
    assert.equal((await describeVault(api, name)).VaultARN, arnOf(name));
    assertEmpty(await api.call('DELETE', `/-/vaults/${name}`), 204);
  });
}

const badNames: readonly (readonly [shown: string, segment: string, name: string])[] = [
  ['of 256 characters', 'x'.repeat(256), 'x'.repeat(256)],
  ['with a blank', 'a%20b', 'a b'],
  ['with a colon', 'a:b', 'a:b'],
  ['with a slash', 'a%2Fb', 'a/b'],
  ['beyond ASCII', '%C3%A9', 'é'],
  ['of one dot', '%2E', '.'],
  ['of two dots', '%2E%2E', '..'],
];

for (const [shown, segment, name] of badNames) {
  test(`a vault name ${shown} answers 400`, async () => {
    const answer = await api.call('PUT', `/-/vaults/${segment}`);
    const message = `Invalid vault name: ${name}`;
    assertError(answer, 400, 'InvalidParameterValueException', message);
  });
}

test('an empty vault name answers 400', async () => {
  const answer = await api.call('PUT', '/-/vaults/');
  assertError(answer, 400, 'InvalidParameterValueException', 'Invalid vault name: ');
});

test('describing a vault that never held anything shows zeros and no inventory date', {
  skip: onlyOwnServer,
}, async () => {
  const name = await createVault(api);
  const answer = await api.call('GET', `/-/vaults/${name}`);
  const { CreationDate } = JSON.parse(answer.text);
  assertDocument(answer, {
    CreationDate,
    LastInventoryDate: null,
    NumberOfArchives: 0,
    SizeInBytes: 0,
    VaultARN: arnOf(name),
    VaultName: name,
  });
  assert.match(CreationDate, timestampPattern);
  assert.ok(Math.abs(Date.parse(CreationDate) - Date.now()) < 60_000, CreationDate);
});

test('totals are exact at the moment of asking, with the date of the last change', {
  skip: onlyOwnServer,
}, async () => {
  const name = await createVault(api);
  const archiveId = await upload(api, name, bytesOf(1000));
  await upload(api, name, bytesOf(234));
  const full = await describeVault(api, name);
  assert.equal(full.NumberOfArchives, 2);
  assert.equal(full.SizeInBytes, 1234);
  assert.match(full.LastInventoryDate ?? '', timestampPattern);

  await deleteArchive(api, name, archiveId);
  const less = await describeVault(api, name);
  assert.equal(less.NumberOfArchives, 1);
  assert.equal(less.SizeInBytes, 234);
  assert.ok((less.LastInventoryDate ?? '') >= (full.LastInventoryDate ?? ''));
  assert.equal(less.CreationDate, full.CreationDate);
});

test('describing an unknown vault answers 404 with its ARN', async () => {
  const name = freshName();
  const answer = await api.call('GET', `/-/vaults/${name}`);
  const message = `Vault not found for ARN: ${arnOf(name)}`;
  assertError(answer, 404, 'ResourceNotFoundException', message);
});

test('describing a vault whose name cannot be one answers 404 with the bare name', async () => {
  const answer = await api.call('GET', '/-/vaults/testz:z');
  assertError(answer, 404, 'ResourceNotFoundException', 'Vault not found for ARN: testz:z');
});

test('deleting an empty vault answers 204, and it is gone', async () => {
  const name = await createVault(api);
  assertEmpty(await api.call('DELETE', `/-/vaults/${name}`), 204);
  assert.equal((await api.call('GET', `/-/vaults/${name}`)).status, 404);
});

test('deleting a vault that is gone, or never was, answers 204', async () => {
  const name = await createVault(api);
  await api.call('DELETE', `/-/vaults/${name}`);
  assertEmpty(await api.call('DELETE', `/-/vaults/${name}`), 204);
  assertEmpty(await api.call('DELETE', `/-/vaults/${freshName()}`), 204);
});

test('deleting a vault that holds an archive answers 400 with its ARN, and it stays', async () => {
  const name = await createVault(api);
  await upload(api, name, bytesOf(10));
  const answer = await api.call('DELETE', `/-/vaults/${name}`);
  const message = `Vault not empty or recently written to: ${arnOf(name)}`;
  assertError(answer, 400, 'InvalidParameterValueException', message);
  assert.equal((await api.call('GET', `/-/vaults/${name}`)).status, 200);
});

test('an emptied vault can be deleted at once', { skip: onlyOwnServer }, async () => {
  const name = await createVault(api);
  await deleteArchive(api, name, await upload(api, name, bytesOf(10)));
  assertEmpty(await api.call('DELETE', `/-/vaults/${name}`), 204);
});

test('a vault that is made again under the same name is another one', {
  skip: onlyOwnServer,
}, async () => {
  const name = await createVault(api);
  const archiveId = await upload(api, name, bytesOf(10));
  const jobId = await initiateJob(api, name, { Type: 'inventory-retrieval' });
  await deleteArchive(api, name, archiveId);
  assertEmpty(await api.call('DELETE', `/-/vaults/${name}`), 204);
  const gone = await api.call('GET', `/-/vaults/${name}/jobs/${jobId}`);
  const message = `Vault not found for ARN: ${arnOf(name)}`;
  assertError(gone, 404, 'ResourceNotFoundException', message);

  await createVault(api, name);
  assert.equal((await describeVault(api, name)).LastInventoryDate, null);
  const lost = await api.call('GET', `/-/vaults/${name}/jobs/${jobId}`);
  assertError(lost, 404, 'ResourceNotFoundException', `The job ID was not found: ${jobId}`);
});

test('many vaults of one name, created at once, are one vault', async () => {
  const name = freshName();
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => api.call('PUT', `/-/vaults/${name}`)),
  );
  for (const answer of answers) assertEmpty(answer, 201);
  const list = JSON.parse((await api.call('GET', '/-/vaults')).text).VaultList;
  const found = list.filter(({ VaultName }: { VaultName: string }) => VaultName === name);
  assert.ok(found.length <= 1);
});

test('an account has room for 1,000 vaults in a region, and no more', {
  skip: onlyOwnServer,
}, async () => {
  using there = api.as({ region: freshName('full') });
  for (let at = 0; at < 1000; at += 50) {
    const names = Array.from({ length: 50 }, (_, index) => `v${at + index}`);
    await Promise.all(names.map((name) => createVault(there, name)));
  }
  const message = 'The vault limit for this account has been reached.';
  const refused = await there.call('PUT', '/-/vaults/one-more');
  assertError(refused, 400, 'LimitExceededException', message);
  assertEmpty(await there.call('PUT', '/-/vaults/v7'), 201);
  assertEmpty(await there.call('DELETE', '/-/vaults/v7'), 204);
  assertEmpty(await there.call('PUT', '/-/vaults/one-more'), 201);
  assertEmpty(await api.call('PUT', `/-/vaults/${freshName()}`), 201);
});
