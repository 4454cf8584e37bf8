import type { VaultKey, VaultRow } from '../storage/rows.ts';
import type { ArchiveLabel, UploadedArchiveLabel } from './blob-labels.ts';

/** A vault as the labels of its archives tell of it. */
interface FoundVault extends VaultKey {
  readonly vaultId: string;
  earliestMs: number;
  latestMs: number;
}

/** The vaults that labels name. */
export class FoundVaults {
  readonly #byId = new Map<string, FoundVault>();

  add(label: ArchiveLabel | UploadedArchiveLabel): void {
    const { vaultId, accountId, region, vaultName, createdAtMs } = label;
    const known = this.#byId.get(vaultId);
    if (known === undefined) {
      const key = { accountId, region, vaultName };
      this.#byId.set(vaultId, { ...key, vaultId, earliestMs: createdAtMs, latestMs: createdAtMs });
      return;
    }
    known.earliestMs = Math.min(known.earliestMs, createdAtMs);
    known.latestMs = Math.max(known.latestMs, createdAtMs);
  }

  /**
   * The row of each vault by its id, with nothing in it yet. Of several that had the same name one
   * after the other it is the latest: a vault must be empty to be deleted, so that the archives of
   * the others were deleted before.
   */
  rows(): Map<string, VaultRow> {
    const latest = new Map<string, FoundVault>();
    for (const vault of this.#byId.values()) {
      const name = [vault.accountId, vault.region, vault.vaultName].join('/');
      const other = latest.get(name);
      if (other === undefined || other.latestMs < vault.latestMs) latest.set(name, vault);
    }
    return new Map([...latest.values()].map((vault) => [vault.vaultId, emptyRow(vault)]));
  }
}

function emptyRow({ accountId, region, vaultName, vaultId, earliestMs }: FoundVault): VaultRow {
  return {
    accountId,
    region,
    vaultName,
    vaultId,
    createdAtMs: earliestMs,
    archiveCount: 0,
    sizeBytes: 0,
    changes: 0,
    changedAtMs: null,
    lastInventory: null,
  };
}
