import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import { askForLock, createVault, initiateLock, send } from '../support/deeds.ts';
import { assertEmpty, assertError, assertMembers } from '../support/expectations.ts';
import { policyText } from '../support/policies.ts';
import { SimulatedClock, startServer } from '../support/start-server.ts';
import { onlyOwnServer } from '../support/target.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';

describe('locks in the course of time', { skip: onlyOwnServer }, async () => {
  if (onlyOwnServer !== false) return;
  const day = 24 * 3_600_000;

  const clock = new SimulatedClock();
  const server = await startServer({ clock });
  after(() => server[Symbol.asyncDispose]());
  const { url, account } = server;
  const api = new Api({ url, credentials: account.credentials, now: () => clock.now() });
  after(() => api[Symbol.dispose]());

  const policyOf = (vault: string, Sid: string) =>
    policyText(`arn:aws:glacier:${api.region}:${account.accountId}:vaults/${vault}`, { Sid });

  /** What a caller can do with the lock of a vault. */
  function lockOf(caller: Api, vault: string) {
    const target = `/-/vaults/${vault}/lock-policy`;
    return {
      initiate: (Sid: string) => initiateLock(caller, vault, policyOf(vault, Sid)),
      ask: (Sid: string) => askForLock(caller, vault, policyOf(vault, Sid)),
      get: () => caller.call('GET', target),
      complete: (lockId: string) => caller.call('POST', `${target}/${lockId}`),
      abort: () => caller.call('DELETE', target),
    };
  }

  const notLocked = (vault: string) => `No vault lock policy is set for: ${vault}`;

  test('a lock is in progress for 24 hours to the millisecond, and then gone', async () => {
    const vault = await createVault(api);
    const lock = lockOf(api, vault);
    const startedAt = clock.now();
    const lockId = await lock.initiate('first');
    const shown = {
      Policy: policyOf(vault, 'first'),
      State: 'InProgress',
      ExpirationDate: new Date(startedAt + day).toISOString(),
      CreationDate: new Date(startedAt).toISOString(),
    };
    assertMembers(await lock.get(), shown);
    clock.advance(day - 1);
    assertMembers(await lock.get(), shown);
    assert.equal((await lock.ask('second')).status, 403);
    clock.advance(1);
    const message = notLocked(vault);
    assertError(await lock.get(), 404, 'ResourceNotFoundException', message);
    assertError(await lock.complete(lockId), 404, 'ResourceNotFoundException', message);
    assertEmpty(await lock.abort(), 204);
  });

  test('a lock can be completed in its last millisecond', async () => {
    const vault = await createVault(api);
    const lock = lockOf(api, vault);
    const lockId = await lock.initiate('first');
    clock.advance(day - 1);
    assertEmpty(await lock.complete(lockId), 204);
    clock.advance(1);
    assert.equal(JSON.parse((await lock.get()).text).State, 'Locked');
  });

  test('another lock can be started in the moment in which one is over', async () => {
    const vault = await createVault(api);
    const lock = lockOf(api, vault);
    const older = await lock.initiate('first');
    clock.advance(day);
    const newer = await lock.initiate('second');
    assert.notEqual(newer, older);
    const answer = await lock.complete(older);
    assertError(answer, 400, 'InvalidParameterValueException', `Invalid lock ID: ${older}`);
    assertEmpty(await lock.complete(newer), 204);
  });

  test('a locked vault stays locked after ten years', async () => {
    const vault = await createVault(api);
    const lock = lockOf(api, vault);
    const createdAt = clock.now();
    const lockId = await lock.initiate('first');
    clock.advance(1000);
    assertEmpty(await lock.complete(lockId), 204);
    clock.advance(3652 * day);
    assertMembers(await lock.get(), {
      Policy: policyOf(vault, 'first'),
      State: 'Locked',
      ExpirationDate: null,
      CreationDate: new Date(createdAt).toISOString(),
    });
    assert.equal((await lock.abort()).status, 403);
    assertEmpty(await lock.complete(lockId), 204);
  });

  test('a vault goes through all states of its lock, one after the other', async () => {
    const vault = await createVault(api);
    const lock = lockOf(api, vault);
    assert.equal((await lock.get()).status, 404);
    assertEmpty(await lock.abort(), 204);
    const first = await lock.initiate('L1');
    assert.equal((await lock.ask('L3')).status, 403);
    assert.equal((await lock.complete('x')).status, 400);
    assertEmpty(await lock.abort(), 204);
    assert.equal((await lock.get()).status, 404);
    assert.equal((await lock.complete(first)).status, 404);

    const second = await lock.initiate('L3');
    assert.notEqual(second, first);
    assert.equal((await lock.complete(first)).status, 400);
    clock.advance(day);
    assert.equal((await lock.get()).status, 404);
    assert.equal((await lock.complete(second)).status, 404);

    const startedAt = clock.now();
    const third = await lock.initiate('L3');
    clock.advance(3_600_000);
    assertEmpty(await lock.complete(third), 204);
    assertEmpty(await lock.complete(third), 204);
    assert.equal((await lock.complete(second)).status, 403);
    assert.equal((await lock.abort()).status, 403);
    assert.equal((await lock.ask('L1')).status, 403);
    assertMembers(await lock.get(), {
      Policy: policyOf(vault, 'L3'),
      State: 'Locked',
      ExpirationDate: null,
      CreationDate: new Date(startedAt).toISOString(),
    });
    const access = { Policy: policyOf(vault, 'access') };
    assertEmpty(await send(api, 'PUT', `/-/vaults/${vault}/access-policy`, access), 204);

    assertEmpty(await api.call('DELETE', `/-/vaults/${vault}`), 204);
    await createVault(api, vault);
    assertError(await lock.get(), 404, 'ResourceNotFoundException', notLocked(vault));
  });

  test('locks are there after a restart, and end then as they would have', async () => {
    using directory = new TemporaryDirectory();
    const env = { FIRN_DATA_DIR: directory.path };
    const [locked, trial] = ['locked', 'trial'];
    let lockId = '';
    {
      const first = await startServer({ clock, env });
      await using _ = first;
      using caller = api.as({ url: first.url });
      await createVault(caller, locked);
      await createVault(caller, trial);
      lockId = await lockOf(caller, locked).initiate('kept');
      assertEmpty(await lockOf(caller, locked).complete(lockId), 204);
      await lockOf(caller, trial).initiate('kept');
    }
    clock.advance(day - 1);
    const second = await startServer({ clock, env });
    await using _ = second;
    using caller = api.as({ url: second.url });
    const [kept, ending] = [lockOf(caller, locked), lockOf(caller, trial)];
    assert.equal(JSON.parse((await kept.get()).text).State, 'Locked');
    const message = `The vault lock policy is locked for: ${locked}`;
    assertError(await kept.abort(), 403, 'AccessDeniedException', message);
    assertEmpty(await kept.complete(lockId), 204);
    assert.equal(JSON.parse((await ending.get()).text).State, 'InProgress');
    clock.advance(1);
    assertError(await ending.get(), 404, 'ResourceNotFoundException', notLocked(trial));
  });
});
