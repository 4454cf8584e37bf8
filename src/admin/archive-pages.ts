import type { MetadataStore, Rows } from '../storage/metadata-store.ts';
import type { NotedArchive, VaultRow } from '../storage/rows.ts';

/** An archive, where it is, and what is known of its bytes. */
export interface ArchiveStatus {
  readonly accountId: string;
  readonly region: string;
  readonly vaultName: string;
  readonly archiveId: string;
  readonly description: string;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  /** When all of its bytes were last read back; null for never. */
  readonly verifiedAtMs: number | null;
  /** What was wrong then, in a sentence; null when every byte was right. */
  readonly damage: string | null;
}

export interface ArchivePageQuery {
  /** Where the last page ended; 0 for the first. */
  readonly after: number;
  /** How many archives are looked at, those of other vaults too. */
  readonly limit: number;
  /** Only archives of vaults of this name, in whatever account and region; null for all. */
  readonly vaultName: string | null;
}

export interface ArchivePage {
  readonly archives: readonly ArchiveStatus[];
  /** Where the next page begins; null when there is none. A page may be empty and not the last. */
  readonly after: number | null;
}

export const archivePageLimitMax = 1000;

/** Some of the archives that are in their vaults, in the order in which they were stored. */
export function archivePage(
  store: Pick<MetadataStore, 'read'>,
  { after, limit, vaultName }: ArchivePageQuery,
): Promise<ArchivePage> {
  return store.read(async (rows) => {
    const found = await rows.verifications.list({ afterOrdinal: after, limit });
    const archives = await withVaults(rows, found);
    const last = found.at(-1);
    // A page of archives that have many blobs is short, and need not be the last.
    const isLast =
      last === undefined || (found.length < limit && !(await isAnyAfter(rows, last.ordinal)));
    return {
      archives: archives.filter((one) => vaultName === null || one.vaultName === vaultName),
      after: isLast ? null : last.ordinal,
    };
  });
}

async function isAnyAfter({ verifications }: Rows, afterOrdinal: number): Promise<boolean> {
  return (await verifications.list({ afterOrdinal, limit: 1 })).length > 0;
}

/** The archives in which the last reading found damage. */
export function damagedArchives(
  store: Pick<MetadataStore, 'read'>,
  limit: number,
): Promise<ArchiveStatus[]> {
  return store.read(async (rows) => withVaults(rows, await rows.verifications.listDamaged(limit)));
}

async function withVaults(
  { vaults }: Rows,
  found: readonly NotedArchive[],
): Promise<ArchiveStatus[]> {
  const known = new Map<string, VaultRow | undefined>();
  const statuses: ArchiveStatus[] = [];
  for (const { archive, last } of found) {
    // Kept for jobs that still read it, or for an inventory: not in the vault any more.
    if (archive.removedChange !== null) continue;
    const { vaultId } = archive;
    if (!known.has(vaultId)) known.set(vaultId, await vaults.getById(vaultId));
    const vault = known.get(vaultId);
    if (vault !== undefined) statuses.push(statusOf(archive, vault, last));
  }
  return statuses;
}

function statusOf(
  { archiveId, description, sizeBytes, createdAtMs }: NotedArchive['archive'],
  { accountId, region, vaultName }: VaultRow,
  last: NotedArchive['last'],
): ArchiveStatus {
  return {
    ...{ accountId, region, vaultName, archiveId, description, sizeBytes, createdAtMs },
    verifiedAtMs: last?.verifiedAtMs ?? null,
    damage: last?.damage ?? null,
  };
}
