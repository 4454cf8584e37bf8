import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Journal } from '../journal.ts';
import { connectForWriting, type StatementObserver, type WritingConnection } from './connection.ts';
import { isDamage } from './database-errors.ts';
import { hasDamageMark, isThere, setAside } from './database-files.ts';
import { JournalPosition } from './journal-position.ts';
import { isNothingKnown, rebuildDatabase, type SnapshotSource } from './rebuild.ts';
import { NotReplayable, replayJournal } from './replay.ts';

export interface RecoveryOptions extends StatementObserver {
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
  readonly snapshots: SnapshotSource;
  readonly sizeBytesMax?: number | undefined;
}

export interface UpToDate {
  readonly connection: WritingConnection;
  /** Whether a snapshot is needed soon, since the last one or the journal may not be enough. */
  readonly isSnapshotNeeded: boolean;
}

/**
 * Opens the database with all that the journal has. One that is missing, damaged, or too old for the
 * journal is set aside and made again, if that can be done without a loss.
 */
export async function openUpToDate(options: RecoveryOptions): Promise<UpToDate> {
  const { path, clock, log, journal, snapshots } = options;
  let reason = await reasonToRebuild(options);
  if (reason === null) {
    try {
      return await openAndReplay(options);
    } catch (error) {
      if (!isDamage(error) && !(error instanceof NotReplayable)) throw error;
      reason = error;
    }
  }
  log.error('metadata.damaged', { database: path, error: reason });
  await rebuildDatabase({ path, clock, log, journal, snapshots, loss: 'refuse' });
  const { connection } = await openAndReplay(options);
  return { connection, isSnapshotNeeded: true };
}

/** Null when the database can be tried. */
async function reasonToRebuild(options: RecoveryOptions): Promise<unknown> {
  const { path, clock } = options;
  if (await isNothingKnown(options)) {
    // A log without its database would become part of the new one.
    await setAside(path, clock);
    return null;
  }
  if (await hasDamageMark(path)) return new Error('It was found damaged when it was last used.');
  return (await isThere(path)) ? null : new Error('It is missing.');
}

async function openAndReplay(options: RecoveryOptions): Promise<UpToDate> {
  const { journal, log, path } = options;
  const connection = await connectForWriting(options);
  try {
    const before = new JournalPosition(connection.database).sequence;
    const { damages, batchCount } = await replayJournal(connection, journal);
    for (const damage of damages) log.error('journal.damaged', { damage });
    if (batchCount > 0) log.info('metadata.replayed', { database: path, batches: batchCount });
    const isAhead = journal.lastSequence < before;
    if (isAhead) {
      log.warn('journal.behind', { database: before, journal: journal.lastSequence });
    }
    const isSnapshotNeeded = damages.length > 0 || isAhead || (connection.isMigrated && before > 0);
    return { connection, isSnapshotNeeded };
  } catch (error) {
    connection.database.close();
    throw error;
  }
}
