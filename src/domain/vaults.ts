import type { Bell } from '../lib/bell.ts';
import type { Clock } from '../lib/clock.ts';
import { type RandomBytes, randomId } from '../lib/random.ts';
import type { TimeBounds } from '../lib/time-bounds.ts';
import { GlacierError, invalidParameter } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import { isVaultName, parseVaultArn, toTimestamp, vaultArn } from '../protocol/names.ts';
import type { Output } from '../protocol/shapes/all.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore, Rows } from '../storage/metadata-store.ts';
import type { VaultKey, VaultRow } from '../storage/rows.ts';
import { whileThereIsRoom } from './room.ts';

/**
 * `live`: totals and inventories are exact at the moment of asking. `scheduled`: they are those of
 * the vault's last inventory, taken once an interval, as on Amazon's service.
 */
export type InventoryMode = 'live' | 'scheduled';

/** `FIRN_TIMING`. */
export type Timing = 'immediate' | 'aws';

export type VaultDescription = Output<'DescribeVault'>;

/**
 * What the live service adds to a vault's size for each archive: one of 3,145,728 bytes was
 * reported as 3,178,496.
 */
const overheadSizeBytes = 32_768;

/** So many uploads are aborted with their vault at once: others wait for it. */
const uploadsAtOnceMax = 1000;

export interface VaultsOptions {
  readonly store: MetadataStore;
  readonly blobs: Pick<BlobStore, 'checkRoom'>;
  readonly clock: Clock;
  readonly timeBounds: TimeBounds;
  readonly randomBytes: RandomBytes;
  readonly inventoryMode: InventoryMode;
  /** Whether sizes are counted, and vaults deleted, by Amazon's rules or as one would expect. */
  readonly timing: Timing;
  /** How many vaults an account may have in a region. */
  readonly vaultsMax: number;
  /** Rung when uploads were aborted. */
  readonly aborts: Bell;
}

/** Vaults: named by account, region and name. */
export class Vaults {
  readonly #store: MetadataStore;
  readonly #blobs: Pick<BlobStore, 'checkRoom'>;
  readonly #clock: Clock;
  readonly #timeBounds: TimeBounds;
  readonly #randomBytes: RandomBytes;
  readonly #inventoryMode: InventoryMode;
  readonly #timing: Timing;
  readonly #vaultsMax: number;
  readonly #aborts: Bell;

  constructor({ store, blobs, clock, timeBounds, randomBytes, ...options }: VaultsOptions) {
    this.#store = store;
    this.#blobs = blobs;
    this.#clock = clock;
    this.#timeBounds = timeBounds;
    this.#randomBytes = randomBytes;
    this.#inventoryMode = options.inventoryMode;
    this.#timing = options.timing;
    this.#vaultsMax = options.vaultsMax;
    this.#aborts = options.aborts;
  }

