import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { isStoreError, StoreError } from '../errors.ts';
import type { Journal } from '../journal.ts';
import type { Rows } from '../metadata-store.ts';
import type { Snapshots } from '../snapshots.ts';
import {
  type Connection,
  connectForReading,
  connectForWriting,
  isInMemory,
  type WritingConnection,
} from './connection.ts';
import { isDamage, storeErrorFrom } from './database-errors.ts';
import { removeLeftovers } from './database-files.ts';
import type { SnapshotSource } from './rebuild.ts';
import { openUpToDate } from './recovery.ts';
import { replayJournal } from './replay.ts';

export interface SqliteOptions {
  /** Where the database is, or shall be; its directory is there. `:memory:` keeps it nowhere. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes every change before it is committed. Stays its owner's to close, after the store. */
  readonly journal: Journal;
  /** What a lost database is made from, with the journal. Without, only from the whole journal. */
  readonly snapshots?: Snapshots;
  /** Told that there was no room for the database, so that somebody gives back a reserve. */
  readonly onFull?: () => Promise<void>;
  /** Rejects with `StoreFull` when there is no room for a snapshot beside the blobs. */
  readonly checkRoom?: () => Promise<void>;
  /** How large the database may become. */
  readonly sizeBytesMax?: number;
  /** Told the text of each statement that the store will run. */
  readonly onCompiled?: (text: string) => void;
  /** Called before each commit. A value, so that a test can fail it. */
  readonly beforeCommit?: () => void;
}

/** What a store is made of that has to be opened. */
export interface StoreParts {
  readonly writing: WritingConnection;
  /** Null when reads use the connection of the writes. */
  readonly reading: Connection<Rows> | null;
  /** Whether a snapshot is wanted as soon as there can be one. */
  readonly isSnapshotNeeded: boolean;
  /** Hears of damage. Its statements are compiled before the store that wants to know is there. */
  readonly watch: { onDamage: (error: unknown) => void };
}

/** Opens the database, with all that the journal has. */
export async function openParts(options: SqliteOptions): Promise<StoreParts> {
  if (isInMemory(options.path)) return await openInMemory(options);
  try {
    return await openOnDisk(options);
  } catch (error) {
    const { onFull } = options;
    if (onFull === undefined || !isStoreError(storeErrorFrom(error), 'StoreFull')) throw error;
    // The log is begun anew at each start, and what the journal has more than the database takes
    // room. A full disk must not keep a server from coming back.
    await onFull();
    return await openOnDisk(options);
  }
}

export function closeParts({ writing, reading }: StoreParts): void {
  try {
    reading?.database.close();
  } finally {
    writing.database.close();
  }
}

async function openInMemory(options: SqliteOptions): Promise<StoreParts> {
  const writing = await connectForWriting(options);
  await replayJournal(writing, options.journal);
  return { writing, reading: null, isSnapshotNeeded: false, watch: { onDamage: () => undefined } };
}

async function openOnDisk(options: SqliteOptions): Promise<StoreParts> {
  const { path, snapshots = noSnapshots } = options;
  const watch: StoreParts['watch'] = { onDamage: () => undefined };
  const onError = (error: unknown) => {
    if (isDamage(error)) watch.onDamage(error);
  };
  await removeLeftovers(path);
  const upToDate = await openUpToDate({ ...options, snapshots, onError });
  const { connection: writing, isSnapshotNeeded } = upToDate;
  try {
    const reading = await connectForReading({ path, onError });
    return { writing, reading, isSnapshotNeeded, watch };
  } catch (error) {
    writing.database.close();
    throw error;
  }
}

const noSnapshots: SnapshotSource = {
  list: async () => [],
  read: (name) => {
    throw new StoreError('BlobNotFound', `There is no snapshot ${name}.`);
  },
};
