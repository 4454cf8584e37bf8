import { sql } from 'kysely';
import { defined } from '../../lib/assert.ts';
import type { VaultReader, VaultWriter } from '../metadata-store.ts';
import type { AccountRegion, InventoryFacts, VaultKey, VaultRow } from '../rows.ts';
import type { VaultsTable } from './schema.ts';
import { type Compile, columnsOf } from './statements.ts';

export function vaultWriter(compile: Compile): VaultWriter {
  const insert = compile((db, p: VaultsTable) =>
    db.insertInto('vaults').values(columnsOf(p, columnNames)),
  );
  const recordChange = compile(
    (db, p: { vaultId: string; archives: number; sizeBytes: number; atMs: number }) =>
      db
        .updateTable('vaults')
        .set((eb) => ({
          archive_count: eb('archive_count', '+', p.archives),
          size_bytes: eb('size_bytes', '+', p.sizeBytes),
          changes: eb('changes', '+', sql.lit(1)),
          changed_at_ms: p.atMs,
        }))
        .where('vault_id', '=', p.vaultId)
        .returning('changes'),
  );
  const setLastInventory = compile((db, p: InventoryFacts & { vaultId: string }) =>
    db
      .updateTable('vaults')
      .set({
        inventory_taken_at_ms: p.takenAtMs,
        inventory_as_of_change: p.asOfChange,
        inventory_archive_count: p.archiveCount,
        inventory_size_bytes: p.sizeBytes,
      })
      .where('vault_id', '=', p.vaultId)
      .returning('vault_id'),
  );
  const clearLastInventories = compile((db) =>
    db
      .updateTable('vaults')
      .set({
        inventory_taken_at_ms: null,
        inventory_as_of_change: null,
        inventory_archive_count: null,
        inventory_size_bytes: null,
      })
      .where('inventory_taken_at_ms', 'is not', null),
  );
  // Its jobs go with it: their foreign key says so.
  const remove = compile((db, p: { vaultId: string }) =>
    db.deleteFrom('vaults').where('vault_id', '=', p.vaultId),
  );

  return {
    ...vaultReader(compile),
    async insert(vault) {
      insert.run(tableRow(vault));
    },
    async recordChange(vaultId, change) {
      return defined(recordChange.get({ vaultId, ...change }), `vault ${vaultId}`).changes;
    },
    async setLastInventory(vaultId, inventory) {
      defined(setLastInventory.get({ vaultId, ...inventory }), `vault ${vaultId}`);
    },
    async clearLastInventories() {
      clearLastInventories.run({});
    },
    async remove(vaultId) {
      remove.run({ vaultId });
    },
  };
}

export function vaultReader(compile: Compile): VaultReader {
  const get = compile((db, p: VaultKey) =>
    db
      .selectFrom('vaults')
      .selectAll()
      .where('account_id', '=', p.accountId)
      .where('region', '=', p.region)
      .where('vault_name', '=', p.vaultName),
  );
  const getById = compile((db, p: { vaultId: string }) =>
    db.selectFrom('vaults').selectAll().where('vault_id', '=', p.vaultId),
  );
  const list = compile(
    (db, p: { accountId: string; region: string; after: string; limit: number }) =>
      db
        .selectFrom('vaults')
        .selectAll()
        .where('account_id', '=', p.accountId)
        .where('region', '=', p.region)
        .where('vault_name', '>', p.after)
        .orderBy('vault_name')
        .limit(p.limit),
  );
  const listAll = compile((db, p: { after: string; limit: number }) =>
    db
      .selectFrom('vaults')
      .selectAll()
      .where('vault_id', '>', p.after)
      .orderBy('vault_id')
      .limit(p.limit),
  );
  // Spelt as in the partial index over it.
  const dueFrom = sql<number>`coalesce(inventory_taken_at_ms, created_at_ms)`;
  const listDue = compile((db, p: { dueBeforeMs: number; limit: number }) =>
    db
      .selectFrom('vaults')
      .selectAll()
      .where(sql<boolean>`(inventory_as_of_change IS NULL OR changes > inventory_as_of_change)`)
      .where(dueFrom, '<=', p.dueBeforeMs)
      .orderBy(dueFrom)
      .orderBy('vault_id')
      .limit(p.limit),
  );

  return {
    async get(key) {
      const row = get.get(key);
      return row && vaultRow(row);
    },
    async getById(vaultId) {
      const row = getById.get({ vaultId });
      return row && vaultRow(row);
    },
    async list(query) {
      // No vault has an empty name.
      return list.all({ ...query, after: query.after ?? '' }).map(vaultRow);
    },
    async listAll({ after, limit }) {
      // No vault has an empty id.
      return listAll.all({ after: after ?? '', limit }).map(vaultRow);
    },
    count: vaultCount(compile),
    async listDueForInventory(dueBeforeMs, limit) {
      return listDue.all({ dueBeforeMs, limit }).map(vaultRow);
    },
  };
}

function vaultCount(compile: Compile): VaultReader['count'] {
  const count = compile((db, p: AccountRegion & { countMax: number }) =>
    db
      .selectFrom((eb) =>
        eb
          .selectFrom('vaults')
          .select('vault_name')
          .where('account_id', '=', p.accountId)
          .where('region', '=', p.region)
          .limit(p.countMax)
          .as('counted'),
      )
      .select((eb) => eb.fn.countAll<number>().as('count')),
  );
  return async (query) => defined(count.get(query), 'count').count;
}

function vaultRow(row: VaultsTable): VaultRow {
  return {
    vaultId: row.vault_id,
    accountId: row.account_id,
    region: row.region,
    vaultName: row.vault_name,
    createdAtMs: row.created_at_ms,
    archiveCount: row.archive_count,
    sizeBytes: row.size_bytes,
    changes: row.changes,
    changedAtMs: row.changed_at_ms,
    lastInventory: lastInventory(row),
  };
}

function lastInventory(row: VaultsTable): InventoryFacts | null {
  if (row.inventory_taken_at_ms === null) return null;
  return {
    takenAtMs: row.inventory_taken_at_ms,
    asOfChange: defined(row.inventory_as_of_change, 'inventory_as_of_change'),
    archiveCount: defined(row.inventory_archive_count, 'inventory_archive_count'),
    sizeBytes: defined(row.inventory_size_bytes, 'inventory_size_bytes'),
  };
}

function tableRow(vault: VaultRow): VaultsTable {
  return {
    vault_id: vault.vaultId,
    account_id: vault.accountId,
    region: vault.region,
    vault_name: vault.vaultName,
    created_at_ms: vault.createdAtMs,
    archive_count: vault.archiveCount,
    size_bytes: vault.sizeBytes,
    changes: vault.changes,
    changed_at_ms: vault.changedAtMs,
    inventory_taken_at_ms: vault.lastInventory?.takenAtMs ?? null,
    inventory_as_of_change: vault.lastInventory?.asOfChange ?? null,
    inventory_archive_count: vault.lastInventory?.archiveCount ?? null,
    inventory_size_bytes: vault.lastInventory?.sizeBytes ?? null,
  };
}

const columnNames = [
  'vault_id',
  'account_id',
  'region',
  'vault_name',
  'created_at_ms',
  'archive_count',
  'size_bytes',
  'changes',
  'changed_at_ms',
  'inventory_taken_at_ms',
  'inventory_as_of_change',
  'inventory_archive_count',
  'inventory_size_bytes',
] as const satisfies readonly (keyof VaultsTable)[];
