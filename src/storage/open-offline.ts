import type { BlobStore } from './blob-store.ts';
import { type Describing, describing } from './describing.ts';
import { DiskJournal } from './disk/disk-journal.ts';
import { DiskVolume, isEmptyVolume } from './disk/disk-volume.ts';
import { Layout } from './disk/files.ts';
import { loadMasterKeys } from './disk/master-key-file.ts';
import { nodeFiles } from './disk/node-files.ts';
import { type RotationReport, rotateMasterKey } from './disk/rotate-master-key.ts';
import { StoreError } from './errors.ts';
import type { Journal } from './journal.ts';
import type { MetadataStore } from './metadata-store.ts';
import { openRows } from './open.ts';
import { holdStores, openVolume, type StoreHost, type StoreLocations } from './open-volume.ts';
import type { SnapshotTaker } from './snapshot-taker.ts';
import type { Snapshots } from './snapshots.ts';
import { differencesFromReplay } from './sqlite/compare.ts';
import { openReadOnly, type ReadOnlyStore } from './sqlite/read-only.ts';
import { type Rebuilt, rebuildDatabase } from './sqlite/rebuild.ts';
import { agreeOnStoreId, bondRows } from './store-bond.ts';

export type { Rebuilt, RotationReport };

/** The stores, to be read and not to be changed. */
export interface ReadableStores extends AsyncDisposable, Describing {
  readonly rows: ReadOnlyStore;
  readonly blobs: Pick<BlobStore, 'read' | 'describe' | 'list'>;
  readonly snapshots: Snapshots;
  readonly journal: Journal;
  readonly masterKeyId: string;
  /** The last batch that the database had before the journal was looked at, which thus has it. */
  readonly databaseSequence: number;
  /** What is wrong with the database, as far as it can tell by itself. Reads all of it. */
  integrityProblems(): Promise<readonly string[]>;
  /**
   * Where the database differs from what its snapshots and journal say, a sentence each; null when
   * that could not be found out.
   */
  replayDifferences(signal: AbortSignal): Promise<readonly string[] | null>;
  /**
   * How many batches the database lacks that are all in the journal, so that the next start of the
   * server replays them.
   */
  unreplayedBatches(): Promise<number>;
}

/** Opens what is there without changing a byte of it, also beside a running server. */
export async function openToRead(
  locations: StoreLocations,
  host: StoreHost,
): Promise<ReadableStores> {
  await using opened = new AsyncDisposableStack();
  const { directory } = locations.blobs;
  if (await isEmptyVolume(directory)) throw nothingThere(directory);
  const rows = opened.use(await openReadOnly(locations.metadata.path));
  const { sequence: databaseSequence } = await rows.position();
  const { path, isDefault: isGenerated } = locations.masterKey;
  const storeId = await agreeOnStoreId(locations, { ...host, mayChange: false });
  const masterKeys = await loadMasterKeys({
    ...{ path, isGenerated, mayCreate: false, isReadOnly: true },
    ...host,
  });
  const options = { directory, storeId, masterKeys, ...host };
  const volume = opened.use(await DiskVolume.openToRead(options));
  const openJournal = () => DiskJournal.open({ ...volume.parts, isReadOnly: true });
  const journal = opened.use(await openJournal());
  const closing = opened.move();
  return {
    ...{ rows, journal, blobs: volume.blobs, snapshots: volume.snapshots },
    ...describing({ storeId, volume, journal, condition: () => null }),
    masterKeyId: masterKeys.currentId,
    databaseSequence,
    integrityProblems: () => rows.integrityProblems(),
    replayDifferences: (signal) =>
      differencesFromReplay({
        ...{ path: locations.metadata.path, log: host.log, openJournal, signal },
        snapshots: volume.snapshots,
      }),
    unreplayedBatches: () => unreplayedBatches(rows, journal, host),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** The stores after the database was made again. */
export interface RebuiltStores extends AsyncDisposable {
  readonly rebuilt: Rebuilt;
  readonly metadata: MetadataStore & SnapshotTaker;
  readonly blobs: BlobStore;
}

/** Makes the database again, also one that seems to be sound, and opens all for writing. */
export async function rebuildStores(
  locations: StoreLocations,
  host: StoreHost,
): Promise<RebuiltStores> {
  await using opened = new AsyncDisposableStack();
  opened.use(await holdStores(locations));
  if (await isEmptyVolume(locations.blobs.directory)) {
    throw nothingThere(locations.blobs.directory);
  }
  const open = opened.use(await openVolume(locations, host));
  const { volume, journal } = open;
  const rebuilt = await rebuildDatabase({
    ...{ path: locations.metadata.path, journal, snapshots: volume.snapshots, ...host },
    loss: 'accept',
  });
  const metadata = opened.use(await openRows(locations, host, open));
  await bondRows(metadata, open.storeId, locations);
  const closing = opened.move();
  return {
    ...{ rebuilt, metadata, blobs: volume.blobs },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Puts everything under a new master key. */
export async function rotateKeysOf(
  locations: StoreLocations,
  host: StoreHost,
): Promise<RotationReport> {
  using _held = await holdStores(locations);
  const { directory } = locations.blobs;
  if (await isEmptyVolume(directory)) throw nothingThere(directory);
  const layout = new Layout(directory);
  return await rotateMasterKey({
    ...{ layout, files: nodeFiles, path: locations.masterKey.path },
    ...host,
  });
}

/** A running server may just be about to commit what it has appended. */
const commitMs = 1_000;
const looksMax = 3;

async function unreplayedBatches(
  rows: ReadOnlyStore,
  journal: Journal,
  { clock }: StoreHost,
): Promise<number> {
  for (let look = 1; ; look += 1) {
    const { sequence } = await rows.position();
    if (sequence >= journal.lastSequence) return 0;
    if (look === looksMax) return await countWhole(journal, sequence);
    await clock.sleep(commitMs);
  }
}

/** None where the journal does not lead on from the batch `after`: then nothing is replayed. */
async function countWhole(journal: Journal, after: number): Promise<number> {
  let count = 0;
  for await (const item of journal.read(after)) {
    if ('damage' in item || item.sequence !== after + count + 1) return 0;
    count += 1;
  }
  return count;
}

function nothingThere(directory: string): StoreError {
  return new StoreError('StoreUnavailable', `There is no store in ${directory}.`);
}
