import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import { defined } from '../../lib/assert.ts';
import type { RetrievalReader, RetrievalWriter } from '../metadata-store.ts';
import type { AccountRegion, JobAction, JobStatus, RetrievalPolicyRow } from '../rows.ts';
import type { RetrievalChargesTable, RetrievalPoliciesTable, Tables } from './schema.ts';
import { type Compile, columnsOf } from './statements.ts';

/** Constants, not parameters: partial indexes are used only for what is known beforehand. */
const standard = sql.lit<RetrievalChargesTable['tier']>('Standard');
const expedited = sql.lit<RetrievalChargesTable['tier']>('Expedited');
const inProgress = sql.lit<JobStatus>('InProgress');
const archiveRetrieval = sql.lit<JobAction>('ArchiveRetrieval');

export function retrievalWriter(compile: Compile): RetrievalWriter {
  const setPolicy = compile((db, p: RetrievalPoliciesTable) =>
    db
      .insertInto('retrieval_policies')
      .values(columnsOf(p, ['account_id', 'region', 'strategy', 'bytes_per_hour']))
      .onConflict((conflict) =>
        conflict.columns(['account_id', 'region']).doUpdateSet((eb) => ({
          strategy: eb.ref('excluded.strategy'),
          bytes_per_hour: eb.ref('excluded.bytes_per_hour'),
        })),
      ),
  );
  const insertCharge = compile((db, p: RetrievalChargesTable) =>
    db.insertInto('retrieval_charges').values(columnsOf(p, chargeColumnNames)),
  );
  const forgetOld = compile((db, p: { begunBeforeMs: number; nowMs: number; limit: number }) =>
    db
      .deleteFrom('retrieval_charges')
      .where('job_id', 'in', (eb) =>
        eb
          .selectFrom('retrieval_charges')
          .select('job_id')
          .where('created_at_ms', '<', p.begunBeforeMs)
          .where('counts_until_ms', '<=', p.nowMs)
          .where(isOfNoJobInProgress)
          .orderBy('created_at_ms')
          .orderBy('job_id')
          .limit(p.limit),
      ),
  );
  const forgetFuture = compile((db, p: { begunAfterMs: number; limit: number }) =>
    db
      .deleteFrom('retrieval_charges')
      .where('job_id', 'in', (eb) =>
        eb
          .selectFrom('retrieval_charges')
          .select('job_id')
          .where('created_at_ms', '>', p.begunAfterMs)
          .where(isOfNoJobInProgress)
          .orderBy('created_at_ms')
          .orderBy('job_id')
          .limit(p.limit),
      ),
  );

  return {
    ...retrievalReader(compile),
    async setPolicy({ accountId, region }, { strategy, bytesPerHour }) {
      setPolicy.run({ account_id: accountId, region, strategy, bytes_per_hour: bytesPerHour });
    },
    async insertCharge(charge) {
      insertCharge.run({
        job_id: charge.jobId,
        account_id: charge.accountId,
        region: charge.region,
        tier: charge.tier,
        created_at_ms: charge.createdAtMs,
        counts_until_ms: charge.countsUntilMs,
        size_bytes: charge.sizeBytes,
        is_provisioned: charge.isProvisioned ? 1 : 0,
      });
    },
    async forgetCharges({ begunBeforeMs, begunAfterMs, nowMs, limit }) {
      const old = forgetOld.run({ begunBeforeMs, nowMs, limit }).changes;
      return old + forgetFuture.run({ begunAfterMs, limit: limit - old }).changes;
    },
  };
}

export function retrievalReader(compile: Compile): RetrievalReader {
  const policy = compile((db, p: AccountRegion) =>
    db
      .selectFrom('retrieval_policies')
      .select(['strategy', 'bytes_per_hour'])
      .where('account_id', '=', p.accountId)
      .where('region', '=', p.region),
  );
  const countExpedited = compile(
    (db, p: AccountRegion & { sinceMs: number; nowMs: number; isProvisioned: number }) =>
      db
        .selectFrom('retrieval_charges')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('tier', '=', expedited)
        .where('account_id', '=', p.accountId)
        .where('region', '=', p.region)
        .where('is_provisioned', '=', p.isProvisioned)
        .where('created_at_ms', '>', p.sinceMs)
        .where('created_at_ms', '<=', p.nowMs),
  );

  return {
    async policy(of) {
      const row = policy.get(of);
      return row && policyRow(row);
    },
    ...standardSums(compile),
    async countExpedited({ accountId, region }, { isProvisioned, ...between }) {
      const query = { accountId, region, ...between, isProvisioned: isProvisioned ? 1 : 0 };
      return defined(countExpedited.get(query), 'count').count;
    },
  };
}

