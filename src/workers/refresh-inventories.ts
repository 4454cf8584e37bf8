import type { Clock } from '../lib/clock.ts';
import type { TimeBounds } from '../lib/time-bounds.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { Worker } from './worker.ts';

const vaultsPerStep = 100;
const longestWaitMs = 60_000;

/**
 * Takes each changed vault's inventory once an interval, where the timing is Amazon's. The inventory
 * is a number, not a copy: how many changes the vault had seen. Rows of archives that were removed
 * later stay until no inventory shows them.
 */
export class RefreshInventories implements Worker {
  readonly name = 'refresh-inventories';
  readonly #store: MetadataStore;
  readonly #clock: Clock;
  readonly #timeBounds: TimeBounds;
  readonly #intervalMs: number;

  constructor(options: {
    readonly store: MetadataStore;
    readonly clock: Clock;
    readonly timeBounds: TimeBounds;
    readonly intervalMs: number;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#timeBounds = options.timeBounds;
    this.#intervalMs = options.intervalMs;
  }

  async step(): Promise<'busy' | 'idle'> {
    const dueBeforeMs = this.#timeBounds.latest() - this.#intervalMs;
    const due = await this.#store.read(({ vaults }) =>
      vaults.listDueForInventory(dueBeforeMs, vaultsPerStep),
    );
    for (const { vaultId } of due) {
      await this.#store.write(async ({ vaults }) => {
        const vault = await vaults.getById(vaultId);
        if (vault === undefined) return;
        await vaults.setLastInventory(vaultId, {
          takenAtMs: this.#clock.now(),
          asOfChange: vault.changes,
          archiveCount: vault.archiveCount,
          sizeBytes: vault.sizeBytes,
        });
      });
    }
    return due.length === vaultsPerStep ? 'busy' : 'idle';
  }

  async wake(signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(Math.min(this.#intervalMs, longestWaitMs), signal);
  }
}
