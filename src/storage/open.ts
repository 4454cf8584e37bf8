import type { BlobStore, StoreCondition } from './blob-store.ts';
import type { Compaction } from './compaction.ts';
import { type Describing, describing } from './describing.ts';
import type { MetadataStore } from './metadata-store.ts';
import {
  holdStores,
  type OpenVolume,
  openVolume,
  type StoreHost,
  type StoreLocations,
} from './open-volume.ts';
import type { SnapshotTaker } from './snapshot-taker.ts';
import { isThere } from './sqlite/database-files.ts';
import { SqliteMetadataStore } from './sqlite/sqlite-metadata-store.ts';
import { bondRows, refuseBlobsWithoutRows } from './store-bond.ts';

export type { StoreHost, StoreLocations };

/** The stores of one server. Disposing of them closes all and lets go of the directories. */
export interface Stores extends AsyncDisposable, Describing {
  readonly metadata: MetadataStore & SnapshotTaker;
  readonly blobs: BlobStore & Compaction;
  /** Room that is kept for what must not fail when the disk is full. */
  readonly reserve: { restore(): Promise<boolean> };
  readonly masterKeyId: string;
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
 *    one that is lost or damaged is made again.
 */
export async function openStores(locations: StoreLocations, host: StoreHost): Promise<Stores> {
  await using opened = new AsyncDisposableStack();
  opened.use(await holdStores(locations));
  const open = opened.use(await openVolume(locations, host));
  const { journal, volume } = open;
  const isDatabaseThere = await isThere(locations.metadata.path);
  await refuseBlobsWithoutRows(locations, { journal, ...volume }, isDatabaseThere);
  const metadata = opened.use(await openRows(locations, host, open));
  await bondRows(metadata, open.storeId);
  const { storeId, masterKeys, reserve } = open;
  const { blobs } = volume;
  const condition = () => (metadata.isStopped ? 'failed' : blobs.condition);
  const closing = opened.move();
  return {
    ...{ metadata, blobs, reserve, masterKeyId: masterKeys.currentId },
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
