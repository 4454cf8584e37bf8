import type { StoreCondition } from './blob-store.ts';
import type { DiskVolume } from './disk/disk-volume.ts';
import { formatVersion } from './disk/file-header.ts';
import type { Journal } from './journal.ts';

/** What is told of the stores to whoever watches over them. Cheap enough to be asked often. */
export interface Describing {
  describe(): Promise<{
    readonly id: string;
    /** The version of the format on disk. */
    readonly format: number;
    /** Null when no server has the stores open. */
    readonly condition: StoreCondition | null;
    /** Room on the file system that they lie on, and its whole size. */
    readonly freeBytes: number;
    readonly sizeBytes: number;
  }>;
  describeMetadata(): Promise<{
    /** The last batch of changes in the journal. */
    readonly sequence: number;
    readonly journalBytes: number;
    readonly lastSnapshotAtMs: number | null;
  }>;
}

export function describing({
  storeId,
  volume,
  journal,
  condition,
}: {
  readonly storeId: string;
  readonly volume: DiskVolume;
  readonly journal: Journal;
  readonly condition: () => StoreCondition | null;
}): Describing {
  const { files, layout } = volume.parts;
  return {
    async describe() {
      const room = await files.room(layout.root);
      return { id: storeId, format: formatVersion, condition: condition(), ...room };
    },
    async describeMetadata() {
      const [newest] = await volume.snapshots.list();
      const { lastSequence: sequence, sizeBytes: journalBytes } = journal;
      return { sequence, journalBytes, lastSnapshotAtMs: newest?.takenAtMs ?? null };
    },
  };
}
