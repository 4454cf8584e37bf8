import type { Clock } from '../lib/clock.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore } from '../storage/metadata-store.ts';
import { Findings } from './check-findings.ts';
import { allVaults } from './check-rows.ts';
import { readLabels, type UnreadableBlob } from './salvage-labels.ts';
import { type MadeRow, makeRows } from './salvage-rows.ts';
import { FoundVaults } from './salvage-vaults.ts';

export interface SalvageOptions {
  readonly store: Pick<MetadataStore, 'read' | 'write'>;
  readonly blobs: Pick<BlobStore, 'list' | 'describe'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told how many blobs were looked at so far. Each is looked at twice. */
  readonly onProgress?: (blobsSeen: number) => void;
}

export interface SalvageReport {
  readonly vaultsMade: number;
  readonly archivesMade: number;
  /** Archives whose row named a blob that is gone or damaged, and names another copy now. */
  readonly archivesRepointed: number;
  /** Archives that were not made: their vault was deleted, since another one has its name. */
  readonly archivesOfDeletedVaults: number;
  /** Of the blobs without a row. The list holds the first 10,000. */
  readonly blobsUnreadableCount: number;
  readonly blobsUnreadable: readonly UnreadableBlob[];
  /** Blobs without a row whose label is none of an archive: outputs of inventory jobs, say. */
  readonly blobsWithoutLabelOfArchive: number;
  /** Accounts that own vaults and have no row: nobody can sign in as one of these. */
  readonly accountsWithoutRow: readonly string[];
}

/**
 * Makes rows again out of the labels of blobs, where rows were lost for good: for every archive whose
 * bytes are there and that has no row, its row, with its vault if that is missing too. What no label
 * tells of is not made: access keys, jobs, empty vaults, inventories. An archive whose deletion was
 * lost with the rows is there again, as long as its bytes still are.
 *
 * Nothing that is there is changed, but for rows whose blob is not. Run again, it changes nothing
 * more. Nobody else may write to the stores meanwhile.
 */
export async function salvage(options: SalvageOptions): Promise<SalvageReport> {
  const vaults = new FoundVaults();
  const unreadable = new Findings<UnreadableBlob>();
  let otherCount = 0;
  let seenCount = 0;
  // Twice: when a vault was made is known only once all its archives were seen.
  for await (const batch of readLabels(options)) {
    for (const { label } of batch.archives) vaults.add(label);
    for (const blob of batch.unreadable) unreadable.add(blob);
    otherCount += batch.otherCount;
    seenCount += batch.seenCount;
    options.onProgress?.(seenCount);
  }
  const vaultRows = vaults.rows();
  const made: Record<MadeRow['kind'] | 'vault-made', number> = {
    'vault-made': 0,
    'archive-made': 0,
    repointed: 0,
    spare: 0,
    'vault-deleted': 0,
  };
  for await (const batch of readLabels(options)) {
    for (const row of await makeRows(batch.archives, { ...options, vaultRows })) {
      made[row.kind] += 1;
      if (row.kind === 'archive-made' && row.isVaultMade) made['vault-made'] += 1;
    }
    seenCount += batch.seenCount;
    options.onProgress?.(seenCount);
  }
  return {
    vaultsMade: made['vault-made'],
    archivesMade: made['archive-made'],
    archivesRepointed: made.repointed,
    archivesOfDeletedVaults: made['vault-deleted'],
    blobsUnreadableCount: unreadable.count,
    blobsUnreadable: unreadable.kept,
    blobsWithoutLabelOfArchive: otherCount,
    accountsWithoutRow: await accountsWithoutRow(options),
  };
}

async function accountsWithoutRow({ store }: SalvageOptions): Promise<string[]> {
  const owners = new Set<string>();
  for await (const { accountId } of allVaults(store)) owners.add(accountId);
  return store.read(async ({ accounts }) => {
    const missing: string[] = [];
    for (const accountId of owners) {
      if ((await accounts.get(accountId)) === undefined) missing.push(accountId);
    }
    return missing.sort();
  });
}
