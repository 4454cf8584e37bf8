import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { reasonText } from '../../lib/reason-text.ts';
import type { Journal } from '../journal.ts';
import { hasRepairDoubt, repairFact } from '../repair-state.ts';
import { connectForWriting, type StatementObserver, type WritingConnection } from './connection.ts';
import { isDamage } from './database-errors.ts';
import { hasDamageMark, isThere, setAside } from './database-files.ts';
import { JournalPosition, markOf, type Position } from './journal-position.ts';
import { applyCalls, type Call, encodePayload } from './payload.ts';
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
  log.error('metadata.damaged', { database: path, reason: reasonText(reason) });
  await rebuildDatabase({ path, clock, log, journal, snapshots, loss: 'refuse' });
  const { connection } = await openAndReplay(options);
  try {
    // A journal whose end is gone, too, reads like one that has always ended there.
    await noteDoubt(connection, journal);
  } catch (error) {
    connection.database.close();
    throw error;
  }
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
    const position = new JournalPosition(connection.database);
    const before = position.sequence;
    await checkAgainstSnapshots(position, options);
    if (before === journal.lastSequence) await checkLastBatch(position, journal);
    const { damages, batchCount } = await replayJournal(connection, journal);
    for (const damage of damages) log.error('journal.damaged', { damage });
    if (batchCount > 0) log.info('metadata.replayed', { database: path, batches: batchCount });
    const isAhead = journal.lastSequence < before;
    if (isAhead) {
      log.warn('journal.behind', { database: before, journal: journal.lastSequence });
      await goOnBehind(connection, journal);
    }
    const isSnapshotNeeded = damages.length > 0 || isAhead || (connection.isMigrated && before > 0);
    return { connection, isSnapshotNeeded };
  } catch (error) {
    connection.database.close();
    throw error;
  }
}

/** An old database, with a journal that is gone or as old, lacks what its snapshots tell of. */
async function checkAgainstSnapshots(
  { sequence }: Position,
  { journal, snapshots }: RecoveryOptions,
): Promise<void> {
  const last = Math.max(sequence, journal.lastSequence);
  const later = (await snapshots.list()).find((snapshot) => snapshot.sequence > last);
  if (later === undefined) return;
  throw new NotReplayable(
    `The database has batch ${sequence} and the journal ends with batch ${journal.lastSequence}, ` +
      `but there is a snapshot of batch ${later.sequence}.`,
  );
}

/** Where no batch follows that would tell, the last one does: whether the two are of one history. */
async function checkLastBatch({ sequence, mark }: Position, journal: Journal): Promise<void> {
  if (mark === '') return;
  for await (const item of journal.read(sequence - 1)) {
    if ('damage' in item || item.sequence !== sequence) continue;
    if (markOf(item.payload) === mark) return;
    throw new NotReplayable(`The database has another batch ${sequence} than the journal.`);
  }
}

/**
 * Lets the journal begin again where the database is, with a batch of its own. Else a snapshot taken
 * now would look like one after which the journal is lost. The batch notes that rows may be lost,
 * unless that is known already: a database that is ahead may be an old one all the same.
 */
async function goOnBehind(connection: WritingConnection, journal: Journal): Promise<void> {
  const isKnown = (await stateOf(connection)) === repairFact.unfinished;
  await appendCalls(connection, journal, isKnown ? [] : [doubt]);
}

/** Notes that rows may be lost of which nothing is known, unless that is noted already. */
async function noteDoubt(connection: WritingConnection, journal: Journal): Promise<void> {
  if (hasRepairDoubt(await stateOf(connection))) return;
  await appendCalls(connection, journal, [doubt]);
}

const doubt: Call = ['facts', 'set', repairFact.name, repairFact.advised];

async function stateOf({ rows, scope }: WritingConnection): Promise<string | undefined> {
  scope.mode = 'writing';
  try {
    return await rows.facts.get(repairFact.name);
  } finally {
    scope.mode = 'closed';
  }
}

/** Writes a batch, as the journal and the database know it, before the store is open. */
async function appendCalls(
  { database, rows, scope }: WritingConnection,
  journal: Journal,
  calls: readonly Call[],
): Promise<void> {
  const position = new JournalPosition(database);
  database.exec('BEGIN IMMEDIATE');
  scope.mode = 'writing';
  try {
    await applyCalls(rows, calls);
    const payload = encodePayload(
      calls.map((call) => JSON.stringify(call)),
      position.mark,
    );
    const sequence = position.sequence + 1;
    position.set({ sequence, mark: markOf(payload) });
    await journal.append({ sequence, payload });
    database.exec('COMMIT');
  } finally {
    scope.mode = 'closed';
    if (database.isTransaction) database.exec('ROLLBACK');
  }
}
