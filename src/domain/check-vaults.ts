import type { InventoryPage, InventoryPosition, VaultRow } from '../storage/rows.ts';
import { allVaults, type RowReader } from './check-rows.ts';

const archivesPerPage = 1000;
/** Archives that are forgotten while they are counted are missing from the count. */
const attemptsMax = 3;

/**
 * Vaults whose totals are not those of their archives, as sentences. The archives are counted as
 * they were at the change at which the totals were read, so that others may go on beside this.
 */
export async function* wrongTotals(rows: RowReader, signal: AbortSignal): AsyncGenerator<string> {
  for await (const vault of allVaults(rows)) {
    const problem = await problemOf(rows, vault, signal);
    if (problem !== undefined) yield problem;
  }
}

async function problemOf(
  rows: RowReader,
  vault: VaultRow,
  signal: AbortSignal,
): Promise<string | undefined> {
  let now: VaultRow | undefined = vault;
  let problem: string | undefined;
  for (let attempt = 0; attempt < attemptsMax && now !== undefined; attempt += 1) {
    const held = await countArchives(rows, now, signal);
    if (held.archiveCount === now.archiveCount && held.sizeBytes === now.sizeBytes)
      return undefined;
    problem =
      `Vault ${now.vaultName} of account ${now.accountId} in ${now.region} counts ` +
      `${now.archiveCount} archives of ${now.sizeBytes} bytes, and holds ${held.archiveCount} of ` +
      `${held.sizeBytes} bytes.`;
    now = await rows.read(({ vaults }) => vaults.getById(vault.vaultId));
  }
  // One that was deleted meanwhile has no totals.
  return now === undefined ? undefined : problem;
}

async function countArchives(
  rows: RowReader,
  vault: VaultRow,
  signal: AbortSignal,
): Promise<{ readonly archiveCount: number; readonly sizeBytes: number }> {
  let archiveCount = 0;
  let sizeBytes = 0;
  let after: InventoryPosition | null = null;
  for (;;) {
    signal.throwIfAborted();
    const { archives, next }: InventoryPage = await pageOf(rows, vault, after);
    archiveCount += archives.length;
    for (const archive of archives) sizeBytes += archive.sizeBytes;
    if (next === null) return { archiveCount, sizeBytes };
    after = next;
  }
}

function pageOf(
  rows: RowReader,
  { vaultId, changes }: VaultRow,
  after: InventoryPosition | null,
): Promise<InventoryPage> {
  return rows.read(({ archives }) =>
    archives.listForInventory({
      vaultId,
      asOfChange: changes,
      createdFromMs: null,
      createdBeforeMs: null,
      after,
      limit: archivesPerPage,
    }),
  );
}
