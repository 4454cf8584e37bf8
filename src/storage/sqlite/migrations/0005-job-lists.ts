import { type Kysely, type Migration, sql } from 'kysely';

/** Lists of jobs by status, and past those that have expired, without looking at others. */
export const jobLists: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};

const statements = [
  'DROP INDEX jobs_by_vault',

  // jobs.list, and the jobs that go with their vault
  `CREATE INDEX jobs_by_status
    ON jobs (vault_id, status, created_at_ms, job_id, expires_at_ms)`,

  // jobs.list, where many have expired
  `CREATE INDEX jobs_unexpired ON jobs (vault_id, status, expires_at_ms, created_at_ms, job_id)
    WHERE expires_at_ms IS NOT NULL`,
];
