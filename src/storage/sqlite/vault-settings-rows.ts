import type { VaultSettingsReader, VaultSettingsWriter } from '../metadata-store.ts';
import type { NotificationsRow, VaultLockRow } from '../rows.ts';
import type { VaultLocksTable, VaultNotificationsTable, VaultTagsTable } from './schema.ts';
import { type Compile, columnsOf } from './statements.ts';

export function vaultSettingsWriter(compile: Compile): VaultSettingsWriter {
  return {
    ...vaultSettingsReader(compile),
    ...tagWriter(compile),
    ...notificationsWriter(compile),
    ...accessPolicyWriter(compile),
    ...lockWriter(compile),
  };
}

export function vaultSettingsReader(compile: Compile): VaultSettingsReader {
  const tags = compile((db, p: OfVault) =>
    db
      .selectFrom('vault_tags')
      .select(['key', 'value'])
      .where('vault_id', '=', p.vaultId)
      .orderBy('key'),
  );
  const notifications = compile((db, p: OfVault) =>
    db.selectFrom('vault_notifications').selectAll().where('vault_id', '=', p.vaultId),
  );
  const accessPolicy = compile((db, p: OfVault) =>
    db.selectFrom('vault_access_policies').select('policy').where('vault_id', '=', p.vaultId),
  );
  const lock = compile((db, p: OfVault) =>
    db.selectFrom('vault_locks').selectAll().where('vault_id', '=', p.vaultId),
  );
  const listExpiredLocks = compile((db, p: { nowMs: number; limit: number }) =>
    db
      .selectFrom('vault_locks')
      .select('vault_id')
      .where('expires_at_ms', '<=', p.nowMs)
      .orderBy('expires_at_ms')
      .orderBy('vault_id')
      .limit(p.limit),
  );

  return {
    async tags(vaultId) {
      return tags.all({ vaultId });
    },
    async notifications(vaultId) {
      const row = notifications.get({ vaultId });
      return row && notificationsRow(row);
    },
    async accessPolicy(vaultId) {
      return accessPolicy.get({ vaultId })?.policy;
    },
    async lock(vaultId) {
      const row = lock.get({ vaultId });
      return row && lockRow(row);
    },
    async listExpiredLocks(nowMs, limit) {
      return listExpiredLocks.all({ nowMs, limit }).map((row) => row.vault_id);
    },
  };
}

interface OfVault {
  readonly vaultId: string;
}

/** The methods of the writer that the reader has not. */
type Changes<M extends Exclude<keyof VaultSettingsWriter, keyof VaultSettingsReader>> = Pick<
  VaultSettingsWriter,
  M
>;

function tagWriter(compile: Compile): Changes<'putTags' | 'removeTags'> {
  const put = compile((db, p: VaultTagsTable) =>
    db
      .insertInto('vault_tags')
      .values(columnsOf(p, ['vault_id', 'key', 'value']))
      .onConflict((conflict) =>
        conflict
          .columns(['vault_id', 'key'])
          .doUpdateSet((eb) => ({ value: eb.ref('excluded.value') })),
      ),
  );
  const remove = compile((db, p: OfVault & { key: string }) =>
    db.deleteFrom('vault_tags').where('vault_id', '=', p.vaultId).where('key', '=', p.key),
  );

  return {
    async putTags(vaultId, tags) {
      for (const { key, value } of tags) put.run({ vault_id: vaultId, key, value });
    },
    async removeTags(vaultId, keys) {
      for (const key of keys) remove.run({ vaultId, key });
    },
  };
}

function notificationsWriter(compile: Compile): Changes<'setNotifications'> {
  const set = compile((db, p: VaultNotificationsTable) =>
    db
      .insertInto('vault_notifications')
      .values(columnsOf(p, ['vault_id', 'sns_topic', 'events']))
      .onConflict((conflict) =>
        conflict.column('vault_id').doUpdateSet((eb) => ({
          sns_topic: eb.ref('excluded.sns_topic'),
          events: eb.ref('excluded.events'),
        })),
      ),
  );
  const remove = compile((db, p: OfVault) =>
    db.deleteFrom('vault_notifications').where('vault_id', '=', p.vaultId),
  );

  return {
    async setNotifications(vaultId, notifications) {
      if (notifications === null) {
        remove.run({ vaultId });
        return;
      }
      const { snsTopic, events } = notifications;
      set.run({ vault_id: vaultId, sns_topic: snsTopic, events: JSON.stringify(events) });
    },
  };
}

function accessPolicyWriter(compile: Compile): Changes<'setAccessPolicy'> {
  const set = compile((db, p: OfVault & { policy: string }) =>
    db
      .insertInto('vault_access_policies')
      .values({ vault_id: p.vaultId, policy: p.policy })
      .onConflict((conflict) =>
        conflict.column('vault_id').doUpdateSet((eb) => ({ policy: eb.ref('excluded.policy') })),
      ),
  );
  const remove = compile((db, p: OfVault) =>
    db.deleteFrom('vault_access_policies').where('vault_id', '=', p.vaultId),
  );

  return {
    async setAccessPolicy(vaultId, policy) {
      if (policy === null) remove.run({ vaultId });
      else set.run({ vaultId, policy });
    },
  };
}

function lockWriter(compile: Compile): Changes<'setLock'> {
  const set = compile((db, p: VaultLocksTable) =>
    db
      .insertInto('vault_locks')
      .values(columnsOf(p, lockColumnNames))
      .onConflict((conflict) =>
        conflict.column('vault_id').doUpdateSet((eb) => ({
          state: eb.ref('excluded.state'),
          policy: eb.ref('excluded.policy'),
          lock_id: eb.ref('excluded.lock_id'),
          created_at_ms: eb.ref('excluded.created_at_ms'),
          expires_at_ms: eb.ref('excluded.expires_at_ms'),
        })),
      ),
  );
  const remove = compile((db, p: OfVault) =>
    db.deleteFrom('vault_locks').where('vault_id', '=', p.vaultId),
  );

  return {
    async setLock(vaultId, lock) {
      if (lock === null) {
        remove.run({ vaultId });
        return;
      }
      set.run({
        vault_id: vaultId,
        state: lock.state,
        policy: lock.policy,
        lock_id: lock.lockId,
        created_at_ms: lock.createdAtMs,
        expires_at_ms: lock.expiresAtMs,
      });
    },
  };
}

function notificationsRow(row: VaultNotificationsTable): NotificationsRow {
  // Written by `setNotifications` and by nobody else, so it has the shape that went in.
  return { snsTopic: row.sns_topic, events: JSON.parse(row.events) as string[] };
}

function lockRow(row: VaultLocksTable): VaultLockRow {
  return {
    state: row.state,
    policy: row.policy,
    lockId: row.lock_id,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
  };
}

const lockColumnNames = [
  'vault_id',
  'state',
  'policy',
  'lock_id',
  'created_at_ms',
  'expires_at_ms',
] as const satisfies readonly (keyof VaultLocksTable)[];
