import type { Bell } from '../lib/bell.ts';
import type { Clock } from '../lib/clock.ts';
import { type RandomBytes, randomId } from '../lib/random.ts';
import { isMegabyteAligned, isTreeHashAligned } from '../protocol/byte-range.ts';
import { GlacierError } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import { idLengths, vaultArn } from '../protocol/names.ts';
import type { Input } from '../protocol/shapes/all.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { MetadataStore, Rows, WritableRows } from '../storage/metadata-store.ts';
import type {
  ArchiveRow,
  BlobPart,
  InventoryJobFacts,
  JobRow,
  RetrievalFacts,
  VaultKey,
  VaultRow,
} from '../storage/rows.ts';
import { treeHashOfRange } from './archive-hashes.ts';
import { archiveNotFound, findArchive } from './archives.ts';
import { describeJob, type JobDescription } from './job-description.ts';
import { type JobOutput, JobOutputs } from './job-outputs.ts';
import {
  type InventoryRequest,
  invalidRetrievalRange,
  type JobParameters,
  parseJobRequest,
  type RetrievalRequest,
} from './job-requests.ts';
import { fail, isExpired, succeed } from './job-states.ts';
import { type Markers, timeAndId } from './markers.ts';
import type { Pins } from './pins.ts';
import { type InventoryMode, vaultAt } from './vaults.ts';

/** How long each kind of job takes at least, in milliseconds. */
export interface JobDelays {
  readonly Expedited: number;
  readonly Standard: number;
  readonly Bulk: number;
  readonly inventory: number;
}

export interface JobsOptions {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly markers: Markers;
  readonly pins: Pins;
  readonly inventoryMode: InventoryMode;
  readonly delaysMs: JobDelays;
  /** How long a job that ended can be asked about. */
  readonly expiryMs: number;
  /** Rung when there is a new job: each is what one worker waits for. */
  readonly arrivals: { readonly retrievals: Bell; readonly inventories: Bell };
}

/** Jobs: asked for here, done by workers, described and handed out here. */
export class Jobs {
  readonly #options: JobsOptions;
  readonly #outputs: JobOutputs;

  constructor(options: JobsOptions) {
    this.#options = options;
    this.#outputs = new JobOutputs(options);
  }

  /** Starts a job and answers its id. Its work begins later, when its delay is over. */
  async initiate(key: VaultKey, parameters: JobParameters): Promise<string> {
    const request = parseJobRequest(parameters, key.region);
    const { store, clock, arrivals, randomBytes } = this.#options;
    const jobId = randomId(randomBytes, idLengths.job);
    const seen = await this.#lookAhead(key, request);
    await store.write(async (rows) => {
      const vault = await vaultAt(rows, key);
      const createdAtMs = clock.now();
      const base = {
        jobId,
        vaultId: vault.vaultId,
        description: request.description,
        snsTopic: request.snsTopic,
        status: 'InProgress',
        createdAtMs,
        completedAtMs: null,
        expiresAtMs: null,
        output: null,
      } as const;
      await rows.jobs.insert(
        request.kind === 'archive-retrieval'
          ? {
              ...base,
              action: 'ArchiveRetrieval',
              retrieval: await this.#retrieval(rows, { key, vault, request, treeHash: seen }),
              inventory: null,
              dueAtMs: createdAtMs + this.#options.delaysMs[request.tier],
            }
          : {
              ...base,
              action: 'InventoryRetrieval',
              retrieval: null,
              inventory: this.#inventory(vault, request, createdAtMs),
              dueAtMs: createdAtMs + this.#options.delaysMs.inventory,
            },
      );
    });
    if (request.kind === 'archive-retrieval') arrivals.retrievals.ring();
    else arrivals.inventories.ring();
    return jobId;
  }

  async describe(key: VaultKey, jobId: string): Promise<JobDescription> {
    const { job } = await this.#find(key, jobId);
    return describeJob(job, key);
  }

  /** A page of the vault's jobs, newest first. */
  async list(
    key: VaultKey,
    query: Pick<Input<'ListJobs'>, 'completed' | 'statuscode' | 'limit' | 'marker'>,
  ): Promise<{ readonly jobs: JobDescription[]; readonly marker: string | null }> {
    const { store, clock, markers } = this.#options;
    const limit = Math.min(query.limit ?? limits.listJobsMax, limits.listJobsMax);
    const { vault, found } = await store.read(async (rows) => {
      const vault = await vaultAt(rows, key);
      const found = await rows.jobs.list({
        vaultId: vault.vaultId,
        completed: query.completed === undefined ? null : query.completed === 'true',
        status: (query.statuscode ?? null) as JobRow['status'] | null,
        nowMs: clock.now(),
        after: this.#listPlace(vault, query.marker),
        limit: limit + 1,
      });
      return { vault, found };
    });
    const page = found.slice(0, limit);
    const last = found.length > limit ? page.at(-1) : undefined;
    const marker =
      last === undefined ? null : markers.seal(jobsScope(vault), [last.createdAtMs, last.jobId]);
    return { jobs: page.map((job) => describeJob(job, key)), marker };
  }

  /** What GetJobOutput hands out: all of the output, or the range that the header asks for. */
  async output(key: VaultKey, jobId: string, rangeHeader: string | undefined): Promise<JobOutput> {
    const { job, parts, archive } = await this.#find(key, jobId);
    return this.#outputs.open({ job, parts, archive, rangeHeader });
  }

