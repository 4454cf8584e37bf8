import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Domain,
  goingOn,
  hourMs,
  openDomain,
  photos,
  runUntilIdle,
  storeText,
} from '../../tests/support/domain.ts';
import { RefreshInventories } from './refresh-inventories.ts';

const intervalMs = 24 * hourMs;

const open = () => openDomain({ inventoryMode: 'scheduled' });
const workerOf = (domain: Domain) => new RefreshInventories({ ...domain, intervalMs });

/** What the vault's last inventory counted, and when. */
async function seen(domain: Domain): Promise<[number | null, string | null]> {
  const vault = await domain.vaults.describe(photos);
  return [vault.numberOfArchives, vault.lastInventoryDate];
}

test('a vault is inventoried an interval after it was made, empty or not', async () => {
  await using domain = await open();
  const worker = workerOf(domain);
  domain.clock.advance(intervalMs - 1);
  await runUntilIdle(worker);
  assert.deepEqual(await seen(domain), [null, null]);
  domain.clock.advance(1);
  await runUntilIdle(worker);
  assert.deepEqual(await seen(domain), [0, '2026-02-01T14:26:33.031Z']);
});

test('a vault that did not change keeps the date of its last inventory', async () => {
  await using domain = await open();
  const worker = workerOf(domain);
  await storeText(domain, 'hello');
  domain.clock.advance(intervalMs);
  await runUntilIdle(worker);
  const before = await seen(domain);
  domain.clock.advance(10 * intervalMs);
  await runUntilIdle(worker);
  assert.deepEqual(await seen(domain), before);
});

test('a vault that changed is inventoried again once the interval is over', async () => {
  await using domain = await open();
  const worker = workerOf(domain);
  domain.clock.advance(intervalMs);
  await runUntilIdle(worker);
  domain.clock.advance(hourMs);
  const archiveId = await storeText(domain, 'hello');
  await storeText(domain, 'world');
  await domain.archives.remove(photos, archiveId);
  domain.clock.advance(23 * hourMs - 1);
  await runUntilIdle(worker);
  assert.deepEqual(await seen(domain), [0, '2026-02-01T14:26:33.031Z']);
  domain.clock.advance(1);
  await runUntilIdle(worker);
  assert.deepEqual(await seen(domain), [1, '2026-02-02T14:26:33.031Z']);
});

test('a change that leaves the totals as they were is a change', async () => {
  await using domain = await open();
  const worker = workerOf(domain);
  domain.clock.advance(intervalMs);
  await runUntilIdle(worker);
  await domain.archives.remove(photos, await storeText(domain, 'hello'));
  domain.clock.advance(intervalMs);
  await runUntilIdle(worker);
  assert.deepEqual(await seen(domain), [0, '2026-02-02T14:26:33.031Z']);
});

test('many vaults are inventoried a hundred at a time', async () => {
  await using domain = await open();
  const names = Array.from({ length: 149 }, (_, index) => `vault-${index}`);
  await Promise.all(names.map((vaultName) => domain.vaults.create({ ...photos, vaultName })));
  domain.clock.advance(intervalMs);
  const worker = workerOf(domain);
  assert.equal(await worker.step(), 'busy');
  assert.equal(await worker.step(), 'idle');
  assert.equal((await seen(domain))[0], 0);
});

test('the worker looks once an interval, and at least once a minute', async () => {
  await using domain = await open();
  const wake = workerOf(domain).wake(goingOn);
  domain.clock.advance(60_000);
  await wake;
  const sooner = new RefreshInventories({ ...domain, intervalMs: 1000 }).wake(goingOn);
  domain.clock.advance(1000);
  await sooner;
});
