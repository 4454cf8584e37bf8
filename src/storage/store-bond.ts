import { isEmptyVolume } from './disk/disk-volume.ts';
import { holdsBlobs, readStoreId, storeIdPath, writeStoreId } from './disk/store-id.ts';
import { storeIdInHeaders } from './disk/store-id-in-headers.ts';
import { isStoreError, StoreError } from './errors.ts';
import type { Journal } from './journal.ts';
import type { MetadataStore } from './metadata-store.ts';
import type { StoreHost, StoreLocations } from './open-volume.ts';
import { isRepairUnfinished } from './repair-state.ts';
import type { Snapshots } from './snapshots.ts';
import { factIn, holdsRows } from './sqlite/read-only.ts';

/** The fact in the database that names the blobs which belong to it. */
const idFact = 'store.id';

/**
 * The id of the store that is about to be opened, the same in the directory of blobs and in the
 * database. Throws `StoreUnavailable` when they are of two stores: to a database that is not theirs
 * all blobs would be garbage, the sweeper would agree, and a journal must not be replayed on it.
 *
 * A new pair gets an id. Where its file is lost or damaged, the headers of the files beside it tell.
 */
export async function agreeOnStoreId(
  locations: StoreLocations,
  { log, randomBytes, mayChange }: StoreHost & { readonly mayChange: boolean },
): Promise<string> {
  const { directory } = locations.blobs;
  // One that is missing, new or damaged has none: it will be made from what lies beside the blobs.
  const idOfRows = await factIn(locations.metadata.path, idFact);
  const claimed = await idInDirectory(directory);
  if (claimed !== undefined && claimed === idOfRows) return claimed;
  if (await isEmptyVolume(directory)) {
    if (claimed === undefined && (idOfRows !== undefined || !mayChange)) {
      throw noBlobsFor(locations, idOfRows);
    }
    if (claimed !== undefined && idOfRows !== undefined) {
      throw strangers(locations, { idOfBlobs: claimed, idOfRows });
    }
    if (claimed !== undefined) return claimed;
    const id = Buffer.from(randomBytes(16)).toString('hex');
    await writeStoreId(directory, id);
    return id;
  }
  // One changed bit makes another id of it, as good as any: the files beside it know better.
  const id = (await storeIdInHeaders(directory)) ?? claimed;
  if (id === undefined) throw unnamed(locations);
  if (idOfRows !== undefined && idOfRows !== id) {
    throw strangers(locations, { idOfBlobs: id, idOfRows });
  }
  if (id === claimed || !mayChange) return id;
  await writeStoreId(directory, id);
  log.warn('store-id.restored', { path: storeIdPath(directory), id });
  return id;
}

/**
 * Refuses to begin with no rows where there are blobs: the database is gone, and so is all that it
 * could be made from without asking.
 */
export async function refuseBlobsWithoutRows(
  { metadata: { path }, blobs: { directory } }: StoreLocations,
  { journal, snapshots }: { readonly journal: Journal; readonly snapshots: Snapshots },
): Promise<void> {
  if (journal.lastSequence > 0 || !(await holdsBlobs(directory)) || (await holdsRows(path))) return;
  if ((await snapshots.list()).length > 0) return;
  throw new StoreError(
    'StoreUnavailable',
    `The directory ${directory} holds blobs, and there are neither rows in the database ${path} nor a ` +
      'journal or snapshot that it could be made from. Name the database that belongs to them in ' +
      'FIRN_METADATA_URL, or restore it from a backup, or run `firn repair --rebuild`: it makes ' +
      'vaults and archives again from the blobs alone.',
  );
}

/**
 * Notes in a new database which blobs it belongs to. Throws `StoreUnavailable` when it belongs to
 * others, which may show only now that what it lacked came from the journal or a snapshot.
 */
export async function bondRows(
  metadata: MetadataStore,
  storeId: string,
  locations: StoreLocations,
): Promise<void> {
  const known = await metadata.read(({ facts }) => facts.get(idFact));
  if (known === undefined) await metadata.write(({ facts }) => facts.set(idFact, storeId));
  else if (known !== storeId) throw strangers(locations, { idOfBlobs: storeId, idOfRows: known });
}

/**
 * Refuses to serve rows that a repair has lost some of, before it has asked the blobs for them: the
 * sweeper would take those for garbage.
 */
export async function refuseUnfinishedRepair(
  metadata: MetadataStore,
  { metadata: { path } }: StoreLocations,
): Promise<void> {
  if (!(await isRepairUnfinished(metadata))) return;
  throw new StoreError(
    'StoreUnavailable',
    `A repair of the database ${path} was cut short, before the rows that it had lost were made ` +
      'again from the blobs. Run `firn repair --rebuild` once more, to its end.',
  );
}

/** Nothing when there is no id, or none that is whole. */
async function idInDirectory(directory: string): Promise<string | undefined> {
  try {
    return await readStoreId(directory);
  } catch (error) {
    if (isStoreError(error, 'BlobCorrupt')) return undefined;
    throw error;
  }
}

function noBlobsFor(locations: StoreLocations, idOfRows = 'unknown'): StoreError {
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

function unnamed({ blobs: { directory } }: StoreLocations): StoreError {
  return new StoreError(
    'StoreUnavailable',
    `The directory ${directory} holds files of a store, and neither ${storeIdPath(directory)} nor ` +
      'the header of any of them says of which. Restore that file from a backup.',
  );
}
