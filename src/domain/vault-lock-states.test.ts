import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { AssertionFailed } from '../lib/assert.ts';
import { begin, complete, lockAt } from './vault-lock-states.ts';

fc.configureGlobal({ seed: 20_260_131 });

const begun = begin({ policy: 'p', lockId: 'l', createdAtMs: 900, nowMs: 1000, expiryMs: 500 });

test('a lock is in progress until its time is over', () => {
  assert.deepEqual(begun, {
    state: 'InProgress',
    policy: 'p',
    lockId: 'l',
    createdAtMs: 900,
    expiresAtMs: 1500,
  });
  assert.equal(lockAt(begun, 1499), begun);
  assert.equal(lockAt(begun, 1500), undefined);
  assert.equal(lockAt(undefined, 0), undefined);
});

test('a lock that is completed is the same lock for ever, and is completed once', () => {
  const locked = complete(begun);
  assert.deepEqual(locked, { ...begun, state: 'Locked', expiresAtMs: null });
  fc.assert(fc.property(fc.maxSafeNat(), (nowMs) => lockAt(locked, nowMs) === locked));
  assert.throws(() => complete(locked), AssertionFailed);
});
