import { GlacierError } from '../protocol/errors.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { VaultKey } from '../storage/rows.ts';
import { whileThereIsRoom } from './room.ts';
import { checkVaultPolicyText } from './vault-policies.ts';
import { vaultAt } from './vaults.ts';

export interface AccessPoliciesOptions {
  readonly store: MetadataStore;
  readonly blobs: Pick<BlobStore, 'checkRoom'>;
}

/** Vault access policies: at most one on a vault, and it goes with the vault. */
export class AccessPolicies {
  readonly #store: MetadataStore;
  readonly #blobs: Pick<BlobStore, 'checkRoom'>;

  constructor({ store, blobs }: AccessPoliciesOptions) {
    this.#store = store;
    this.#blobs = blobs;
  }

  /** Puts `policy` in the place of the one that was there, whatever the state of the vault's lock. */
  async set(key: VaultKey, policy: string): Promise<void> {
    checkVaultPolicyText(policy, key, 'access');
    await whileThereIsRoom(this.#blobs, () =>
      this.#store.write(async (rows) => {
        const { vaultId } = await vaultAt(rows, key);
        await rows.vaultSettings.setAccessPolicy(vaultId, policy);
      }),
    );
  }

  /** The text as it was given. */
  get(key: VaultKey): Promise<string> {
    return this.#store.read(async (rows) => {
      const { vaultId } = await vaultAt(rows, key);
      const policy = await rows.vaultSettings.accessPolicy(vaultId);
      if (policy !== undefined) return policy;
      throw new GlacierError(
        'ResourceNotFoundException',
        `No vault access policy is set for: ${key.vaultName}`,
      );
    });
  }

  /** Developer guide, "Delete Vault Access Policy": idempotent, also where none was set. */
  async remove(key: VaultKey): Promise<void> {
    await this.#store.write(async (rows) => {
      const { vaultId } = await vaultAt(rows, key);
      await rows.vaultSettings.setAccessPolicy(vaultId, null);
    });
  }
}
