import type { AccountReader, AccountWriter, FactReader, FactWriter } from '../metadata-store.ts';
import type { AccessKeyRow, AccountRow } from '../rows.ts';
import type { AccessKeysTable, AccountsTable } from './schema.ts';
import type { Compile } from './statements.ts';

export function accountWriter(compile: Compile): AccountWriter {
  const insert = compile((db, p: AccountRow) =>
    db.insertInto('accounts').values({
      account_id: p.accountId,
      name: p.name,
      created_at_ms: p.createdAtMs,
    }),
  );
  const insertAccessKey = compile((db, p: AccessKeysTable) =>
    db.insertInto('access_keys').values({
      access_key_id: p.access_key_id,
      secret_access_key: p.secret_access_key,
      account_id: p.account_id,
      is_active: p.is_active,
      created_at_ms: p.created_at_ms,
    }),
  );
  const removeAccessKey = compile((db, p: { accessKeyId: string }) =>
    db.deleteFrom('access_keys').where('access_key_id', '=', p.accessKeyId),
  );

  return {
    ...accountReader(compile),
    async insert(account) {
      insert.run(account);
    },
    async insertAccessKey(key) {
      insertAccessKey.run({
        access_key_id: key.accessKeyId,
        secret_access_key: key.secretAccessKey,
        account_id: key.accountId,
        is_active: key.isActive ? 1 : 0,
        created_at_ms: key.createdAtMs,
      });
    },
    async removeAccessKey(accessKeyId) {
      removeAccessKey.run({ accessKeyId });
    },
  };
}

export function accountReader(compile: Compile): AccountReader {
  const get = compile((db, p: { accountId: string }) =>
    db.selectFrom('accounts').selectAll().where('account_id', '=', p.accountId),
  );
  const list = compile((db, _: object) =>
    db.selectFrom('accounts').selectAll().orderBy('account_id'),
  );
  const accessKey = compile((db, p: { accessKeyId: string }) =>
    db.selectFrom('access_keys').selectAll().where('access_key_id', '=', p.accessKeyId),
  );

  return {
    async get(accountId) {
      const row = get.get({ accountId });
      return row && accountRow(row);
    },
    async list() {
      return list.all({}).map(accountRow);
    },
    async accessKey(accessKeyId) {
      const row = accessKey.get({ accessKeyId });
      return row && accessKeyRow(row);
    },
  };
}

export function factWriter(compile: Compile): FactWriter {
  const set = compile((db, p: { name: string; value: string }) =>
    db
      .insertInto('facts')
      .values({ name: p.name, value: p.value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: p.value })),
  );

  return {
    ...factReader(compile),
    async set(name, value) {
      set.run({ name, value });
    },
  };
}

export function factReader(compile: Compile): FactReader {
  const get = compile((db, p: { name: string }) =>
    db.selectFrom('facts').select('value').where('name', '=', p.name),
  );

  return {
    async get(name) {
      return get.get({ name })?.value;
    },
  };
}

function accountRow(row: AccountsTable): AccountRow {
  return { accountId: row.account_id, name: row.name, createdAtMs: row.created_at_ms };
}

function accessKeyRow(row: AccessKeysTable): AccessKeyRow {
  return {
    accessKeyId: row.access_key_id,
    secretAccessKey: row.secret_access_key,
    accountId: row.account_id,
    isActive: row.is_active === 1,
    createdAtMs: row.created_at_ms,
  };
}
