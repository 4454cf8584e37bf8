import assert from 'node:assert/strict';
import test from 'node:test';
import { type Domain, hourMs, openDomain, photos, videos } from '../../tests/support/domain.ts';
import { toTimestamp, vaultArn } from '../protocol/names.ts';
import { isStoreError, StoreError } from '../storage/errors.ts';

const dayMs = 24 * hourMs;
const yearsMs = 70 * 365 * dayMs;

/** Nobody deletes archives that are younger than `days`. */
const policyOf = (days: number) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: {
      Sid: 'worm',
      Effect: 'Deny',
      Principal: '*',
      Action: 'glacier:DeleteArchive',
      Resource: vaultArn(photos),
      Condition: { NumericLessThan: { 'glacier:ArchiveAgeInDays': String(days) } },
    },
  });
const policy = policyOf(365);

const denied = (message: string) => ({ code: 'AccessDeniedException', message });
const notSet = {
  code: 'ResourceNotFoundException',
  message: 'No vault lock policy is set for: photos',
};
const notFound = {
  code: 'ResourceNotFoundException',
  message: `Vault not found for ARN: ${vaultArn(videos)}`,
};

/** The vault with a lock that is locked. Answers the lock's id. */
async function locked({ vaultLocks }: Domain): Promise<string> {
  const lockId = await vaultLocks.initiate(photos, policy);
  await vaultLocks.complete(photos, lockId);
  return lockId;
}

test('a lock that was begun is in progress for 24 hours', async () => {
  await using domain = await openDomain();
  const { vaultLocks, clock } = domain;
  assert.match(await vaultLocks.initiate(photos, policy), /^[A-Za-z0-9][A-Za-z0-9_-]{23}$/);
  assert.deepEqual(await vaultLocks.describe(photos), {
    policy,
    state: 'InProgress',
    creationDate: '2026-01-31T14:26:33.031Z',
    expirationDate: '2026-02-01T14:26:33.031Z',
  });
  clock.advance(dayMs - 1);
  assert.equal((await vaultLocks.describe(photos)).state, 'InProgress');
  clock.advance(1);
  await assert.rejects(vaultLocks.describe(photos), notSet);
});

test('a lock that was not completed in time is no lock, and its id is void', async () => {
  await using domain = await openDomain();
  const { vaultLocks, clock } = domain;
  const lockId = await vaultLocks.initiate(photos, policy);
  clock.advance(dayMs);
  await assert.rejects(vaultLocks.complete(photos, lockId), notSet);
  const next = await vaultLocks.initiate(photos, policyOf(1));
  await assert.rejects(vaultLocks.complete(photos, lockId), {
    code: 'InvalidParameterValueException',
    message: `Invalid lock ID: ${lockId}`,
  });
  await vaultLocks.complete(photos, next);
  assert.equal((await vaultLocks.describe(photos)).policy, policyOf(1));
});

test('a clock that is set forward does not end a lock that is in progress', async () => {
  await using domain = await openDomain();
  const { vaultLocks, clock } = domain;
  await vaultLocks.initiate(photos, policy);
  clock.jump(2 * dayMs);
  assert.equal((await vaultLocks.describe(photos)).state, 'InProgress');
});

test('a lock is completed by its id, any number of times', async () => {
  await using domain = await openDomain();
  const { vaultLocks, clock } = domain;
  const lockId = await vaultLocks.initiate(photos, policy);
  clock.advance(dayMs - 1);
  await vaultLocks.complete(photos, lockId);
  clock.advance(10 * dayMs);
  await vaultLocks.complete(photos, lockId);
  assert.deepEqual(await vaultLocks.describe(photos), {
    policy,
    state: 'Locked',
    creationDate: '2026-01-31T14:26:33.031Z',
    expirationDate: null,
  });
});

test('that a lock is not enforced yet is told when it is completed', async () => {
  await using domain = await openDomain();
  await locked(domain);
  assert.deepEqual(domain.log.names('warn'), ['vault-lock.not-enforced']);
});

