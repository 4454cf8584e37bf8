import type { Bell } from '../lib/bell.ts';
import type { Clock } from '../lib/clock.ts';
import { sha256 } from '../lib/node/sha256.ts';
import { type RandomBytes, randomId } from '../lib/random.ts';
import { GlacierError, invalidParameter } from '../protocol/errors.ts';
import { idLengths, isArchiveId, vaultArn } from '../protocol/names.ts';
import { toHex, treeHash } from '../protocol/tree-hash.ts';
import type { BlobStore, StoredBlob } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore, Rows } from '../storage/metadata-store.ts';
import type { ArchiveRow, VaultKey, VaultRow } from '../storage/rows.ts';
import { vaultAt } from './vaults.ts';

/** An archive on its way in. */
export interface IncomingArchive {
  readonly vault: VaultKey;
  readonly description: string | undefined;
  /** What the caller says its tree hash is: hexadecimal digits. */
  readonly treeHash: string;
  /** Its bytes. Throws at its end when they are not what the caller signed. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

export interface ArchivesOptions {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  /** Rung when an archive was removed. */
  readonly removals: Bell;
}

/**
 * Archives: stored whole or not at all, never changed.
 *
 * 1. An archive is acknowledged only after its bytes are synced and its row is committed.
 * 2. No committed row names a blob that is not durable.
 * 3. Nothing else in the server removes an archive from a vault.
 */
export class Archives {
  readonly #store: MetadataStore;
  readonly #blobs: BlobStore;
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;
  readonly #removals: Bell;

  constructor({ store, blobs, clock, randomBytes, removals }: ArchivesOptions) {
    this.#store = store;
    this.#blobs = blobs;
    this.#clock = clock;
    this.#randomBytes = randomBytes;
    this.#removals = removals;
  }

  /** Stores the archive, and answers once no crash can lose it. */
  async store(archive: IncomingArchive): Promise<{
    readonly archiveId: string;
    readonly treeHash: string;
  }> {
    // Looked up again in the transaction that adds the row.
    await this.#store.preview((rows) => vaultAt(rows, archive.vault));
    const blob = await this.#blobs.write(archive.body, archive.signal);
    try {
      const computed = toHex(treeHash(blob.leaves, sha256));
      if (computed !== archive.treeHash.toLowerCase()) {
        throw invalidParameter(
          `Checksum mismatch: expected ${archive.treeHash}, computed ${computed}`,
        );
      }
      return { archiveId: await this.#insert(archive, blob, computed), treeHash: computed };
    } catch (error) {
      // What was not acknowledged leaves nothing behind. Were the row there after all, because the
      // answer of its commit was lost, the bytes would have to stay.
      if (!isStoreError(error, 'StoreUnavailable')) await this.#removeQuietly(blob);
      throw error;
    }
  }

  /**
   * Takes the archive out of the vault. One that is gone, or never was, is fine: the developer guide
   * says that the operation is idempotent. Its bytes go when no job needs them any more.
   */
  async remove(key: VaultKey, archiveId: string): Promise<void> {
    await this.#store.write(async (rows) => {
      const vault = await vaultAt(rows, key);
      if (!isArchiveId(archiveId)) throw archiveNotFound(archiveId);
      const archive = await findArchive(rows, key, vault, archiveId);
      if (archive === undefined) return;
      const change = await rows.vaults.recordChange(vault.vaultId, {
        archives: -1,
        sizeBytes: -archive.sizeBytes,
        atMs: this.#clock.now(),
      });
      await rows.archives.markRemoved(archiveId, change);
    });
    this.#removals.ring();
  }

  /** The caller is owed the error that made the bytes superfluous, and not one about them. */
  async #removeQuietly({ id }: StoredBlob): Promise<void> {
    try {
      await this.#blobs.remove(id);
    } catch {
      // No row names it: the sweeper of orphans finds it.
    }
  }

  /** One transaction: the archive's row, and the vault's totals. */
  #insert(archive: IncomingArchive, blob: StoredBlob, computedTreeHash: string): Promise<string> {
    const archiveId = randomId(this.#randomBytes, idLengths.archive);
    const { sizeBytes } = blob;
    return this.#store.write(async (rows) => {
      const { vaultId } = await vaultAt(rows, archive.vault);
      const createdAtMs = this.#clock.now();
      const addedChange = await rows.vaults.recordChange(vaultId, {
        archives: 1,
        sizeBytes,
        atMs: createdAtMs,
      });
      await rows.archives.insert(
        {
          archiveId,
          vaultId,
          description: archive.description ?? '',
          createdAtMs,
          sizeBytes,
          treeHash: computedTreeHash,
          addedChange,
          removedChange: null,
        },
        [{ blobId: blob.id, sizeBytes }],
      );
      return archiveId;
    });
  }
}

/** The archive in the vault, or undefined when it was removed or never was. */
export async function findArchive(
  rows: Rows,
  key: VaultKey,
  vault: VaultRow,
  archiveId: string,
): Promise<ArchiveRow | undefined> {
  const archive = await rows.archives.get(archiveId);
  if (archive === undefined || archive.removedChange !== null) return undefined;
  if (archive.vaultId !== vault.vaultId) {
    // Misleading, but it is what the live service says of an archive that lives in another vault.
    throw invalidParameter(`Invalid vault name: ${vaultArn(key)}`);
  }
  return archive;
}

export function archiveNotFound(archiveId: string): GlacierError {
  return new GlacierError(
    'ResourceNotFoundException',
    `The archive ID was not found: ${archiveId}`,
  );
}
