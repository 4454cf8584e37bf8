import type { MetadataStore } from '../storage/metadata-store.ts';
import type { VaultRow, VerifiableArchive } from '../storage/rows.ts';

const vaultsPerPage = 1000;
const archivesPerPage = 100;

/** Whoever reads rows, and changes none. */
export type RowReader = Pick<MetadataStore, 'read'>;

/** Every vault there is. Those that come or go meanwhile may be missing. */
export async function* allVaults(rows: RowReader): AsyncGenerator<VaultRow> {
  let after: string | null = null;
  for (;;) {
    const page: VaultRow[] = await pageOfVaults(rows, after);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.vaultId;
  }
}

function pageOfVaults(rows: RowReader, after: string | null): Promise<VaultRow[]> {
  return rows.read(({ vaults }) => vaults.listAll({ after, limit: vaultsPerPage }));
}

/** An archive, and the row of its vault when there is one. */
export interface ArchiveInVault extends VerifiableArchive {
  readonly vault: VaultRow | undefined;
}

/** Every archive that is not forgotten, in the order in which they were added. */
export async function* allArchives(rows: RowReader): AsyncGenerator<ArchiveInVault> {
  let afterOrdinal = 0;
  for (;;) {
    const page = await pageOfArchives(rows, afterOrdinal);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    afterOrdinal = last.ordinal;
  }
}

function pageOfArchives(rows: RowReader, afterOrdinal: number): Promise<ArchiveInVault[]> {
  return rows.read(async ({ verifications, vaults }) => {
    const page = await verifications.list({ afterOrdinal, limit: archivesPerPage });
    const found = new Map<string, VaultRow | undefined>();
    for (const { vaultId } of page.map(({ archive }) => archive)) {
      if (!found.has(vaultId)) found.set(vaultId, await vaults.getById(vaultId));
    }
    return page.map((one) => ({ ...one, vault: found.get(one.archive.vaultId) }));
  });
}
