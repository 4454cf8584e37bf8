import { GlacierError } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import type { Input } from '../protocol/shapes/all.ts';
import type { Rows } from '../storage/metadata-store.ts';
import type { ArchiveBlob, ArchiveRow, BlobPart, JobRow, VaultKey } from '../storage/rows.ts';
import { describeJob, type JobDescription } from './job-description.ts';
import { openJobsMarker, sealJobsMarker } from './job-markers.ts';
import { type JobOutput, JobOutputs } from './job-outputs.ts';
import type { JobParameters } from './job-requests.ts';
import { JobStarts, type JobStartsOptions } from './job-starts.ts';
import { fail, isExpired, succeed } from './job-states.ts';
import type { Pins } from './pins.ts';
import { whileThereIsRoom } from './room.ts';
import { vaultAt } from './vaults.ts';

export interface JobsOptions extends JobStartsOptions {
  readonly pins: Pins;
  /** How long a job that ended can be asked about. */
  readonly expiryMs: number;
}

/** Jobs: asked for here, done by workers, described and handed out here. */
export class Jobs {
  readonly #options: JobsOptions;
  readonly #starts: JobStarts;
  readonly #outputs: JobOutputs;

  constructor(options: JobsOptions) {
    this.#options = options;
    this.#starts = new JobStarts(options);
    this.#outputs = new JobOutputs(options);
  }

  /** Starts a job and answers its id. Its work begins later, when its delay is over. */
  initiate(key: VaultKey, parameters: JobParameters): Promise<string> {
    return whileThereIsRoom(this.#options.blobs, () => this.#starts.start(key, parameters));
  }

  async describe(key: VaultKey, jobId: string): Promise<JobDescription> {
    const job = await this.#options.store.read((rows) => this.#find(rows, key, jobId));
    return describeJob(job, key);
  }

  /** A page of the vault's jobs, newest first. */
  async list(
    key: VaultKey,
    query: Pick<Input<'ListJobs'>, 'completed' | 'statuscode' | 'limit' | 'marker'>,
  ): Promise<{ readonly jobs: JobDescription[]; readonly marker: string | null }> {
    const { store, timeBounds, markers } = this.#options;
    const { completed, statuscode, marker } = query;
    const limit = Math.min(query.limit ?? limits.listJobsMax, limits.listJobsMax);
    const { vaultId, found } = await store.read(async (rows) => {
      const { vaultId } = await vaultAt(rows, key);
      const found = await rows.jobs.list({
        vaultId,
        completed: completed === undefined ? null : completed === 'true',
        status: (statuscode ?? null) as JobRow['status'] | null,
        nowMs: timeBounds.earliest(),
        after: marker === undefined ? null : openJobsMarker(markers, vaultId, marker),
        limit: limit + 1,
      });
      return { vaultId, found };
    });
    const page = found.slice(0, limit);
    const last = found.length > limit ? page.at(-1) : undefined;
    return {
      jobs: page.map((job) => describeJob(job, key)),
      marker: last === undefined ? null : sealJobsMarker(markers, vaultId, last),
    };
  }

  /** What GetJobOutput hands out: all of the output, or the range that the header asks for. */
  async output(key: VaultKey, jobId: string, rangeHeader: string | undefined): Promise<JobOutput> {
    const findParts = async () => (await this.#findOutput(key, jobId)).parts;
    return this.#outputs.open({ ...(await this.#findOutput(key, jobId)), rangeHeader, findParts });
  }

  /**
   * Ends a job whose work is done. False when there was nothing to end: the job went away meanwhile,
   * or had ended before.
   */
  succeed(
    jobId: string,
    inventory?: { readonly output: BlobPart; readonly nextMarker: string | null },
  ): Promise<boolean> {
    return this.#end(jobId, (job, end) => succeed(job, end, inventory));
  }

  /** Ends a job whose work can't be done. Answers as `succeed` does. */
  fail(jobId: string): Promise<boolean> {
    return this.#end(jobId, fail);
  }

  #end(
    jobId: string,
    next: (job: JobRow, end: { nowMs: number; expiryMs: number }) => JobRow,
  ): Promise<boolean> {
    const { store, clock, expiryMs } = this.#options;
    return store.write(async (rows) => {
      const job = await rows.jobs.get(jobId);
      if (job?.status !== 'InProgress') return false;
      await rows.jobs.update(next(job, { nowMs: clock.now(), expiryMs }));
      return true;
    });
  }

  async #find(rows: Rows, key: VaultKey, jobId: string): Promise<JobRow> {
    const vault = await vaultAt(rows, key);
    const job = await rows.jobs.get(jobId);
    if (job?.vaultId === vault.vaultId && !isExpired(job, this.#options.timeBounds.earliest())) {
      return job;
    }
    throw new GlacierError('ResourceNotFoundException', `The job ID was not found: ${jobId}`);
  }

  #findOutput(key: VaultKey, jobId: string): Promise<FoundOutput> {
    return this.#options.store.read(async (rows) => {
      const job = await this.#find(rows, key, jobId);
      const archiveId = job.retrieval?.archiveId;
      if (archiveId === undefined) {
        const parts = job.output === null ? [] : [{ ...job.output, treeHash: null }];
        return { job, parts, archive: undefined };
      }
      return {
        job,
        parts: await rows.archives.blobs(archiveId),
        archive: await rows.archives.get(archiveId),
      };
    });
  }
}

interface FoundOutput {
  readonly job: JobRow;
  /** The blobs that hold its output; a retrieval's are those of the whole archive. */
  readonly parts: readonly ArchiveBlob[];
  readonly archive: ArchiveRow | undefined;
}
