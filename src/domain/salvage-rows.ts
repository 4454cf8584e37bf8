import type { Clock } from '../lib/clock.ts';
import type { BlobId, BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore, Rows, WritableRows } from '../storage/metadata-store.ts';
import type { VaultRow } from '../storage/rows.ts';
import type { ArchiveLabel, BlobLabel, UploadedArchiveLabel } from './blob-labels.ts';
import { blobNamedFor } from './named-blobs.ts';
import type { LabelledBlob } from './salvage-labels.ts';

export interface RowOptions {
  readonly store: Pick<MetadataStore, 'read' | 'write'>;
  readonly blobs: Pick<BlobStore, 'describe'>;
  readonly clock: Clock;
  /** Rows of vaults by their ids, for those that have none. */
  readonly vaultRows: ReadonlyMap<string, VaultRow>;
}

/** What became of a blob that no row named, and of which there is a row. */
export type Placed =
  /** The blob that the row named is gone: now it names this one. */
  | 'repointed'
  /** The row has what it needs: this is a copy too many. */
  | 'spare'
  /** There is no row. */
  | 'without-row';

/** What became of a blob with the label of an archive. */
export type MadeRow =
  | { readonly kind: 'archive-made'; readonly isVaultMade: boolean }
  | { readonly kind: 'repointed' }
  | { readonly kind: 'spare' }
  /** Its vault was deleted: there is another one of the same name. */
  | { readonly kind: 'vault-deleted' };

/** Makes the rows of some archives, all in one transaction. */
export async function makeRows(
  found: readonly LabelledBlob<ArchiveLabel>[],
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

/** Has the rows name these blobs whose own are lost. Makes none. */
export async function placeCopies(
  found: readonly LabelledBlob[],
  options: RowOptions,
): Promise<Placed[]> {
  if (found.length === 0) return [];
  const lost = await lostBlobs(found, options);
  const placed: Placed[] = [];
  if (lost.size === 0) {
    return options.store.read(async (rows) => {
      for (const { label } of found) placed.push(await lookAtPlace(rows, label));
      return placed;
    });
  }
  return options.store.write(async (rows) => {
    for (const one of found) placed.push(await placeCopy(rows, one, lost));
    return placed;
  });
}

/** The blobs that rows name for the same as these, and that can't be had. */
async function lostBlobs(
  found: readonly LabelledBlob[],
  { store, blobs }: RowOptions,
): Promise<ReadonlySet<BlobId>> {
  const named = await store.read(async (rows) => {
    const ids: BlobId[] = [];
    for (const { label } of found) {
      const blob = await blobNamedFor(label, rows);
      if (blob) ids.push(blob.blobId);
    }
    return ids;
  });
  const lost = new Set<BlobId>();
  for (const blobId of named) if (await isLost(blobId, blobs)) lost.add(blobId);
  return lost;
}

export async function isLost(blobId: BlobId, blobs: Pick<BlobStore, 'describe'>): Promise<boolean> {
  try {
    await blobs.describe(blobId);
    return false;
  } catch (error) {
    if (!isStoreError(error, 'BlobNotFound') && !isStoreError(error, 'BlobCorrupt')) throw error;
    return true;
  }
}

async function makeRow(
  rows: WritableRows,
  found: LabelledBlob<ArchiveLabel>,
  lost: ReadonlySet<BlobId>,
  { clock, vaultRows }: RowOptions,
): Promise<MadeRow> {
  const placed = await placeCopy(rows, found, lost);
  if (placed !== 'without-row') return { kind: placed };
  const { blobId, label } = found;
  const vault = await ensureVault(rows, label, vaultRows.get(label.vaultId));
  if (vault === 'deleted') return { kind: 'vault-deleted' };
  const { archiveId, vaultId, description, createdAtMs, sizeBytes, treeHash } = label;
  const change = { archives: 1, sizeBytes, atMs: clock.now() } as const;
  const addedChange = await rows.vaults.recordChange(vaultId, change);
  const facts = { archiveId, vaultId, description, createdAtMs, sizeBytes, treeHash };
  await rows.archives.insert({ ...facts, addedChange, removedChange: null }, [
    { blobId, sizeBytes },
  ]);
  return { kind: 'archive-made', isVaultMade: vault === 'made' };
}

/** Of several copies the first takes the place: then nothing names the lost one any more. */
async function placeCopy(
  rows: WritableRows,
  { blobId, label }: LabelledBlob,
  lost: ReadonlySet<BlobId>,
): Promise<Placed> {
  const named = await blobNamedFor(label, rows);
  if (named === undefined) return 'without-row';
  if (named === null || !lost.has(named.blobId)) return 'spare';
  return (await rows.blobs.repoint(named.blobId, blobId)) ? 'repointed' : 'spare';
}

async function lookAtPlace(rows: Rows, label: BlobLabel): Promise<Placed> {
  return (await blobNamedFor(label, rows)) === undefined ? 'without-row' : 'spare';
}

export async function ensureVault(
  { vaults }: WritableRows,
  label: ArchiveLabel | UploadedArchiveLabel,
  row: VaultRow | undefined,
): Promise<'there' | 'made' | 'deleted'> {
  if ((await vaults.getById(label.vaultId)) !== undefined) return 'there';
  const isNameFree = row !== undefined && (await vaults.get(label)) === undefined;
  if (!isNameFree) return 'deleted';
  await vaults.insert(row);
  return 'made';
}
