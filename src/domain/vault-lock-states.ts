import { assert } from '../lib/assert.ts';
import type { VaultLockRow } from '../storage/rows.ts';

/*
 *                begin                  complete
 *   Unlocked ───────────▶ InProgress ────────────▶ Locked, for as long as the vault is there
 *      ▲                      │
 *      └── abort, or expiry ──┘
 *
 * A vault that is unlocked has no row. No other code assigns a lock's state.
 */

/** Developer guide, "Initiate Vault Lock": attaches the policy and sets the state to in progress. */
export function begin(options: {
  readonly policy: string;
  readonly lockId: string;
  /** When it was begun by the clock. */
  readonly createdAtMs: number;
  /** The time by which its end is judged. */
  readonly nowMs: number;
  readonly expiryMs: number;
}): VaultLockRow {
  const { policy, lockId, createdAtMs, nowMs, expiryMs } = options;
  return {
    state: 'InProgress',
    policy,
    lockId,
    createdAtMs,
    expiresAtMs: nowMs + expiryMs,
  };
}

/** Developer guide, "Complete Vault Lock": from then on the policy can't be changed or removed. */
export function complete(lock: VaultLockRow): VaultLockRow {
  assert(lock.state === 'InProgress', 'a lock that is completed was in progress');
  return { ...lock, state: 'Locked', expiresAtMs: null };
}

/**
 * The lock as it is at that time: one that was not completed in time is none. Developer guide,
 * "Initiate Vault Lock": it exits the in progress state, and the policy is removed.
 */
export function lockAt(lock: VaultLockRow | undefined, nowMs: number): VaultLockRow | undefined {
  const isOver = lock !== undefined && lock.expiresAtMs !== null && lock.expiresAtMs <= nowMs;
  return isOver ? undefined : lock;
}
