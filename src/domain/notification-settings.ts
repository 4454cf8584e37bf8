import { GlacierError, invalidParameter } from '../protocol/errors.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import type { NotificationsRow, VaultKey } from '../storage/rows.ts';
import { whileThereIsRoom } from './room.ts';
import { checkTopic } from './topics.ts';
import { vaultAt } from './vaults.ts';

/** Developer guide, "Configuring Vault Notifications": the jobs of a vault that can be announced. */
const events: readonly string[] = ['ArchiveRetrievalCompleted', 'InventoryRetrievalCompleted'];

export interface NotificationSettingsOptions {
  readonly store: MetadataStore;
  readonly blobs: Pick<BlobStore, 'checkRoom'>;
}

/** Notification configurations: which jobs of a vault are announced, and to which topic. */
export class NotificationSettings {
  readonly #store: MetadataStore;
  readonly #blobs: Pick<BlobStore, 'checkRoom'>;

  constructor({ store, blobs }: NotificationSettingsOptions) {
    this.#store = store;
    this.#blobs = blobs;
  }

  /** Replaces what was set before. An event that is named twice counts once. */
  async set(key: VaultKey, given: NotificationsRow): Promise<void> {
    const snsTopic = checkTopic(given.snsTopic, key.region);
    const unknown = given.events.find((event) => !events.includes(event));
    if (unknown !== undefined) {
      throw invalidParameter(`Invalid vault notification event: ${unknown}`);
    }
    const notifications = { snsTopic, events: [...new Set(given.events)] };
    await whileThereIsRoom(this.#blobs, () => this.#replace(key, notifications));
  }

  /** `404`, with the text that the live service sends, when nothing is set. */
  async get(key: VaultKey): Promise<NotificationsRow> {
    return await this.#store.read(async (rows) => {
      const { vaultId, vaultName } = await vaultAt(rows, key);
      const notifications = await rows.vaultSettings.notifications(vaultId);
      if (notifications !== undefined) return notifications;
      throw new GlacierError(
        'ResourceNotFoundException',
        `No notification configuration is set for vault: ${vaultName}`,
      );
    });
  }

  /** Removes what was set. Nothing being set is fine. */
  async remove(key: VaultKey): Promise<void> {
    await this.#replace(key, null);
  }

  #replace(key: VaultKey, notifications: NotificationsRow | null): Promise<void> {
    return this.#store.write(async (rows) => {
      const { vaultId } = await vaultAt(rows, key);
      await rows.vaultSettings.setNotifications(vaultId, notifications);
    });
  }
}
