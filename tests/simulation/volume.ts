import { SimulatedClock } from '../../src/lib/clock.ts';
import { DiskJournal } from '../../src/storage/disk/disk-journal.ts';
import { DiskVolume } from '../../src/storage/disk/disk-volume.ts';
import { type Files, Layout } from '../../src/storage/disk/files.ts';
import { inlineFrameCiphers } from '../../src/storage/disk/frame-ciphers.ts';
import { MasterKeys } from '../../src/storage/disk/master-keys.ts';
import type { SimulatedFiles } from '../../src/storage/disk/simulated-files.ts';
import type { Journal } from '../../src/storage/journal.ts';
import { RecordedLog } from '../support/recorded-log.ts';
import { seededRandomBytes } from '../support/seeded-random.ts';

export const directory = '/store';
export const layout = new Layout(directory);
const sameStoreId = '0123456789abcdef0123456789abcdef';

/** Small enough that a few blobs, or batches, fill a file. */
const fileSizeBytesMin = 72 * 1024;

/** All that is kept in one directory, open. */
export interface OpenVolume extends AsyncDisposable {
  readonly blobs: DiskVolume['blobs'];
  readonly snapshots: DiskVolume['snapshots'];
  readonly journal: Journal;
  readonly log: RecordedLog;
}

export interface VolumeHost {
  readonly clock: SimulatedClock;
  /** The current one first. */
  readonly masterKeys: MasterKeys;
  readonly storeId: string;
}

export const firstKey = new Uint8Array(32).fill(7);

/** No two runs draw the same: what is random shall be so across crashes, too. */
let runs = 0;

export async function openVolume(
  files: Files,
  host: Partial<VolumeHost> = {},
): Promise<OpenVolume> {
  const { clock = new SimulatedClock(), storeId = sameStoreId } = host;
  const { masterKeys = new MasterKeys([firstKey]) } = host;
  runs += 1;
  const log = new RecordedLog();
  const volume = await DiskVolume.open({
    ...{ directory, files, storeId, masterKeys, clock, log },
    randomBytes: seededRandomBytes(`run ${runs}`),
    // Threads would make the order of things another one each time.
    ciphers: inlineFrameCiphers,
    segmentSizeBytesMin: fileSizeBytesMin,
  });
  const journal = await DiskJournal.open({ ...volume.parts, fileSizeBytesMin });
  return {
    blobs: volume.blobs,
    snapshots: volume.snapshots,
    journal,
    log,
    [Symbol.asyncDispose]: async () => {
      await journal[Symbol.asyncDispose]();
      await volume[Symbol.asyncDispose]();
    },
  };
}

/** Files that have no business to be there when there are no blobs. */
export function strayFiles(files: SimulatedFiles): string[] {
  const places = [layout.incoming, layout.large, layout.segments];
  return [...files.sizes().keys()].filter((path) => places.some((place) => path.startsWith(place)));
}