  /** The job's new row, once its work is done. A job that is gone meanwhile stays gone. */
  async succeed(
    jobId: string,
    inventory?: { readonly output: BlobPart; readonly nextMarker: string | null },
  ): Promise<boolean> {
    return this.#end(jobId, (job, end) => succeed(job, end, inventory));
  }

  async fail(jobId: string): Promise<boolean> {
    return this.#end(jobId, fail);
  }

  /** Whether the job was still there and in progress, and so took the new state. */
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

  #find(key: VaultKey, jobId: string): Promise<FoundJob> {
    const { store, clock } = this.#options;
    return store.read(async (rows) => {
      const vault = await vaultAt(rows, key);
      const job = await rows.jobs.get(jobId);
      if (job?.vaultId !== vault.vaultId || isExpired(job, clock.now())) {
        throw new GlacierError('ResourceNotFoundException', `The job ID was not found: ${jobId}`);
      }
      const archiveId = job.retrieval?.archiveId;
      if (archiveId === undefined) {
        return { job, parts: job.output === null ? [] : [job.output], archive: undefined };
      }
      return {
        job,
        parts: await rows.archives.blobs(archiveId),
        archive: await rows.archives.get(archiveId),
      };
    });
  }

  /**
   * The tree hash of a retrieval's range, which may take reading leaf hashes, and so is found before
   * the transaction. Null when the range has none. Archives never change, so it stays true.
   */
  async #lookAhead(
    key: VaultKey,
    request: RetrievalRequest | InventoryRequest,
  ): Promise<string | null> {
    if (request.kind === 'inventory-retrieval') return null;
    const { store, blobs } = this.#options;
    const { archive, parts } = await store.read(async (rows) => {
      const vault = await vaultAt(rows, key);
      const archive = await this.#archive(rows, key, vault, request);
      return { archive, parts: await rows.archives.blobs(archive.archiveId) };
    });
    const { range } = request;
    if (range === null) return archive.treeHash;
    if (!isTreeHashAligned(range, archive.sizeBytes)) return null;
    return treeHashOfRange(blobs, parts, range);
  }

  /** The archive that a retrieval asks for; `404` when it is gone, `400` for a bad range of it. */
  async #archive(
    rows: Rows,
    key: VaultKey,
    vault: VaultRow,
    request: RetrievalRequest,
  ): Promise<ArchiveRow> {
    const archive = await findArchive(rows, key, vault, request.archiveId);
    if (archive === undefined) throw archiveNotFound(request.archiveId);
    const { range } = request;
    if (range !== null && !isMegabyteAligned(range, archive.sizeBytes)) {
      throw invalidRetrievalRange(request.rangeText);
    }
    return archive;
  }

  async #retrieval(
    rows: WritableRows,
    asked: {
      readonly key: VaultKey;
      readonly vault: VaultRow;
      readonly request: RetrievalRequest;
      readonly treeHash: string | null;
    },
  ): Promise<RetrievalFacts> {
    const { key, vault, request, treeHash } = asked;
    const archive = await this.#archive(rows, key, vault, request);
    return {
      archiveId: archive.archiveId,
      archiveSizeBytes: archive.sizeBytes,
      archiveTreeHash: archive.treeHash,
      firstByte: request.range?.firstByte ?? 0,
      lastByte: request.range?.lastByte ?? archive.sizeBytes - 1,
      treeHash,
      tier: request.tier,
    };
  }

  /** Which contents the job shows is settled here, whenever its work is done. */
  #inventory(vault: VaultRow, request: InventoryRequest, nowMs: number): InventoryJobFacts {
    const { lastInventory } = vault;
    if (this.#options.inventoryMode === 'scheduled' && lastInventory === null) {
      throw new GlacierError(
        'ResourceNotFoundException',
        `Inventory retrieval jobs for vault ${vaultArn(vault)} cannot be initiated yet, as Amazon ` +
          'Glacier has not yet generated an initial inventory for this vault.',
      );
    }
    const seen =
      this.#options.inventoryMode === 'scheduled' && lastInventory !== null
        ? { asOfChange: lastInventory.asOfChange, inventoryDateMs: lastInventory.takenAtMs }
        : { asOfChange: vault.changes, inventoryDateMs: nowMs };
    return {
      ...seen,
      format: request.format,
      startDate: request.startDate,
      endDate: request.endDate,
      limit: request.limit,
      after: this.#inventoryPlace(vault, request.marker),
      nextMarker: null,
    };
  }

  #inventoryPlace(vault: VaultRow, marker: string | null) {
    if (marker === null) return null;
    const place = this.#options.markers.open(inventoryScope(vault.vaultId), marker);
    const { atMs, id } = timeAndId(place, marker);
    return { createdAtMs: atMs, archiveId: id };
  }

  #listPlace(vault: VaultRow, marker: string | undefined) {
    if (marker === undefined) return null;
    const place = this.#options.markers.open(jobsScope(vault), marker);
    const { atMs, id } = timeAndId(place, marker);
    return { createdAtMs: atMs, jobId: id };
  }
}

interface FoundJob {
  readonly job: JobRow;
  /** The blobs that hold its output; a retrieval's are those of the whole archive. */
  readonly parts: readonly BlobPart[];
  readonly archive: ArchiveRow | undefined;
}

function jobsScope(vault: VaultRow): string {
  return `jobs/${vault.vaultId}`;
}

export function inventoryScope(vaultId: string): string {
  return `inventory/${vaultId}`;
}
