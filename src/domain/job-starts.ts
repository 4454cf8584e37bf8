import type { Bell } from '../lib/bell.ts';
import type { Clock } from '../lib/clock.ts';
import { AscendingIds, type RandomBytes } from '../lib/random.ts';
import type { TimeBounds } from '../lib/time-bounds.ts';
import { isMegabyteAligned, isTreeHashAligned } from '../protocol/byte-range.ts';
import { GlacierError } from '../protocol/errors.ts';
import { idLengths, vaultArn } from '../protocol/names.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { isStoreError } from '../storage/errors.ts';
import type { MetadataStore, Rows } from '../storage/metadata-store.ts';
import type {
  ArchiveRow,
  InventoryJobFacts,
  JobRow,
  RetrievalFacts,
  VaultKey,
  VaultRow,
} from '../storage/rows.ts';
import { areBlobsOf, treeHashOfRange } from './archive-hashes.ts';
import { archiveNotFound, findArchive } from './archives.ts';
import { openInventoryMarker } from './job-markers.ts';
import {
  type InventoryRequest,
  invalidRetrievalRange,
  type JobParameters,
  parseJobRequest,
  type RetrievalRequest,
} from './job-requests.ts';
import type { Markers } from './markers.ts';
import { admitRetrieval, type RetrievalLimitsOptions } from './retrieval-limits.ts';
import { type InventoryMode, vaultAt } from './vaults.ts';

/** How long each kind of job takes at least, in milliseconds. */
export interface JobDelays {
  readonly Expedited: number;
  readonly Standard: number;
  readonly Bulk: number;
  readonly inventory: number;
}

export interface JobStartsOptions extends RetrievalLimitsOptions {
  readonly store: MetadataStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly timeBounds: TimeBounds;
  readonly randomBytes: RandomBytes;
  readonly markers: Markers;
  readonly inventoryMode: InventoryMode;
  readonly delaysMs: JobDelays;
  /** Rung when there is a new job: each is what one worker waits for. */
  readonly arrivals: { readonly retrievals: Bell; readonly inventories: Bell };
}

/** Starts jobs: checks what is asked for, and settles all that their work depends on. */
export class JobStarts {
  readonly #options: JobStartsOptions;
  /** In the order in which jobs are asked for: their list shows them so, also within a millisecond. */
  readonly #ids: AscendingIds;

  constructor(options: JobStartsOptions) {
    this.#options = options;
    this.#ids = new AscendingIds(options.randomBytes, idLengths.job);
  }

  /** Answers the id of the new job, once no crash can lose it. */
  async start(key: VaultKey, parameters: JobParameters): Promise<string> {
    const request = parseJobRequest(parameters, key.region);
    const jobId = this.#ids.next(this.#options.clock.now());
    if (request.kind === 'archive-retrieval') await this.#startRetrieval(key, jobId, request);
    else await this.#startInventory(key, jobId, request);
    return jobId;
  }

  async #startRetrieval(key: VaultKey, jobId: string, request: RetrievalRequest): Promise<void> {
    const { store, clock, timeBounds, delaysMs, arrivals } = this.#options;
    const treeHash = await this.#treeHash(key, request);
    await store.write(async (rows) => {
      const vault = await vaultAt(rows, key);
      const archive = await requestedArchive(rows, { key, vault, request });
      const retrieval = retrievalFacts(archive, request, treeHash);
      const { tier } = request;
      const sizeBytes = retrieval.lastByte - retrieval.firstByte + 1;
      const [delayMs, nowMs] = [delaysMs[tier], timeBounds.earliest()];
      const { accountId, region } = key;
      const asked = { accountId, region, jobId, tier, sizeBytes, delayMs, nowMs };
      await admitRetrieval(rows, asked, this.#options);
      const createdAtMs = clock.now();
      await rows.jobs.insert({
        ...newJob(jobId, vault, request),
        action: 'ArchiveRetrieval',
        retrieval,
        inventory: null,
        createdAtMs,
        dueAtMs: createdAtMs + delayMs,
      });
    });
    arrivals.retrievals.ring();
  }

