import { sql } from 'kysely';
import type { CapacityReader, CapacityWriter } from '../metadata-store.ts';
import type { AccountRegion, CapacityUnitRow } from '../rows.ts';
import type { CapacityUnitsTable } from './schema.ts';
import type { Compile } from './statements.ts';

export function capacityWriter(compile: Compile): CapacityWriter {
  const insert = compile((db, p: CapacityUnitRow) =>
    db.insertInto('capacity_units').values({
      capacity_id: p.capacityId,
      account_id: p.accountId,
      region: p.region,
      starts_at_ms: p.startsAtMs,
      expires_at_ms: p.expiresAtMs,
    }),
  );
  const forgetExpired = compile((db, p: { nowMs: number }) =>
    db.deleteFrom('capacity_units').where('expires_at_ms', '<=', p.nowMs),
  );

  return {
    ...capacityReader(compile),
    async insert(unit) {
      insert.run(unit);
    },
    async forgetExpired(nowMs) {
      forgetExpired.run({ nowMs });
    },
  };
}

export function capacityReader(compile: Compile): CapacityReader {
  const list = compile((db, p: AccountRegion & { nowMs: number }) =>
    db
      .selectFrom('capacity_units')
      .selectAll()
      .where('account_id', '=', p.accountId)
      .where('region', '=', p.region)
      // The plus keeps the planner on the order that is asked for.
      .where(sql<number>`+expires_at_ms`, '>', p.nowMs)
      .orderBy('starts_at_ms', 'desc')
      .orderBy('capacity_id', 'desc'),
  );

  return {
    async list({ accountId, region }, nowMs) {
      return list.all({ accountId, region, nowMs }).map(capacityUnitRow);
    },
  };
}

function capacityUnitRow(row: CapacityUnitsTable): CapacityUnitRow {
  return {
    capacityId: row.capacity_id,
    accountId: row.account_id,
    region: row.region,
    startsAtMs: row.starts_at_ms,
    expiresAtMs: row.expires_at_ms,
  };
}
