import { defined } from '../lib/assert.ts';
import type { Bell } from '../lib/bell.ts';
import type { Clock } from '../lib/clock.ts';
import { datedId, type RandomBytes } from '../lib/random.ts';
import { GlacierError, invalidParameter } from '../protocol/errors.ts';
import { idLengths, isArchiveId, vaultArn } from '../protocol/names.ts';
import type { BlobContent, BlobId, BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore, Rows } from '../storage/metadata-store.ts';
import type { ArchiveRow, VaultKey, VaultRow } from '../storage/rows.ts';
import { claimedTreeHash } from './archive-hashes.ts';
import { type ArchiveLabel, encodeBlobLabel } from './blob-labels.ts';
import { commitBlobs } from './new-blobs.ts';
import type { Pins } from './pins.ts';
import { whileBytesAreTaken } from './room.ts';
import { vaultAt, vaultNotFound } from './vaults.ts';

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
  readonly pins: Pins;
  /** Rung when an archive was removed. */
  readonly removals: Bell;
}

/**
 * Archives: stored whole or not at all, never changed.
 *
 * 1. An archive is acknowledged only after its bytes are synced and its row is committed.
 * 2. No committed row names a blob that is not durable.
 * 3. The label of its bytes says what its row says.
 * 4. Nothing else in the server removes an archive from a vault.
 */
export class Archives {
  readonly #store: MetadataStore;
  readonly #blobs: BlobStore;
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;
  readonly #pins: Pins;
  readonly #removals: Bell;

  constructor({ store, blobs, clock, randomBytes, pins, removals }: ArchivesOptions) {
    this.#store = store;
    this.#blobs = blobs;
    this.#clock = clock;
    this.#randomBytes = randomBytes;
    this.#pins = pins;
    this.#removals = removals;
  }

  /** Stores the archive, and answers once no crash can lose it. */
  store(archive: IncomingArchive): Promise<{
    readonly archiveId: string;
    readonly treeHash: string;
  }> {
    const stores = { store: this.#store, blobs: this.#blobs };
    return whileBytesAreTaken(stores, () => this.#keep(archive));
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

  async #keep(archive: IncomingArchive): Promise<ArchiveLabel> {
    // Looked up again in the transaction that adds the row.
    const { vaultId } = await this.#store.preview((rows) => vaultAt(rows, archive.vault));
    const atMs = this.#clock.now();
    const archiveId = datedId(this.#randomBytes, { atMs, length: idLengths.archive });
    let label: ArchiveLabel | undefined;
    const blob = await this.#blobs.write(archive.body, {
      signal: archive.signal,
      label: (content) => {
        label = this.#labelOf(archive, { vaultId, archiveId }, content);
        return encodeBlobLabel(label);
      },
    });
    const facts = defined(label, 'the label of a blob that was written');
    await commitBlobs([blob.id], { blobs: this.#blobs, pins: this.#pins }, async () => {
      await this.#insert(facts, blob.id);
      return [blob.id];
    });
    return facts;
  }

  /** What is known of the archive now that all its bytes are there; throws when they are not right. */
  #labelOf(
    { vault, description, treeHash }: IncomingArchive,
    ids: { readonly vaultId: string; readonly archiveId: string },
    { sizeBytes, leaves }: BlobContent,
  ): ArchiveLabel {
    return {
      kind: 'archive',
      version: 1,
      accountId: vault.accountId,
      region: vault.region,
      vaultName: vault.vaultName,
      ...ids,
      description: description ?? '',
      createdAtMs: this.#clock.now(),
      sizeBytes,
      treeHash: claimedTreeHash(treeHash, leaves),
    };
  }

  /** One transaction: the archive's row, which says what its label says, and the vault's totals. */
  #insert(label: ArchiveLabel, blobId: BlobId): Promise<void> {
    const { archiveId, vaultId, description, createdAtMs, sizeBytes, treeHash } = label;
    return this.#store.write(async (rows) => {
      const vault = await vaultAt(rows, label);
      // Deleted meanwhile, and another one made under its name: the label would name a vault that
      // is gone.
      if (vault.vaultId !== vaultId) throw vaultNotFound(label);
      const addedChange = await rows.vaults.recordChange(vaultId, {
        archives: 1,
        sizeBytes,
        atMs: this.#clock.now(),
      });
      await rows.archives.insert(
        {
          archiveId,
          vaultId,
          description,
          createdAtMs,
          sizeBytes,
          treeHash,
          addedChange,
          removedChange: null,
        },
        [{ blobId, sizeBytes }],
      );
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
  if (archive.vaultId === vault.vaultId) return archive;
  const other = await rows.vaults.getById(archive.vaultId);
  // What another account has, or this one in another region, is not told of.
  if (other?.accountId !== key.accountId || other.region !== key.region) return undefined;
  // Misleading, but it is what the live service says of an archive that lives in another vault.
  throw invalidParameter(`Invalid vault name: ${vaultArn(key)}`);
}

export function archiveNotFound(archiveId: string): GlacierError {
  return new GlacierError(
    'ResourceNotFoundException',
    `The archive ID was not found: ${archiveId}`,
  );
}
