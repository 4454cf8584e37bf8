import assert from 'node:assert/strict';
import test from 'node:test';
import {
  accountId,
  type Domain,
  goingOn,
  hourMs,
  openDomain,
  photos,
  region,
  retrieve,
  runUntilIdle,
  storeText,
} from '../../tests/support/domain.ts';
import { begin, complete } from '../domain/vault-lock-states.ts';
import type { VaultLockRow } from '../storage/rows.ts';
import { ExpireRecords } from './expire-records.ts';

const here = { accountId, region };
const dayMs = 24 * hourMs;
const minuteMs = 60_000;

async function vaultIdOf({ store }: Domain): Promise<string> {
  const vault = await store.read(({ vaults }) => vaults.get(photos));
  assert.ok(vault !== undefined);
  return vault.vaultId;
}

const newLock = ({ clock }: Domain, lockId: string) =>
  begin({
    ...{ policy: '{}', lockId, expiryMs: dayMs },
    ...{ createdAtMs: clock.now(), nowMs: clock.now() },
  });

async function setLock(domain: Domain, lock: VaultLockRow): Promise<string> {
  const vaultId = await vaultIdOf(domain);
  await domain.store.write(({ vaultSettings }) => vaultSettings.setLock(vaultId, lock));
  return vaultId;
}

const lockOf = ({ store }: Domain, vaultId: string) =>
  store.read(({ vaultSettings }) => vaultSettings.lock(vaultId));

/** Rows that were ever charged and are not forgotten: of the tier Standard, whenever begun. */
const chargedSizeBytes = ({ store }: Domain) =>
  store.read(({ retrievals }) =>
    retrievals.standardSizeBytes(here, { sinceMs: 0, nowMs: Number.MAX_SAFE_INTEGER }),
  );

test('a lock that was not completed in time goes, at its time and not before', async () => {
  await using domain = await openDomain();
  const vaultId = await setLock(domain, newLock(domain, 'first'));
  const worker = new ExpireRecords(domain);
  domain.clock.advance(dayMs - 1);
  await runUntilIdle(worker);
  assert.equal((await lockOf(domain, vaultId))?.lockId, 'first');
  domain.clock.advance(1);
  await runUntilIdle(worker);
  assert.equal(await lockOf(domain, vaultId), undefined);
  const event = { level: 'info', event: 'vault-lock.expired', facts: { vaultId } } as const;
  assert.deepEqual(domain.log.events.at(-1), event);
});

test('a lock that is complete stays for good', async () => {
  await using domain = await openDomain();
  const vaultId = await setLock(domain, complete(newLock(domain, 'first')));
  domain.clock.advance(1000 * dayMs);
  await runUntilIdle(new ExpireRecords(domain));
  assert.equal((await lockOf(domain, vaultId))?.state, 'Locked');
});

test('a clock that is set forward ends no lock', async () => {
  await using domain = await openDomain();
  const vaultId = await setLock(domain, newLock(domain, 'first'));
  domain.clock.jump(2 * dayMs);
  await runUntilIdle(new ExpireRecords(domain));
  assert.equal((await lockOf(domain, vaultId))?.lockId, 'first');
});

test('a lock that was completed, or begun anew, since it was listed stays', async () => {
  await using domain = await openDomain();
  const lapsed = newLock(domain, 'first');
  const vaultId = await setLock(domain, lapsed);
  domain.clock.advance(dayMs);
  for (const lock of [complete(lapsed), newLock(domain, 'second')]) {
    await setLock(domain, lapsed);
    const read: typeof domain.store.read = async (work) => {
      const found = await domain.store.read(work);
      await setLock(domain, lock);
      return found;
    };
    const store = new Proxy(domain.store, {
      get: (target, property) =>
        property === 'read' ? read : Reflect.get(target, property).bind(target),
    });
    await new ExpireRecords({ ...domain, store }).step();
    assert.deepEqual(await lockOf(domain, vaultId), lock);
  }
  assert.deepEqual(domain.log.names('info'), []);
});

test('units that expired go, and the others stay', async () => {
  await using domain = await openDomain();
  await domain.capacity.purchase(here);
  domain.clock.advance(dayMs);
  const later = await domain.capacity.purchase(here);
  domain.clock.advance(27 * dayMs);
  await runUntilIdle(new ExpireRecords(domain));
  const units = await domain.store.read(({ capacity }) => capacity.list(here, 0));
  assert.deepEqual(
    units.map(({ capacityId }) => capacityId),
    [later],
  );
});

test('what a retrieval counted for is forgotten after a day, once it is done', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const worker = new ExpireRecords(domain);
  await domain.jobs.succeed(await retrieve(domain, archiveId));
  const going = await retrieve(domain, archiveId);
  domain.clock.advance(dayMs);
  await runUntilIdle(worker);
  assert.equal(await chargedSizeBytes(domain), 10n);
  domain.clock.advance(1);
  await runUntilIdle(worker);
  assert.equal(await chargedSizeBytes(domain), 5n);
  await domain.jobs.succeed(going);
  await runUntilIdle(worker);
  assert.equal(await chargedSizeBytes(domain), 0n);
});

test('what counts for longer than a day is kept for as long', async () => {
  const delaysMs = { Expedited: 0, Standard: 30 * hourMs, Bulk: 0, inventory: 0 };
  await using domain = await openDomain({ delaysMs });
  const archiveId = await storeText(domain, 'hello');
  await domain.jobs.succeed(await retrieve(domain, archiveId));
  domain.clock.advance(30 * hourMs - 1);
  await runUntilIdle(new ExpireRecords(domain));
  assert.equal(await chargedSizeBytes(domain), 5n);
  domain.clock.advance(1);
  await runUntilIdle(new ExpireRecords(domain));
  assert.equal(await chargedSizeBytes(domain), 0n);
});

test('many go a hundred at a time', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  const jobIds = await Promise.all(Array.from({ length: 150 }, () => retrieve(domain, archiveId)));
  for (const jobId of jobIds) await domain.jobs.succeed(jobId);
  domain.clock.advance(dayMs + 1);
  const worker = new ExpireRecords(domain);
  assert.equal(await worker.step(), 'busy');
  assert.equal(await chargedSizeBytes(domain), 250n);
  assert.equal(await worker.step(), 'idle');
  assert.equal(await chargedSizeBytes(domain), 0n);
});

test('the worker looks once a minute', async () => {
  await using domain = await openDomain();
  const wake = new ExpireRecords(domain).wake(goingOn);
  domain.clock.advance(minuteMs);
  await wake;
});
