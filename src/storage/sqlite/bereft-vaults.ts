import { type Compilable, type Kysely, sql } from 'kysely';
import type { Tables } from './schema.ts';

/**
 * Vaults that have no row, and uploads that are open. It skips from vault to vault along the index of
 * open uploads: there may be very many of one.
 */
export function bereftVaults(
  db: Kysely<Tables>,
  p: { readonly limit: number },
): Compilable<{ readonly vault_id: string }> {
  const query = sql<{ readonly vault_id: string }>`
    WITH RECURSIVE touched (vault_id) AS (
      SELECT min(vault_id) FROM uploads WHERE state = 'Open'
      UNION ALL
      SELECT (
        SELECT min(vault_id) FROM uploads
        WHERE state = 'Open' AND uploads.vault_id > touched.vault_id
      )
      FROM touched WHERE touched.vault_id IS NOT NULL
    )
    SELECT touched.vault_id FROM touched
    WHERE touched.vault_id IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM vaults WHERE vaults.vault_id = touched.vault_id)
    LIMIT ${p.limit}`;
  return { compile: () => query.compile(db) };
}