  async #startInventory(key: VaultKey, jobId: string, request: InventoryRequest): Promise<void> {
    const { store, clock, delaysMs, arrivals } = this.#options;
    await store.write(async (rows) => {
      const vault = await vaultAt(rows, key);
      const createdAtMs = clock.now();
      await rows.jobs.insert({
        ...newJob(jobId, vault, request),
        action: 'InventoryRetrieval',
        retrieval: null,
        inventory: this.#inventoryFacts(vault, request, createdAtMs),
        createdAtMs,
        dueAtMs: createdAtMs + delaysMs.inventory,
      });
    });
    arrivals.inventories.ring();
  }

  /**
   * The tree hash of a retrieval's range, which may take reading leaf hashes, and so is found before
   * the transaction. Null when the range has none. Archives never change, so it stays true.
   */
  async #treeHash(key: VaultKey, request: RetrievalRequest): Promise<string | null> {
    const { store, blobs } = this.#options;
    const { archive, parts } = await store.read(async (rows) => {
      const vault = await vaultAt(rows, key);
      const archive = await requestedArchive(rows, { key, vault, request });
      return { archive, parts: await rows.archives.blobs(archive.archiveId) };
    });
    const { range } = request;
    if (range === null) return archive.treeHash;
    if (!isTreeHashAligned(range, archive.sizeBytes)) return null;
    // The job's own verification finds that, too.
    if (!areBlobsOf(parts, archive)) return null;
    try {
      return await treeHashOfRange(blobs, parts, range);
    } catch (error) {
      // Either the archive has just been deleted, which the transaction will see, or its bytes are
      // damaged, which the job's own verification finds, logs and answers for.
      if (isStoreError(error, 'BlobNotFound') || isStoreError(error, 'BlobCorrupt')) return null;
      throw error;
    }
  }

  /** Which contents the job shows is settled here, whenever its work is done. */
  #inventoryFacts(vault: VaultRow, request: InventoryRequest, nowMs: number): InventoryJobFacts {
    const { inventoryMode, markers } = this.#options;
    const { format, startDate, endDate, limit, marker } = request;
    const seen =
      inventoryMode === 'live'
        ? { asOfChange: vault.changes, inventoryDateMs: nowMs }
        : lastInventoryOf(vault);
    const after = marker === null ? null : openInventoryMarker(markers, vault.vaultId, marker);
    return { ...seen, format, startDate, endDate, limit, after, nextMarker: null };
  }
}

/** What a new job has in common with every other. */
function newJob(
  jobId: string,
  { vaultId }: VaultRow,
  { description, snsTopic }: RetrievalRequest | InventoryRequest,
) {
  return {
    jobId,
    vaultId,
    description,
    snsTopic,
    status: 'InProgress',
    completedAtMs: null,
    expiresAtMs: null,
    output: null,
  } as const satisfies Partial<JobRow>;
}

/** The archive that a retrieval asks for; `404` when it is gone, `400` for a bad range of it. */
async function requestedArchive(
  rows: Rows,
  asked: { readonly key: VaultKey; readonly vault: VaultRow; readonly request: RetrievalRequest },
): Promise<ArchiveRow> {
  const { archiveId, range, rangeText } = asked.request;
  const archive = await findArchive(rows, asked.key, asked.vault, archiveId);
  if (archive === undefined) throw archiveNotFound(archiveId);
  if (range !== null && !isMegabyteAligned(range, archive.sizeBytes)) {
    throw invalidRetrievalRange(rangeText);
  }
  return archive;
}

function retrievalFacts(
  archive: ArchiveRow,
  { range, tier }: RetrievalRequest,
  treeHash: string | null,
): RetrievalFacts {
  return {
    archiveId: archive.archiveId,
    archiveSizeBytes: archive.sizeBytes,
    archiveTreeHash: archive.treeHash,
    firstByte: range?.firstByte ?? 0,
    lastByte: range?.lastByte ?? archive.sizeBytes - 1,
    treeHash,
    tier,
  };
}

/** `404` with the live service's text before the first inventory. */
function lastInventoryOf(vault: VaultRow): { asOfChange: number; inventoryDateMs: number } {
  if (vault.lastInventory === null) {
    throw new GlacierError(
      'ResourceNotFoundException',
      `Inventory retrieval jobs for vault ${vaultArn(vault)} cannot be initiated yet, as Amazon ` +
        'Glacier has not yet generated an initial inventory for this vault.',
    );
  }
  const { asOfChange, takenAtMs } = vault.lastInventory;
  return { asOfChange, inventoryDateMs: takenAtMs };
}
