import { allVaults, type RowReader } from '../domain/check-rows.ts';

/** More damaged archives than this are not counted: by then their number says nothing more. */
const damagedMax = 10_000;

/** What there is to read, about: archives that were removed and not forgotten are left out. */
export interface StoredTotals {
  readonly archiveCount: number;
  readonly sizeBytes: number;
  /** Archives in their vaults in which the last reading found damage. */
  readonly damagedCount: number;
}

export const noTotals: StoredTotals = { archiveCount: 0, sizeBytes: 0, damagedCount: 0 };

export async function totalsOf(rows: RowReader): Promise<StoredTotals> {
  let archiveCount = 0;
  let sizeBytes = 0;
  for await (const vault of allVaults(rows)) {
    archiveCount += vault.archiveCount;
    sizeBytes += vault.sizeBytes;
  }
  const damaged = await rows.read(({ verifications }) => verifications.listDamaged(damagedMax));
  return { archiveCount, sizeBytes, damagedCount: damaged.length };
}
