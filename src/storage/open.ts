import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { RandomBytes } from '../lib/random.ts';
import type { BlobStore } from './blob-store.ts';
import { createDirectory } from './disk/create-directory.ts';
import { DiskBlobStore } from './disk/disk-blob-store.ts';
import type { MetadataStore } from './metadata-store.ts';
import { holdDirectory } from './sqlite/directory-hold.ts';
import { SqliteMetadataStore } from './sqlite/sqlite-metadata-store.ts';

/** Where the stores are. Paths are absolute. */
export interface StoreLocations {
  readonly dataDirectory: string;
  readonly metadata: { readonly path: string };
  readonly blobs: { readonly directory: string };
}

export interface StoreHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly randomBytes: RandomBytes;
}

/** The stores of one server. Disposing of them closes both and lets go of the directory. */
export interface Stores extends AsyncDisposable {
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
}

/**
 * Opens the stores for a server, which is alone on its data directory. Throws when another server
 * holds it, and says which.
 */
export async function openStores(locations: StoreLocations, host: StoreHost): Promise<Stores> {
  await using opened = new AsyncDisposableStack();
  await createDirectory(locations.dataDirectory);
  opened.use(holdDirectory(locations.dataDirectory));
  const metadata = opened.use(await openMetadata(locations, host));
  const { directory } = locations.blobs;
  const blobs = opened.use(await DiskBlobStore.open({ directory, ...host }));
  const closing = opened.move();
  return { metadata, blobs, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** Opens the rows alone, also while a server runs. */
export async function openMetadata(
  locations: StoreLocations,
  { clock, log }: Pick<StoreHost, 'clock' | 'log'>,
): Promise<MetadataStore> {
  await createDirectory(locations.dataDirectory);
  return SqliteMetadataStore.open({ path: locations.metadata.path, clock, log });
}
