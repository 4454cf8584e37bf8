import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { isSameSecret } from '../lib/node/same-secret.ts';
import { type RandomBytes, randomId } from '../lib/random.ts';
import type { TimeBounds } from '../lib/time-bounds.ts';
import { GlacierError, invalidParameter } from '../protocol/errors.ts';
import { idLengths, toTimestamp } from '../protocol/names.ts';
import type { Output } from '../protocol/shapes/all.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore, Rows } from '../storage/metadata-store.ts';
import type { VaultKey, VaultLockRow } from '../storage/rows.ts';
import { whileThereIsRoom } from './room.ts';
import { begin, complete, lockAt } from './vault-lock-states.ts';
import { checkVaultPolicyText } from './vault-policies.ts';
import { vaultAt } from './vaults.ts';

export interface VaultLocksOptions {
  readonly store: MetadataStore;
  readonly blobs: Pick<BlobStore, 'checkRoom'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly timeBounds: TimeBounds;
  readonly randomBytes: RandomBytes;
  /** How long a lock may be tried before it is completed. */
  readonly vaultLockExpiryMs: number;
}

/**
 * Vault locks: a second policy on a vault, which can be made to stay.
 *
 * 1. A lock that is `Locked` never changes, and goes only with its vault.
 * 2. One that is in progress does not end before its time, whatever the clock is set to.
 */
export class VaultLocks {
  readonly #options: VaultLocksOptions;

  constructor(options: VaultLocksOptions) {
    this.#options = options;
  }

  /** Puts the policy on the vault, to be tried and then completed. Answers the lock's id. */
  initiate(key: VaultKey, policy: string): Promise<string> {
    const { store, blobs, clock, timeBounds, randomBytes } = this.#options;
    const { vaultLockExpiryMs: expiryMs } = this.#options;
    const lockId = randomId(randomBytes, idLengths.vaultLock);
    return whileThereIsRoom(blobs, () =>
      store.write(async (rows) => {
        const { vaultId, lock } = await this.#find(rows, key);
        if (lock?.state === 'Locked') throw locked(key);
        if (lock !== undefined) {
          throw accessDenied(`A vault lock is already in progress for: ${key.vaultName}`);
        }
        checkVaultPolicyText(policy, key, 'lock');
        const times = { createdAtMs: clock.now(), nowMs: timeBounds.earliest(), expiryMs };
        await rows.vaultSettings.setLock(vaultId, begin({ policy, lockId, ...times }));
        return lockId;
      }),
    );
  }

  /** The lock and its state; its id is told to nobody but who began it. */
  async describe(key: VaultKey): Promise<Output<'GetVaultLock'>> {
    const { lock } = await this.#options.store.read((rows) => this.#find(rows, key));
    if (lock === undefined) throw notSet(key);
    const { policy, state, createdAtMs, expiresAtMs } = lock;
    return {
      policy,
      state,
      creationDate: toTimestamp(createdAtMs),
      expirationDate: expiresAtMs === null ? null : toTimestamp(expiresAtMs),
    };
  }

  /**
   * Locks the vault for good. Developer guide, "Complete Vault Lock": idempotent with the right id;
   * with another one, access is denied once the vault is locked, and the id is invalid before.
   */
  async complete(key: VaultKey, lockId: string): Promise<void> {
    const { store, log } = this.#options;
    await store.write(async (rows) => {
      const { vaultId, lock } = await this.#find(rows, key);
      if (lock === undefined) throw notSet(key);
      const isRight = isSameSecret(lock.lockId, lockId);
      if (!isRight && lock.state === 'Locked') throw accessDenied(`Invalid lock ID: ${lockId}`);
      if (!isRight) throw invalidParameter(`Invalid lock ID: ${lockId}`);
      if (lock.state === 'InProgress') await rows.vaultSettings.setLock(vaultId, complete(lock));
    });
    const { accountId, region, vaultName } = key;
    const harm = 'Policies are not enforced by this version: archives of the vault can be deleted.';
    log.warn('vault-lock.not-enforced', { accountId, region, vaultName, harm });
  }

  /** Takes a policy that is being tried off the vault. Idempotent; refused once it is locked. */
  async abort(key: VaultKey): Promise<void> {
    await this.#options.store.write(async (rows) => {
      const { vaultId, lock } = await this.#find(rows, key);
      if (lock?.state === 'Locked') throw locked(key);
      if (lock !== undefined) await rows.vaultSettings.setLock(vaultId, null);
    });
  }

  async #find(
    rows: Rows,
    key: VaultKey,
  ): Promise<{ readonly vaultId: string; readonly lock: VaultLockRow | undefined }> {
    const { vaultId } = await vaultAt(rows, key);
    const lock = await rows.vaultSettings.lock(vaultId);
    return { vaultId, lock: lockAt(lock, this.#options.timeBounds.earliest()) };
  }
}

function locked({ vaultName }: VaultKey): GlacierError {
  return accessDenied(`The vault lock policy is locked for: ${vaultName}`);
}

/** Developer guide, "Initiate Vault Lock" and others: a state that forbids it denies the access. */
function accessDenied(message: string): GlacierError {
  return new GlacierError('AccessDeniedException', message);
}

function notSet({ vaultName }: VaultKey): GlacierError {
  return new GlacierError(
    'ResourceNotFoundException',
    `No vault lock policy is set for: ${vaultName}`,
  );
}