  /** Makes the vault; one that is there already stays as it is, creation date and all. */
  async create(key: VaultKey): Promise<void> {
    if (!isVaultName(key.vaultName)) throw invalidParameter(`Invalid vault name: ${key.vaultName}`);
    await whileThereIsRoom(this.#blobs, () => this.#insert(key));
  }

  #insert(key: VaultKey): Promise<void> {
    return this.#store.write(async (rows) => {
      if ((await rows.vaults.get(key)) !== undefined) return;
      const { accountId, region } = key;
      const countMax = this.#vaultsMax;
      if ((await rows.vaults.count({ accountId, region, countMax })) >= countMax) {
        throw new GlacierError(
          'LimitExceededException',
          'The vault limit for this account has been reached.',
        );
      }
      await rows.vaults.insert({
        accountId: key.accountId,
        region: key.region,
        vaultName: key.vaultName,
        vaultId: randomId(this.#randomBytes, 24),
        createdAtMs: this.#clock.now(),
        archiveCount: 0,
        sizeBytes: 0,
        changes: 0,
        changedAtMs: null,
        lastInventory: null,
      });
    });
  }

  async describe(key: VaultKey): Promise<VaultDescription> {
    return this.#describe(await this.#store.read((rows) => vaultAt(rows, key)));
  }

  /** A page of the account's vaults in the region, by name. */
  async list(query: {
    readonly accountId: string;
    readonly region: string;
    readonly marker: string | undefined;
    readonly limit: number | undefined;
  }): Promise<{ readonly vaults: VaultDescription[]; readonly marker: string | null }> {
    const { accountId, region, marker } = query;
    const limit = Math.min(query.limit ?? limits.listVaultsMax, limits.listVaultsMax);
    const after = marker === undefined ? null : nameInMarker(marker, { accountId, region });
    const rows = await this.#store.read(({ vaults }) =>
      vaults.list({ accountId, region, after, limit: limit + 1 }),
    );
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      vaults: page.map((vault) => this.#describe(vault)),
      marker: last === undefined ? null : vaultArn(last),
    };
  }

  /**
   * Removes an empty vault, and its jobs with it. One that is not there is fine: the developer
   * guide says that the operation is idempotent. Its uploads are no archives, and are aborted: the
   * first of them here, and what there may be beyond by whoever discards them. Nobody finds them any
   * more.
   */
  async remove(key: VaultKey): Promise<void> {
    await this.#store.write(async (rows) => {
      const vault = await rows.vaults.get(key);
      if (vault === undefined) return;
      if (!this.#isRemovable(vault)) {
        throw invalidParameter(`Vault not empty or recently written to: ${vaultArn(key)}`);
      }
      await rows.uploads.abandon(vault.vaultId, this.#timeBounds.earliest(), uploadsAtOnceMax);
      await rows.vaults.remove(vault.vaultId);
    });
    this.#aborts.ring();
  }

  /**
   * Developer guide, "Deleting a Vault": only if there were no archives as of the last inventory
   * and there have been no writes since.
   */
  #isRemovable(vault: VaultRow): boolean {
    if (this.#timing === 'immediate' || this.#inventoryMode === 'live' || vault.changes === 0) {
      return vault.archiveCount === 0;
    }
    const { lastInventory } = vault;
    return lastInventory?.archiveCount === 0 && lastInventory.asOfChange === vault.changes;
  }

  #describe(vault: VaultRow): VaultDescription {
    const { lastInventory } = vault;
    const isExact = this.#inventoryMode === 'live';
    const dateMs = isExact ? vault.changedAtMs : (lastInventory?.takenAtMs ?? null);
    const seen = isExact ? vault : lastInventory;
    const overhead = this.#timing === 'immediate' ? 0 : overheadSizeBytes;
    return {
      creationDate: toTimestamp(vault.createdAtMs),
      lastInventoryDate: dateMs === null ? null : toTimestamp(dateMs),
      numberOfArchives: seen?.archiveCount ?? null,
      sizeInBytes: seen === null ? null : seen.sizeBytes + seen.archiveCount * overhead,
      vaultARN: vaultArn(vault),
      vaultName: vault.vaultName,
    };
  }
}

/** The vault's row; `404` when there is none. */
export async function vaultAt(rows: Rows, key: VaultKey): Promise<VaultRow> {
  const vault = await rows.vaults.get(key);
  if (vault === undefined) throw vaultNotFound(key);
  return vault;
}

export function vaultNotFound(key: VaultKey): GlacierError {
  // The live service names a vault whose name can't be one by that name, and not by an ARN.
  const name = isVaultName(key.vaultName) ? vaultArn(key) : key.vaultName;
  return new GlacierError('ResourceNotFoundException', `Vault not found for ARN: ${name}`);
}

/** A list of vaults goes on after the vault whose ARN is the marker; it need not exist any more. */
function nameInMarker(
  marker: string,
  scope: { readonly accountId: string; readonly region: string },
): string | null {
  if (marker === '') return null;
  const vault = parseVaultArn(marker);
  if (vault?.accountId !== scope.accountId || vault.region !== scope.region) {
    throw invalidParameter(`Invalid marker: ${marker}`);
  }
  return vault.vaultName;
}
