import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import {
  askForJob,
  bytesOf,
  completedJob,
  createVault,
  deleteArchive,
  describeJob,
  describeVault,
  getOutput,
  initiateJob,
  upload,
} from '../support/deeds.ts';
import { eventually } from '../support/eventually.ts';
import { assertEmpty, assertError } from '../support/expectations.ts';
import { SimulatedClock, startServer } from '../support/start-server.ts';
import { onlyOwnServer } from '../support/target.ts';

describe("Amazon's timing", { skip: onlyOwnServer }, async () => {
  if (onlyOwnServer !== false) return;
  const hour = 3_600_000;
  const minute = 60_000;

  const clock = new SimulatedClock();
  const server = await startServer({ clock, env: { FIRN_TIMING: 'aws' } });
  after(() => server[Symbol.asyncDispose]());
  const { url, account } = server;
  const api = new Api({ url, credentials: account.credentials, now: () => clock.now() });
  after(() => api[Symbol.dispose]());

  const arnOf = (vault: string) =>
    `arn:aws:glacier:${api.region}:${account.accountId}:vaults/${vault}`;

  /** Lets the day pass after which each changed vault has been inventoried. */
  async function nextInventory(vault: string): Promise<void> {
    const before = (await describeVault(api, vault)).LastInventoryDate;
    clock.advance(25 * hour);
    await eventually('the inventory is taken', async () => {
      clock.advance(minute);
      return (await describeVault(api, vault)).LastInventoryDate !== before;
    });
  }

  async function totalsOf(vault: string) {
    const { NumberOfArchives, SizeInBytes } = await describeVault(api, vault);
    return { NumberOfArchives, SizeInBytes };
  }

  const overhead = 32_768;

  test('before the first inventory totals and date are null, whatever was stored', async () => {
    const vault = await createVault(api);
    const nothing = { NumberOfArchives: null, SizeInBytes: null };
    assert.deepEqual(await totalsOf(vault), nothing);
    await upload(api, vault, bytesOf(100));
    assert.deepEqual(await totalsOf(vault), nothing);
    assert.equal((await describeVault(api, vault)).LastInventoryDate, null);
  });

  test('an inventory job before the first inventory answers 404', async () => {
    const vault = await createVault(api);
    await upload(api, vault, bytesOf(100));
    assertError(
      await askForJob(api, vault, { Type: 'inventory-retrieval' }),
      404,
      'ResourceNotFoundException',
      `Inventory retrieval jobs for vault ${arnOf(vault)} cannot be initiated yet, as Amazon ` +
        'Glacier has not yet generated an initial inventory for this vault.',
    );
  });

  test('totals are those of the last inventory, with 32,768 bytes more for each archive', async () => {
    const vault = await createVault(api);
    await upload(api, vault, bytesOf(100));
    await upload(api, vault, bytesOf(23));
    await nextInventory(vault);
    const counted = { NumberOfArchives: 2, SizeInBytes: 123 + 2 * overhead };
    assert.deepEqual(await totalsOf(vault), counted);
    await upload(api, vault, bytesOf(1));
    assert.deepEqual(await totalsOf(vault), counted);
    await nextInventory(vault);
    const later = { NumberOfArchives: 3, SizeInBytes: 124 + 3 * overhead };
    assert.deepEqual(await totalsOf(vault), later);
  });

  test('the inventory of a vault that has not changed keeps its date', async () => {
    const vault = await createVault(api);
    await upload(api, vault, bytesOf(100));
    await nextInventory(vault);
    const { LastInventoryDate } = await describeVault(api, vault);
    // Another vault shows that the daily round has come by.
    const another = await createVault(api);
    await upload(api, another, bytesOf(1));
    await nextInventory(another);
    assert.equal((await describeVault(api, vault)).LastInventoryDate, LastInventoryDate);
  });

  test('an inventory job hands out the last inventory, not what is there now', async () => {
    const vault = await createVault(api);
    const first = await upload(api, vault, bytesOf(100), 'first');
    await nextInventory(vault);
    const { LastInventoryDate } = await describeVault(api, vault);
    clock.advance(hour);
    await deleteArchive(api, vault, first);
    await upload(api, vault, bytesOf(50), 'second');
    const jobId = await initiateJob(api, vault, { Type: 'inventory-retrieval' });
    clock.advance(5 * hour);
    await completedJob(api, vault, jobId, clock);
    const { InventoryDate, ArchiveList } = JSON.parse((await getOutput(api, vault, jobId)).text);
    assert.deepEqual(
      ArchiveList.map((each: { ArchiveDescription: string }) => each.ArchiveDescription),
      ['first'],
    );
    assert.equal(InventoryDate, `${LastInventoryDate?.slice(0, 19)}Z`);
  });

  test('a vault that was never written can be deleted at once', async () => {
    const vault = await createVault(api);
    assertEmpty(await api.call('DELETE', `/-/vaults/${vault}`), 204);
  });

  test('a vault that was emptied can be deleted after the next inventory only', async () => {
    const vault = await createVault(api);
    const archiveId = await upload(api, vault, bytesOf(100));
    const message = `Vault not empty or recently written to: ${arnOf(vault)}`;
    const refused = async () => {
      const answer = await api.call('DELETE', `/-/vaults/${vault}`);
      assertError(answer, 400, 'InvalidParameterValueException', message);
    };
    await refused();
    await deleteArchive(api, vault, archiveId);
    await refused();
    await nextInventory(vault);
    assert.deepEqual(await totalsOf(vault), { NumberOfArchives: 0, SizeInBytes: 0 });
    assertEmpty(await api.call('DELETE', `/-/vaults/${vault}`), 204);
  });

  test('a vault that was written to since its empty inventory can not be deleted', async () => {
    const vault = await createVault(api);
    await deleteArchive(api, vault, await upload(api, vault, bytesOf(100)));
    await nextInventory(vault);
    await deleteArchive(api, vault, await upload(api, vault, bytesOf(100)));
    const answer = await api.call('DELETE', `/-/vaults/${vault}`);
    const message = `Vault not empty or recently written to: ${arnOf(vault)}`;
    assertError(answer, 400, 'InvalidParameterValueException', message);
  });

  const tiers: readonly (readonly [tier: string, earliestMs: number, latestMs: number])[] = [
    ['Expedited', minute, 5 * minute],
    ['Standard', 3 * hour, 5 * hour],
    ['Bulk', 5 * hour, 12 * hour],
  ];

  for (const [tier, earliestMs, latestMs] of tiers) {
    const minutes = `${earliestMs / minute} to ${latestMs / minute} minutes`;
    test(`a retrieval of the tier ${tier} takes ${minutes}`, async () => {
      const vault = await createVault(api);
      const ArchiveId = await upload(api, vault, bytesOf(10));
      const parameters = { Type: 'archive-retrieval', ArchiveId, Tier: tier };
      const jobId = await initiateJob(api, vault, parameters);
      clock.advance(earliestMs - 1);
      assert.equal((await describeJob(api, vault, jobId)).StatusCode, 'InProgress');
      clock.advance(latestMs - earliestMs + 1);
      assert.equal((await completedJob(api, vault, jobId, clock)).StatusCode, 'Succeeded');
    });
  }
});
