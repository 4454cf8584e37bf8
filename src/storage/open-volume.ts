import { dirname } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { RandomBytes } from '../lib/random.ts';
import { createDirectory } from './disk/create-directory.ts';
import { DiskJournal } from './disk/disk-journal.ts';
import { DiskVolume, isEmptyVolume } from './disk/disk-volume.ts';
import { loadMasterKeys } from './disk/master-key-file.ts';
import type { MasterKeys } from './disk/master-keys.ts';
import { nodeFiles } from './disk/node-files.ts';
import { probeFileSystem } from './disk/probe-file-system.ts';
import { Reserve } from './disk/reserve.ts';
import { holdDirectories } from './sqlite/directory-hold.ts';
import { agreeOnStoreId } from './store-bond.ts';

/** Where the stores are. Paths are absolute. */
export interface StoreLocations {
  readonly dataDirectory: string;
  readonly metadata: { readonly path: string };
  readonly blobs: { readonly directory: string };
  /** `isDefault`: no setting named it. */
  readonly masterKey: { readonly path: string; readonly isDefault: boolean };
}

export interface StoreHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly randomBytes: RandomBytes;
}

/** What lies on the disks, held for this process alone. */
export interface OpenVolume extends AsyncDisposable {
  readonly storeId: string;
  readonly masterKeys: MasterKeys;
  readonly volume: DiskVolume;
  readonly journal: DiskJournal;
  readonly reserve: Reserve;
}

/** Creates and holds the directories: throws when another server holds one, and says which. */
export async function holdStores(locations: StoreLocations): Promise<Disposable> {
  const { dataDirectory, metadata, blobs } = locations;
  const directories = [dataDirectory, dirname(metadata.path), blobs.directory];
  for (const each of directories) await createDirectory(each);
  const held = holdDirectories(directories);
  try {
    for (const directory of new Set(directories)) {
      await probeFileSystem({ directory, files: nodeFiles });
    }
  } catch (error) {
    held[Symbol.dispose]();
    throw error;
  }
  return held;
}

/** Opens what the caller holds the directories of. */
export async function openVolume(locations: StoreLocations, host: StoreHost): Promise<OpenVolume> {
  await using opened = new AsyncDisposableStack();
  const { directory } = locations.blobs;
  const { path, isDefault: isGenerated } = locations.masterKey;
  const mayCreate = await isEmptyVolume(directory);
  const storeId = await agreeOnStoreId(locations, { ...host, mayChange: true });
  const masterKeys = await loadMasterKeys({ path, isGenerated, mayCreate, ...host });
  const volume = opened.use(await DiskVolume.open({ directory, storeId, masterKeys, ...host }));
  const reserve = await Reserve.open({ ...volume.parts, ...host });
  const onFull = () => reserve.release();
  const journal = opened.use(await DiskJournal.open({ ...volume.parts, onFull }));
  const closing = opened.move();
  return {
    ...{ storeId, masterKeys, volume, reserve, journal },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
