import { dirname } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { RandomBytes } from '../lib/random.ts';
import type { BlobStore } from './blob-store.ts';
import { createDirectory } from './disk/create-directory.ts';
import { DiskBlobStore } from './disk/disk-blob-store.ts';
import { holdsBlobs, readStoreId, storeIdPath, writeStoreId } from './disk/store-id.ts';
import { StoreError } from './errors.ts';
import type { MetadataStore } from './metadata-store.ts';
import { holdDirectories } from './sqlite/directory-hold.ts';
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

/** The stores of one server. Disposing of them closes both and lets go of the directories. */
export interface Stores extends AsyncDisposable {
  readonly metadata: MetadataStore;
  readonly blobs: BlobStore;
}

/** The fact in the database that names the blobs which belong to it. */
const idFact = 'store.id';

/**
 * Opens the stores for a server.
 *
 * 1. It is alone on each of their directories. Throws when another server holds one, and says which.
 * 2. The rows are those of these blobs: both bear the same id. Throws `StoreUnavailable` otherwise.
 *    To a database that is not theirs all blobs would be garbage, and the sweeper would agree.
 */
export async function openStores(locations: StoreLocations, host: StoreHost): Promise<Stores> {
  await using opened = new AsyncDisposableStack();
  const { clock, log } = host;
  const { path } = locations.metadata;
  const { directory } = locations.blobs;
  const directories = [locations.dataDirectory, dirname(path), directory];
  for (const each of directories) await createDirectory(each);
  opened.use(holdDirectories(directories));
  const metadata = opened.use(await SqliteMetadataStore.open({ path, clock, log }));
  await bond(metadata, locations, host);
  const blobs = opened.use(await DiskBlobStore.open({ directory, ...host }));
  const closing = opened.move();
  return { metadata, blobs, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

/** Opens the rows alone, also while a server runs. */
export async function openMetadata(
  locations: StoreLocations,
  { log }: Pick<StoreHost, 'log'>,
): Promise<MetadataStore> {
  await createDirectory(locations.dataDirectory);
  await createDirectory(dirname(locations.metadata.path));
  return SqliteMetadataStore.open({ path: locations.metadata.path, log });
}

/** Throws unless the rows are those of the blobs. Makes a pair of what is new. */
async function bond(
  metadata: MetadataStore,
  locations: StoreLocations,
  { randomBytes }: StoreHost,
): Promise<void> {
  const { directory } = locations.blobs;
  const idOfBlobs = await readStoreId(directory);
  const idOfRows = await metadata.read(({ facts }) => facts.get(idFact));
  if (idOfRows === undefined) {
    if (await holdsBlobs(directory)) throw noRowsFor(locations);
    // Also when the file is there: a crash came between it and the fact, or before its last sync.
    const id = idOfBlobs ?? Buffer.from(randomBytes(16)).toString('hex');
    await writeStoreId(directory, id);
    await metadata.write(({ facts }) => facts.set(idFact, id));
    return;
  }
  if (idOfBlobs === undefined) throw noBlobsFor(locations, idOfRows);
  if (idOfBlobs !== idOfRows) throw strangers(locations, { idOfBlobs, idOfRows });
}

function noRowsFor({ metadata: { path }, blobs: { directory } }: StoreLocations): StoreError {
  return new StoreError(
    'StoreUnavailable',
    `The directory ${directory} holds blobs, and the database ${path} does not bear their id: it is ` +
      'new, or another one. Name the database that belongs to them in FIRN_METADATA_URL, or ' +
      'restore it from a backup, or start with an empty directory of blobs.',
  );
}

function noBlobsFor(locations: StoreLocations, idOfRows: string): StoreError {
  const { directory } = locations.blobs;
  return new StoreError(
    'StoreUnavailable',
    `The database ${locations.metadata.path} belongs to the blobs of the store ${idOfRows}, and ` +
      `the directory ${directory} has no ${storeIdPath(directory)}. Mount or name in ` +
      'FIRN_BLOBS_URL the directory that belongs to it, or restore it from a backup, that file too.',
  );
}

function strangers(
  locations: StoreLocations,
  { idOfBlobs, idOfRows }: { readonly idOfBlobs: string; readonly idOfRows: string },
): StoreError {
  return new StoreError(
    'StoreUnavailable',
    `The database ${locations.metadata.path} belongs to the blobs of the store ${idOfRows}, and ` +
      `the directory ${locations.blobs.directory} holds those of the store ${idOfBlobs}. Name the ` +
      'two that belong together in FIRN_METADATA_URL and FIRN_BLOBS_URL, or restore both from one ' +
      'backup.',
  );
}
