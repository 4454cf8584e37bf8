import type { Clock } from '../lib/clock.ts';
import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore, WritableRows } from '../storage/metadata-store.ts';
import type { VaultRow } from '../storage/rows.ts';
import type { ArchiveLabel } from './blob-labels.ts';
import type { LabelledBlob } from './salvage-labels.ts';

export interface RowOptions {
  readonly store: Pick<MetadataStore, 'read' | 'write'>;
  readonly blobs: Pick<BlobStore, 'describe'>;
  readonly clock: Clock;
  /** Rows of vaults by their ids, for those that have none. */
  readonly vaultRows: ReadonlyMap<string, VaultRow>;
}

/** What became of a blob that no row named. */
export type MadeRow =
  | { readonly kind: 'archive-made'; readonly isVaultMade: boolean }
  /** The archive has a row, whose blob is gone: now it names this one. */
  | { readonly kind: 'repointed' }
  /** The archive has a row, and its bytes: this is a copy too many. */
  | { readonly kind: 'spare' }
  /** Its vault was deleted: there is another one of the same name. */
  | { readonly kind: 'vault-deleted' };

/** Makes the rows of some archives, all in one transaction. */
export async function makeRows(
  found: readonly LabelledBlob[],
  options: RowOptions,
): Promise<MadeRow[]> {
  if (found.length === 0) return [];
  const lost = await lostBlobs(found, options);
  return options.store.write(async (rows) => {
    const made: MadeRow[] = [];
    for (const one of found) made.push(await makeRow(rows, one, lost, options));
    return made;
  });
}

/** The blobs that the rows of these archives name, and that can't be had. */
async function lostBlobs(
  found: readonly LabelledBlob[],
  { store, blobs }: RowOptions,
): Promise<ReadonlySet<BlobId>> {
  const named = await store.read(async ({ archives }) => {
    const parts = [];
    for (const { label } of found) parts.push(...(await archives.blobs(label.archiveId)));
    return parts;
  });
  const lost = new Set<BlobId>();
  for (const { blobId } of named) {
    try {
      await blobs.describe(blobId);
    } catch (error) {
      if (!isStoreError(error, 'BlobNotFound') && !isStoreError(error, 'BlobCorrupt')) throw error;
      lost.add(blobId);
    }
  }
  return lost;
}

async function makeRow(
  rows: WritableRows,
  { blobId, label }: LabelledBlob,
  lost: ReadonlySet<BlobId>,
  { clock, vaultRows }: RowOptions,
): Promise<MadeRow> {
  const { archiveId, vaultId, description, createdAtMs, sizeBytes, treeHash } = label;
  if ((await rows.archives.get(archiveId)) !== undefined) {
    const [part, ...others] = await rows.archives.blobs(archiveId);
    if (part === undefined || others.length > 0 || !lost.has(part.blobId)) return { kind: 'spare' };
    // Of several copies the first takes the place: then nothing names the lost one any more.
    return { kind: (await rows.blobs.repoint(part.blobId, blobId)) ? 'repointed' : 'spare' };
  }
  const vault = await ensureVault(rows, label, vaultRows.get(vaultId));
  if (vault === 'deleted') return { kind: 'vault-deleted' };
  const change = { archives: 1, sizeBytes, atMs: clock.now() } as const;
  const addedChange = await rows.vaults.recordChange(vaultId, change);
  const facts = { archiveId, vaultId, description, createdAtMs, sizeBytes, treeHash };
  await rows.archives.insert({ ...facts, addedChange, removedChange: null }, [
    { blobId, sizeBytes },
  ]);
  return { kind: 'archive-made', isVaultMade: vault === 'made' };
}

async function ensureVault(
  { vaults }: WritableRows,
  label: ArchiveLabel,
  row: VaultRow | undefined,
): Promise<'there' | 'made' | 'deleted'> {
  if ((await vaults.getById(label.vaultId)) !== undefined) return 'there';
  const isNameFree = row !== undefined && (await vaults.get(label)) === undefined;
  if (!isNameFree) return 'deleted';
  await vaults.insert(row);
  return 'made';
}
