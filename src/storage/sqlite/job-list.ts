import { sql } from 'kysely';
import { defined } from '../../lib/assert.ts';
import type { JobPosition, JobQuery, JobRow, JobStatus } from '../rows.ts';
import { jobColumnNames, jobRow } from './job-columns.ts';
import type { Compile } from './statements.ts';

/** A job in one of the indexes that lists are made from. */
interface Entry {
  readonly created_at_ms: number;
  readonly job_id: string;
}

/** What is looked at in the place where expired jobs lie, before they are gone round. */
const lookMax = 1000;

/**
 * Makes pages of a vault's jobs. Each status has its walk, newest first, in an index that has all that
 * decides; only the jobs of the page are read. Filters so cost nothing, however few match.
 *
 * Expired jobs lie in the way until they are removed, after an idle night by the hundred thousand. When
 * a walk meets nothing else for long, those that did not expire are looked up among themselves.
 */
export function jobLister(compile: Compile): (query: JobQuery) => JobRow[] {
  const walk = compile((db, p: Bounds) =>
    db
      .selectFrom('jobs')
      .select(['created_at_ms', 'job_id', 'expires_at_ms'])
      .where('vault_id', '=', p.vaultId)
      .where('status', '=', p.status)
      .where(sql<boolean>`(created_at_ms, job_id) < (${p.afterMs}, ${p.afterId})`)
      .orderBy('created_at_ms', 'desc')
      .orderBy('job_id', 'desc')
      .limit(p.limit),
  );
  // Sorts all that did not expire, few where most did. The pluses keep the planner on their index.
  const unexpired = compile((db, p: Bounds & { nowMs: number }) =>
    db
      .selectFrom('jobs')
      .select(['created_at_ms', 'job_id'])
      .where('vault_id', '=', p.vaultId)
      .where('status', '=', p.status)
      .where('expires_at_ms', '>', p.nowMs)
      .where(sql<boolean>`(+created_at_ms, +job_id) < (${p.afterMs}, ${p.afterId})`)
      .orderBy(sql`+created_at_ms`, 'desc')
      .orderBy(sql`+job_id`, 'desc')
      .limit(p.limit),
  );
  const get = compile((db, p: Pick<Entry, 'job_id'>) =>
    db.selectFrom('jobs').select(jobColumnNames).where('job_id', '=', p.job_id),
  );

  function entriesOf(status: JobStatus, query: JobQuery): Entry[] {
    const { vaultId, nowMs, limit } = query;
    const entries: Entry[] = [];
    let after = startOf(query);
    for (const looked of [limit, lookMax]) {
      const seen = walk.all({ vaultId, status, ...after, limit: looked });
      entries.push(
        ...seen.filter((each) => each.expires_at_ms === null || each.expires_at_ms > nowMs),
      );
      const last = seen.at(-1);
      if (entries.length >= limit || seen.length < looked || last === undefined) return entries;
      after = { afterMs: last.created_at_ms, afterId: last.job_id };
    }
    return [...entries, ...unexpired.all({ vaultId, status, nowMs, ...after, limit })];
  }

  return (query) =>
    statusesIn(query)
      .flatMap((status) => entriesOf(status, query))
      .sort(newestFirst)
      .slice(0, query.limit)
      .map(({ job_id }) => jobRow(defined(get.get({ job_id }), `job ${job_id}`)));
}

interface Bounds {
  readonly vaultId: string;
  readonly status: JobStatus;
  readonly afterMs: number;
  readonly afterId: string;
  readonly limit: number;
}

/** Every job lies after the place that no job can have. */
function startOf({ after }: JobQuery): Pick<Bounds, 'afterMs' | 'afterId'> {
  const { createdAtMs, jobId }: JobPosition = after ?? {
    createdAtMs: Number.MAX_SAFE_INTEGER,
    jobId: '',
  };
  return { afterMs: createdAtMs, afterId: jobId };
}

function statusesIn({ status, completed }: JobQuery): readonly JobStatus[] {
  const all: readonly JobStatus[] = ['InProgress', 'Succeeded', 'Failed'];
  return all.filter(
    (each) =>
      (status === null || each === status) &&
      (completed === null || completed === (each !== 'InProgress')),
  );
}

function newestFirst(a: Entry, b: Entry): number {
  return b.created_at_ms - a.created_at_ms || (a.job_id < b.job_id ? 1 : -1);
}
