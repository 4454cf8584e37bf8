import { lockAt } from '../domain/vault-lock-states.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { TimeBounds } from '../lib/time-bounds.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { Worker } from './worker.ts';

const recordsPerStep = 100;
const intervalMs = 60_000;
/** The longest that anybody looks back at retrievals: a policy of the free tier counts by the day. */
const chargeKeptMs = 24 * 60 * 60 * 1000;

export interface ExpireRecordsOptions {
  readonly store: MetadataStore;
  readonly clock: Clock;
  readonly timeBounds: TimeBounds;
  /** What the time is for what lasts a month: capacity units. */
  readonly monthBounds: TimeBounds;
  readonly log: Log;
}

/**
 * Forgets what has ended by the time alone: vault locks that were not completed, provisioned capacity
 * units, and what retrievals counted for. Whoever asks for one of them looks at the time, too, so that
 * nothing depends on when this is done.
 */
export class ExpireRecords implements Worker {
  readonly name = 'expire-records';
  readonly #options: ExpireRecordsOptions;

  constructor(options: ExpireRecordsOptions) {
    this.#options = options;
  }

  async step(): Promise<'busy' | 'idle'> {
    const nowMs = this.#options.timeBounds.earliest();
    const locks = await this.#expireLocks(nowMs);
    const charges = await this.#forgetRetrievals(nowMs);
    return locks === recordsPerStep || charges === recordsPerStep ? 'busy' : 'idle';
  }

  /** Answers how many locks were looked at. */
  async #expireLocks(nowMs: number): Promise<number> {
    const { store, log } = this.#options;
    const vaultIds = await store.read(({ vaultSettings }) =>
      vaultSettings.listExpiredLocks(nowMs, recordsPerStep),
    );
    for (const vaultId of vaultIds) {
      const isExpired = await store.write(async ({ vaultSettings }) => {
        // Looked at again: it may have been completed, aborted or begun anew since it was listed.
        const lock = await vaultSettings.lock(vaultId);
        if (lock === undefined || lockAt(lock, nowMs) !== undefined) return false;
        await vaultSettings.setLock(vaultId, null);
        return true;
      });
      if (isExpired) log.info('vault-lock.expired', { vaultId });
    }
    return vaultIds.length;
  }

  /** Answers how many charges were forgotten. There are never many units. */
  async #forgetRetrievals(nowMs: number): Promise<number> {
    const { store, monthBounds } = this.#options;
    const begunBeforeMs = nowMs - chargeKeptMs;
    // Of a clock that was believed and then set back. Nobody counts them before they would begin.
    const begunAfterMs = nowMs + chargeKeptMs;
    const query = { begunBeforeMs, begunAfterMs, nowMs, limit: recordsPerStep };
    return await store.write(async ({ capacity, retrievals }) => {
      await capacity.forgetExpired(monthBounds.earliest());
      return await retrievals.forgetCharges(query);
    });
  }

  async wake(signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(intervalMs, signal);
  }
}