function standardSums(
  compile: Compile,
): Pick<RetrievalReader, 'standardRate' | 'standardSizeBytes'> {
  const rate = sql<number>`(retrieval_charges.size_bytes + 3) / 4`;
  const rateByTime = compile((db, p: AccountRegion & { nowMs: number }) =>
    db
      .selectFrom('retrieval_charges')
      .select(exactSumOf(rate))
      .where('tier', '=', standard)
      .where('account_id', '=', p.accountId)
      .where('region', '=', p.region)
      .where('counts_until_ms', '>', p.nowMs)
      // The plus keeps the planner on the index of what counts still.
      .where(sql<number>`+created_at_ms`, '<=', p.nowMs),
  );
  // From the jobs that are late, of which there are few: a cross join is one whose order SQLite keeps.
  const rateByJob = compile((db, p: AccountRegion & { nowMs: number }) =>
    db
      .selectFrom('jobs')
      .crossJoin('retrieval_charges')
      .select(exactSumOf(rate))
      .where('jobs.status', '=', inProgress)
      .where('jobs.action', '=', archiveRetrieval)
      .where('jobs.due_at_ms', '<=', p.nowMs)
      .whereRef('retrieval_charges.job_id', '=', 'jobs.job_id')
      .where(standardChargeOf(p))
      .where(sql<number>`+retrieval_charges.counts_until_ms`, '<=', p.nowMs),
  );
  const sizeBytes = compile((db, p: AccountRegion & { sinceMs: number; nowMs: number }) =>
    db
      .selectFrom('retrieval_charges')
      .select(exactSumOf(sql<number>`retrieval_charges.size_bytes`))
      .where('tier', '=', standard)
      .where('account_id', '=', p.accountId)
      .where('region', '=', p.region)
      .where('created_at_ms', '>=', p.sinceMs)
      .where('created_at_ms', '<=', p.nowMs),
  );

  return {
    async standardRate({ accountId, region }, nowMs) {
      const query = { accountId, region, nowMs };
      return exactSum(rateByTime.get(query)) + exactSum(rateByJob.get(query));
    },
    async standardSizeBytes({ accountId, region }, between) {
      return exactSum(sizeBytes.get({ accountId, region, ...between }));
    },
  };
}

function isOfNoJobInProgress({
  not,
  exists,
  selectFrom,
}: ExpressionBuilder<Tables, 'retrieval_charges'>): Expression<SqlBool> {
  return not(
    exists(
      selectFrom('jobs')
        .select('jobs.job_id')
        .whereRef('jobs.job_id', '=', 'retrieval_charges.job_id')
        // The plus keeps the planner on the job's key.
        .where(sql<JobStatus>`+jobs.status`, '=', inProgress),
    ),
  );
}

/** The pluses keep the planner off the indexes of charges: it goes by the job. */
function standardChargeOf({ accountId, region }: AccountRegion): Expression<SqlBool> {
  return sql<SqlBool>`+retrieval_charges.tier = ${standard}
    AND +retrieval_charges.account_id = ${accountId} AND +retrieval_charges.region = ${region}`;
}

/** A sum in two parts, as text. */
interface SumParts {
  readonly high: string;
  readonly low: string;
}

/**
 * SQLite adds up to 2^63 and fails then, and its binding hands out numbers up to 2^53: so the upper
 * and the lower 32 bits are summed apart.
 */
function exactSumOf(value: Expression<number>) {
  return [
    sql<string>`CAST(coalesce(sum(${value} >> 32), 0) AS TEXT)`.as('high'),
    sql<string>`CAST(coalesce(sum(${value} & 4294967295), 0) AS TEXT)`.as('low'),
  ];
}

function exactSum(parts: SumParts | undefined): bigint {
  const { high, low } = defined(parts, 'a sum');
  return (BigInt(high) << 32n) + BigInt(low);
}

function policyRow(row: Omit<RetrievalPoliciesTable, 'account_id' | 'region'>): RetrievalPolicyRow {
  return { strategy: row.strategy, bytesPerHour: row.bytes_per_hour };
}

const chargeColumnNames = [
  'job_id',
  'account_id',
  'region',
  'tier',
  'created_at_ms',
  'counts_until_ms',
  'size_bytes',
  'is_provisioned',
] as const satisfies readonly (keyof RetrievalChargesTable)[];
