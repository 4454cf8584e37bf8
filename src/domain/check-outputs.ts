import type { Clock } from '../lib/clock.ts';
import type { BlobPart, JobPosition, JobRow, VaultRow } from '../storage/rows.ts';
import { type BlobCheckOptions, problemOfBlob } from './check-blobs.ts';
import { allVaults, type RowReader } from './check-rows.ts';

const jobsPerPage = 1000;

export interface OutputOptions extends BlobCheckOptions {
  readonly rows: RowReader;
  readonly clock: Clock;
}

export interface CheckedOutput {
  readonly bytesRead: number;
  /** What is wrong, as a sentence. */
  readonly problem: string | undefined;
}

/** Reads the output of every inventory job that succeeded and did not expire. */
export async function* checkOutputs(options: OutputOptions): AsyncGenerator<CheckedOutput> {
  for await (const vault of allVaults(options.rows)) {
    for await (const job of jobsOf(vault, options)) {
      const checked = await checkOutput(job, vault, options);
      if (checked !== undefined) yield checked;
    }
  }
}

async function* jobsOf(
  { vaultId }: VaultRow,
  { rows, clock, signal }: OutputOptions,
): AsyncGenerator<JobRow> {
  let after: JobPosition | null = null;
  for (;;) {
    signal.throwIfAborted();
    const query = {
      vaultId,
      completed: true,
      status: 'Succeeded' as const,
      nowMs: clock.now(),
      after,
      limit: jobsPerPage,
    };
    const page: JobRow[] = await rows.read(({ jobs }) => jobs.list(query));
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = { createdAtMs: last.createdAtMs, jobId: last.jobId };
  }
}

/** Undefined when the job has no output of its own, or is gone meanwhile. */
async function checkOutput(
  job: JobRow,
  vault: VaultRow,
  options: OutputOptions,
): Promise<CheckedOutput | undefined> {
  const { rows } = options;
  let current: JobRow | undefined = job;
  while (current !== undefined && current.output !== null) {
    const { blobId, sizeBytes }: BlobPart = current.output;
    const reason = await problemOfBlob(current.output, options);
    if (reason === undefined) return { bytesRead: sizeBytes, problem: undefined };
    const now: JobRow | undefined = await rows.read(({ jobs }) => jobs.get(job.jobId));
    if (now?.output?.blobId === blobId) {
      const where = `vault ${vault.vaultName} of account ${vault.accountId} in ${vault.region}`;
      const problem = `The output of job ${job.jobId} of ${where} is damaged: ${reason}.`;
      return { bytesRead: sizeBytes, problem };
    }
    // It moved meanwhile, or went away.
    current = now;
  }
  return undefined;
}
