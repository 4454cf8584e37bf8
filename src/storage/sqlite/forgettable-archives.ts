import { type Compilable, type Kysely, sql } from 'kysely';
import type { ArchivesTable, Tables } from './schema.ts';

/**
 * Removed archives that nobody needs any more.
 *
 * A vault may hold a million removed archives that its last inventory still shows. So this never
 * looks at those: it skips from vault to vault along the index of removed archives, and in each
 * looks only at what was removed by the last inventory, or added after it. Without an inventory,
 * or without a vault row, that is everything removed.
 */
export function forgettableArchives(
  db: Kysely<Tables>,
  p: { readonly nowMs: number; readonly limit: number; readonly passedOver: number },
): Compilable<ArchivesTable> {
  // Stands for the last inventory where there is none: every change lies before it.
  const afterAll = sql.lit(Number.MAX_SAFE_INTEGER);
  const isNeeded = sql<boolean>`
    EXISTS (
      SELECT 1 FROM jobs
      WHERE jobs.archive_id = a.archive_id AND (
        jobs.status = 'InProgress' OR
        (jobs.status = 'Succeeded' AND jobs.expires_at_ms > ${p.nowMs})
      )
    ) OR EXISTS (
      SELECT 1 FROM jobs
      WHERE jobs.vault_id = a.vault_id AND jobs.status = 'InProgress'
        AND jobs.as_of_change >= a.added_change AND jobs.as_of_change < a.removed_change
    )`;
  const query = sql<ArchivesTable>`
    WITH RECURSIVE touched (vault_id) AS (
      SELECT min(vault_id) FROM archives WHERE removed_change IS NOT NULL
      UNION ALL
      SELECT (
        SELECT min(vault_id) FROM archives
        WHERE removed_change IS NOT NULL AND archives.vault_id > touched.vault_id
      )
      FROM touched WHERE touched.vault_id IS NOT NULL
    ), inventoried (vault_id, as_of_change) AS (
      SELECT touched.vault_id, coalesce((
        SELECT inventory_as_of_change FROM vaults WHERE vaults.vault_id = touched.vault_id
      ), ${afterAll})
      FROM touched WHERE touched.vault_id IS NOT NULL
    )
    SELECT a.* FROM inventoried AS i CROSS JOIN archives AS a INDEXED BY archives_removed
    WHERE a.vault_id = i.vault_id AND a.removed_change IS NOT NULL
      AND a.removed_change <= i.as_of_change AND NOT (${isNeeded})
    UNION ALL
    SELECT a.* FROM inventoried AS i
      CROSS JOIN archives AS a INDEXED BY archives_removed_by_addition
    WHERE a.vault_id = i.vault_id AND a.removed_change IS NOT NULL
      AND a.added_change > i.as_of_change AND NOT (${isNeeded})
    LIMIT ${p.limit} OFFSET ${p.passedOver}`;
  return { compile: () => query.compile(db) };
}
