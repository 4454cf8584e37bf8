import type { BlobStore, StoreCondition } from './blob-store.ts';
import type { Compaction } from './compaction.ts';
import { type Describing, describing } from './describing.ts';
import type { Journal } from './journal.ts';
import type { MetadataStore } from './metadata-store.ts';
import {
  holdStores,
  type OpenVolume,
  openVolume,
  type StoreHost,
  type StoreLocations,
} from './open-volume.ts';
import type { SnapshotRequests, SnapshotTaker } from './snapshot-taker.ts';
import type { Snapshots } from './snapshots.ts';
import { SqliteMetadataStore } from './sqlite/sqlite-metadata-store.ts';
import { bondRows, refuseBlobsWithoutRows, refuseUnfinishedRepair } from './store-bond.ts';
import type { Upkeep } from './upkeep.ts';

export type { StoreHost, StoreLocations };

/** The stores of one server. Disposing of them closes all and lets go of the directories. */
export interface Stores extends AsyncDisposable, Describing {
  readonly metadata: MetadataStore & SnapshotTaker & SnapshotRequests;
  readonly blobs: BlobStore & Compaction;
  /** Room that is kept for what must not fail when the disk is full. */
  readonly reserve: { restore(): Promise<boolean> };
  readonly masterKeyId: string;
  /** What a lost database is made again from. To be read. */
  readonly snapshots: Pick<Snapshots, 'list' | 'damaged' | 'read'>;
  readonly journal: Pick<Journal, 'read' | 'lastSequence'>;
  readonly upkeep: Upkeep;
  /** Of rows and blobs together. */
  readonly condition: StoreCondition;
}

/**
 * Opens the stores for a server.
 *
 * 1. It is alone on each of their directories. Throws when another server holds one, and says which.
 * 2. The file systems can do what the stores rely on. Throws `StoreUnavailable` otherwise.
 * 3. The rows are those of these blobs: both bear the same id. Throws `StoreUnavailable` otherwise.
 * 4. The rows are all that was ever acknowledged: what the database lacks comes from the journal, and
 *    one that is lost or damaged is made again. Throws `StoreUnavailable` where that is not possible
 *    without a loss, and while a repair that had to accept one has not come to its end.
 */
export async function openStores(locations: StoreLocations, host: StoreHost): Promise<Stores> {
  await using opened = new AsyncDisposableStack();
  opened.use(await holdStores(locations));
  const open = opened.use(await openVolume(locations, host));
  const { journal, volume } = open;
  await refuseBlobsWithoutRows(locations, { journal, snapshots: volume.snapshots });
  const metadata = opened.use(await openRows(locations, host, open));
  await bondRows(metadata, open.storeId, locations);
  await refuseUnfinishedRepair(metadata, locations);
  const { storeId, masterKeys, reserve } = open;
  const { blobs } = volume;
  const condition = () => (metadata.isStopped ? 'failed' : blobs.condition);
  const closing = opened.move();
  return {
    ...{ metadata, blobs, reserve, masterKeyId: masterKeys.currentId },
    ...{ snapshots: volume.snapshots, journal, upkeep: volume },
    ...describing({ storeId, volume, journal, condition }),
    get condition() {
      return condition();
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** The database over what is open. */
export function openRows(
  { metadata: { path } }: StoreLocations,
  { clock, log }: StoreHost,
  { journal, volume, reserve }: OpenVolume,
): Promise<SqliteMetadataStore> {
  return SqliteMetadataStore.open({
    ...{ path, clock, log, journal },
    snapshots: volume.snapshots,
    onFull: async () => void (await reserve.release()),
    checkRoom: () => volume.blobs.checkRoom(),
  });
}