test('a vault that is locked keeps its policy, whatever is asked for', async () => {
  await using domain = await openDomain();
  const { vaultLocks } = domain;
  await locked(domain);
  const isLocked = denied('The vault lock policy is locked for: photos');
  await assert.rejects(vaultLocks.initiate(photos, policyOf(1)), isLocked);
  await assert.rejects(vaultLocks.abort(photos), isLocked);
  await assert.rejects(vaultLocks.complete(photos, 'other'), denied('Invalid lock ID: other'));
  assert.equal((await vaultLocks.describe(photos)).policy, policy);
});

test('a lock that is in progress is aborted, and only another id completes the next one', async () => {
  await using domain = await openDomain();
  const { vaultLocks } = domain;
  const first = await vaultLocks.initiate(photos, policy);
  await assert.rejects(
    vaultLocks.initiate(photos, 'no policy at all'),
    denied('A vault lock is already in progress for: photos'),
  );
  await vaultLocks.abort(photos);
  await vaultLocks.abort(photos);
  await assert.rejects(vaultLocks.describe(photos), notSet);
  await assert.rejects(vaultLocks.complete(photos, first), notSet);
  const second = await vaultLocks.initiate(photos, policy);
  assert.notEqual(second, first);
  await assert.rejects(vaultLocks.complete(photos, first), {
    code: 'InvalidParameterValueException',
  });
  await vaultLocks.complete(photos, second);
});

test('of two that begin a lock at once, one does', async () => {
  await using domain = await openDomain();
  const begun = [1, 2].map((days) => domain.vaultLocks.initiate(photos, policyOf(days)));
  const outcomes = await Promise.allSettled(begun);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
});

test('a policy that is none begins no lock', async () => {
  await using domain = await openDomain();
  const other = policy.replaceAll('vaults/photos', 'vaults/videos');
  const sentence = 'The specified vault lock policy is invalid. Provide a valid policy.';
  for (const text of ['no JSON', '{}', other, policy + ' '.repeat(20_481 - policy.length)]) {
    await assert.rejects(domain.vaultLocks.initiate(photos, text), (error: Error) => {
      assert.ok('code' in error);
      assert.equal(error.code, 'InvalidParameterValueException');
      assert.ok(error.message.startsWith(`${sentence} Reason: `), error.message);
      return true;
    });
  }
  await assert.rejects(domain.vaultLocks.describe(photos), notSet);
  await domain.vaultLocks.initiate(photos, policy + ' '.repeat(20_480 - policy.length));
});

test('a lock is that of its vault, and dies with it', async () => {
  await using domain = await openDomain();
  const { vaultLocks, vaults } = domain;
  const lockId = await locked(domain);
  for (const call of [
    () => vaultLocks.initiate(videos, policy),
    () => vaultLocks.describe(videos),
    () => vaultLocks.complete(videos, lockId),
    () => vaultLocks.abort(videos),
  ]) {
    await assert.rejects(call, notFound);
  }
  await vaults.remove(photos);
  await vaults.create(photos);
  await assert.rejects(vaultLocks.describe(photos), notSet);
});

test('a lock that was begun while the clock was far ahead lasts as long as any other', async () => {
  await using domain = await openDomain();
  domain.clock.jump(yearsMs);
  const createdAtMs = domain.clock.now();
  await domain.vaultLocks.initiate(photos, policy);
  const { creationDate } = await domain.vaultLocks.describe(photos);
  assert.equal(creationDate, toTimestamp(createdAtMs));
  domain.clock.jump(-yearsMs);
  domain.clock.advance(24 * hourMs - 1);
  await domain.vaultLocks.describe(photos);
  domain.clock.advance(1);
  await assert.rejects(domain.vaultLocks.describe(photos), notSet);
});

test('a full store begins no lock, and completes and aborts those that are there', async () => {
  await using domain = await openDomain();
  const { vaultLocks, blobs } = domain;
  const lockId = await vaultLocks.initiate(photos, policy);
  blobs.checkRoom = () => Promise.reject(new StoreError('StoreFull', 'full'));
  await vaultLocks.abort(photos);
  await assert.rejects(vaultLocks.initiate(photos, policy), {
    code: 'ServiceUnavailableException',
  });
  await assert.rejects(blobs.checkRoom(), (error) => isStoreError(error, 'StoreFull'));
  await assert.rejects(vaultLocks.complete(photos, lockId), notSet);
});
