import { assembleServices, type ServiceParts } from '../../src/compose-services.ts';
import { Accounts } from '../../src/domain/accounts.ts';
import type { Archives } from '../../src/domain/archives.ts';
import type { JobParameters } from '../../src/domain/job-requests.ts';
import { Markers } from '../../src/domain/markers.ts';
import { Pins } from '../../src/domain/pins.ts';
import { Bell } from '../../src/lib/bell.ts';
import { SimulatedClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { TimeBounds } from '../../src/lib/time-bounds.ts';
import { limits } from '../../src/protocol/limits.ts';
import { MemoryJournal } from '../../src/storage/memory/memory-journal.ts';
import { PackedMemoryBlobStore } from '../../src/storage/memory/packed-memory-blob-store.ts';
import { SqliteMetadataStore } from '../../src/storage/sqlite/sqlite-metadata-store.ts';
import type { Worker } from '../../src/workers/worker.ts';
import { RecordedLog } from './recorded-log.ts';
import { seededRandomBytes } from './seeded-random.ts';
import { treeHashOf } from './tree-hash-reference.ts';

export const accountId = '012345678901';
export const region = 'us-east-1';
export const photos = { accountId, region, vaultName: 'photos' };
export const videos = { accountId, region, vaultName: 'videos' };

export const hourMs = 60 * 60 * 1000;

/** A signal that is never aborted. */
export const goingOn = new AbortController().signal;

export type DomainOptions = Partial<
  Pick<
    ServiceParts,
    | 'inventoryMode'
    | 'delaysMs'
    | 'expiryMs'
    | 'uploadExpiryMs'
    | 'vaultsMax'
    | 'vaultTagsMax'
    | 'capacityUnitsMax'
    | 'expeditedOnDemandMax'
  >
>;

/**
 * The domain over stores in memory, with a clock that stands still and chance that is always the
 * same. It holds the vault `photos`. Its parts can be spread into the options of a worker.
 */
export async function openDomain(options: DomainOptions = {}) {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 31, 14, 26, 33, 31));
  const log = new RecordedLog();
  const randomBytes = seededRandomBytes('domain');
  const journal = new MemoryJournal();
  const store = await SqliteMetadataStore.open({ path: ':memory:', clock, log, journal });
  const blobs = new PackedMemoryBlobStore({ clock, randomBytes });
  const parts = {
    clock,
    log,
    randomBytes,
    store,
    blobs,
    compaction: blobs,
    pins: new Pins(),
    timeBounds: new TimeBounds({ clock, log, longestMs: options.expiryMs ?? 24 * hourMs }),
    monthBounds: new TimeBounds({ clock, log: silentLog, longestMs: 31 * 24 * hourMs }),
    markers: new Markers(new Uint8Array(32)),
    removals: new Bell(),
    aborts: new Bell(),
    freed: new Bell(),
    arrivals: { retrievals: new Bell(), inventories: new Bell() },
    inventoryMode: 'live',
    timing: options.inventoryMode === 'scheduled' ? 'aws' : 'immediate',
    delaysMs: { Expedited: 0, Standard: 0, Bulk: 0, inventory: 0 },
    expiryMs: 24 * hourMs,
    uploadExpiryMs: 24 * hourMs,
    vaultLockExpiryMs: 24 * hourMs,
    vaultsMax: limits.vaultsPerRegionMax,
    vaultTagsMax: limits.tagsPerVaultMax,
    capacityUnitsMax: limits.capacityUnitsMax,
    expeditedOnDemandMax: null,
    ...options,
  } as const;
  const services = assembleServices(parts);
  await services.vaults.create(photos);
  return {
    ...parts,
    ...services,
    accounts: new Accounts(parts),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

export type Domain = Awaited<ReturnType<typeof openDomain>>;

/** An upload of `bytes` with the right hash, or with what `change` says. */
export function upload(bytes: Uint8Array, change: Partial<Parameters<Archives['store']>[0]> = {}) {
  return {
    vault: photos,
    description: undefined,
    treeHash: treeHashOf(bytes),
    body: bodyOf(bytes),
    signal: goingOn,
    ...change,
  };
}

export async function* bodyOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Stores `text` in the vault `photos`, and answers the archive's id. */
export async function storeText(
  { archives }: Pick<Domain, 'archives'>,
  text: string,
): Promise<string> {
  return (await archives.store(upload(Buffer.from(text)))).archiveId;
}

/** Starts a retrieval from the vault `photos`, and answers the job's id. */
export function retrieve(domain: Domain, archiveId: string, more: Partial<JobParameters> = {}) {
  return domain.jobs.initiate(photos, { type: 'archive-retrieval', archiveId, ...more });
}

/** Starts an inventory of the vault `photos`, and answers the job's id. */
export function inventory(domain: Domain, more: Partial<JobParameters> = {}): Promise<string> {
  return domain.jobs.initiate(photos, { type: 'inventory-retrieval', ...more });
}

/** What GetJobOutput hands out, as bytes. */
export async function outputOf(domain: Domain, jobId: string, range?: string): Promise<Buffer> {
  const output = await domain.jobs.output(photos, jobId, range);
  return Buffer.concat(
    await Array.fromAsync(output.read(goingOn), (chunk) => Uint8Array.from(chunk)),
  );
}

/** Has a worker do all that there is to do now. */
export async function runUntilIdle(worker: Worker): Promise<void> {
  while ((await worker.step(goingOn)) === 'busy');
}

/** Resolves once all that is under way in the store, and what waits for it, has gone on. */
export async function settle({ store }: Domain): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await store.read(async () => undefined);
  await new Promise(setImmediate);
}
