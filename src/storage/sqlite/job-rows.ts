import { sql } from 'kysely';
import { assert } from '../../lib/assert.ts';
import type { JobReader, JobWriter } from '../metadata-store.ts';
import type { JobAction, JobRow, JobStatus } from '../rows.ts';
import { type JobColumns, jobColumnNames, jobColumns, jobRow } from './job-columns.ts';
import { jobLister } from './job-list.ts';
import { type Compile, columnsOf } from './statements.ts';

/** Constants, not parameters: partial indexes are used only for what is known beforehand. */
const inProgress = sql.lit<JobStatus>('InProgress');

export function jobWriter(compile: Compile): JobWriter {
  const insert = compile((db, p: JobColumns) =>
    db.insertInto('jobs').values(columnsOf(p, jobColumnNames)),
  );
  const update = compile((db, p: JobColumns) =>
    db
      .updateTable('jobs')
      .set({ ...columnsOf(p, jobColumnNames), leased_until_ms: null })
      .where('job_id', '=', p.job_id),
  );
  const remove = compile((db, p: { jobId: string }) =>
    db.deleteFrom('jobs').where('job_id', '=', p.jobId),
  );
  const lease = compile(
    (db, p: { action: JobAction; nowMs: number; untilMs: number; limit: number }) =>
      db
        .updateTable('jobs')
        .set({ leased_until_ms: p.untilMs })
        .where('job_id', 'in', (eb) =>
          eb
            .selectFrom('jobs')
            .select('job_id')
            .where('status', '=', inProgress)
            .where('action', '=', p.action)
            .where('due_at_ms', '<=', p.nowMs)
            .where(isFree(p.nowMs))
            .orderBy('due_at_ms')
            .orderBy('job_id')
            .limit(p.limit),
        )
        .returning(jobColumnNames),
  );
  const extendLease = compile((db, p: { jobId: string; untilMs: number }) =>
    db
      .updateTable('jobs')
      .set({ leased_until_ms: p.untilMs })
      .where('job_id', '=', p.jobId)
      .where('leased_until_ms', 'is not', null),
  );
  const releaseLeases = compile((db, _: object) =>
    db.updateTable('jobs').set({ leased_until_ms: null }).where('leased_until_ms', 'is not', null),
  );

  return {
    ...jobReader(compile),
    async insert(job) {
      insert.run(jobColumns(job));
    },
    async update(job) {
      const { changes } = update.run(jobColumns(job));
      assert(changes === 1, 'a job that is updated is there');
    },
    async remove(jobId) {
      remove.run({ jobId });
    },
    async lease(claim) {
      // An UPDATE returns its rows in no order.
      return lease.all(claim).map(jobRow).sort(byDueTime);
    },
    async extendLease(jobId, untilMs) {
      extendLease.run({ jobId, untilMs });
    },
    async releaseLeases() {
      releaseLeases.run({});
    },
  };
}

export function jobReader(compile: Compile): JobReader {
  const get = compile((db, p: { jobId: string }) =>
    db.selectFrom('jobs').select(jobColumnNames).where('job_id', '=', p.jobId),
  );
  const list = jobLister(compile);
  const nextDue = compile((db, p: { action: JobAction }) =>
    db
      .selectFrom('jobs')
      .select('due_at_ms')
      .where('status', '=', inProgress)
      .where('action', '=', p.action)
      .where('leased_until_ms', 'is', null)
      .orderBy('due_at_ms')
      .limit(sql.lit(1)),
  );
  const nextLeaseEnd = compile((db, p: { action: JobAction }) =>
    db
      .selectFrom('jobs')
      .select('leased_until_ms')
      .where('leased_until_ms', 'is not', null)
      // The pluses keep the planner on the index of held jobs, which are few.
      .where(sql<JobStatus>`+status`, '=', inProgress)
      .where(sql<JobAction>`+action`, '=', p.action)
      .orderBy('leased_until_ms')
      .limit(sql.lit(1)),
  );
  const listExpired = compile((db, p: { nowMs: number; limit: number }) =>
    db
      .selectFrom('jobs')
      .select(jobColumnNames)
      .where('expires_at_ms', '<=', p.nowMs)
      .orderBy('expires_at_ms')
      .orderBy('job_id')
      .limit(p.limit),
  );

  return {
    async get(jobId) {
      const row = get.get({ jobId });
      return row && jobRow(row);
    },
    async list(query) {
      return list(query);
    },
    async nextDueAtMs(action) {
      const dueAtMs = nextDue.get({ action })?.due_at_ms ?? null;
      const leaseEndMs = nextLeaseEnd.get({ action })?.leased_until_ms ?? null;
      return dueAtMs === null || leaseEndMs === null
        ? (dueAtMs ?? leaseEndMs)
        : Math.min(dueAtMs, leaseEndMs);
    },
    async listExpired(nowMs, limit) {
      return listExpired.all({ nowMs, limit }).map(jobRow);
    },
  };
}

/** Nobody holds the job: it was never leased, was given back, or its lease ran out. */
function isFree(nowMs: number) {
  return sql<boolean>`(leased_until_ms IS NULL OR leased_until_ms <= ${nowMs})`;
}

function byDueTime(a: JobRow, b: JobRow): number {
  return a.dueAtMs - b.dueAtMs || (a.jobId < b.jobId ? -1 : 1);
}
