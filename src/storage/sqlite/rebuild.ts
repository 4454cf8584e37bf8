import { createWriteStream } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { syncDirectory } from '../../lib/node/sync-directory.ts';
import { reasonText, sentence } from '../../lib/reason-text.ts';
import { isStoreError, StoreError } from '../errors.ts';
import type { Journal } from '../journal.ts';
import type { Snapshot, Snapshots } from '../snapshots.ts';
import { connectForWriting, type WritingConnection } from './connection.ts';
import { isDamage } from './database-errors.ts';
import {
  hasDamageMark,
  isThere,
  markDamaged,
  rebuiltPath,
  removeDamageMark,
  removeDatabase,
  setAside,
} from './database-files.ts';
import { JournalPosition } from './journal-position.ts';
import { NotReplayable, replayJournal } from './replay.ts';
import { type Salvaged, salvageJournal } from './salvage.ts';

/** Snapshots to make a database from. */
export type SnapshotSource = Pick<Snapshots, 'list' | 'read'>;

export interface RebuildOptions {
  /** Of the database. Nobody has it open. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
  readonly snapshots: SnapshotSource;
  /**
   * What to do when not every change since the snapshot can be read: `refuse`, leaving everything
   * as it was, or `accept`, and make of it what can be made.
   */
  readonly loss: 'refuse' | 'accept';
}

export interface Rebuilt {
  /** Where the database that was there is now; null when there was none. */
  readonly setAside: string | null;
  /** What it was made from; null when from the journal alone, or from nothing. */
  readonly snapshot: Snapshot | null;
  /** How many batches of the journal came after that. */
  readonly batchCount: number;
  /** What is not in it, as sentences. */
  readonly lost: readonly string[];
}

/**
 * Makes the database again, from the newest snapshot that is whole and the journal after it, or from
 * the journal alone if that reaches back to the first batch. It takes the place of the one that is
 * there, which is set aside, only once it is complete and durable; a crash before leaves that.
 *
 * Throws `StoreUnavailable`, and says why, when that cannot be done without a loss that is refused.
 */
export async function rebuildDatabase(options: RebuildOptions): Promise<Rebuilt> {
  const { path, log } = options;
  const target = rebuiltPath(path);
  const { snapshot, batchCount, lost } = await make(target, options);
  // From here on a crash leaves the mark, and the next start does it all again.
  await markDamaged(path, 'It is being replaced.');
  const aside = await setAside(path, options.clock);
  await rename(target, path);
  await syncDirectory(dirname(path));
  await removeDamageMark(path);
  for (const what of lost) log.error('metadata.lost', { what });
  log.warn('metadata.rebuilt', {
    database: path,
    setAside: aside,
    snapshot: snapshot?.name ?? null,
    takenAtMs: snapshot?.takenAtMs ?? null,
    batches: batchCount,
    lost: lost.length,
  });
  return { setAside: aside, snapshot, batchCount, lost };
}

/** Whether there is nothing that a database could be made from, nor ever was. */
export async function isNothingKnown(
  options: Pick<RebuildOptions, 'path' | 'journal' | 'snapshots'>,
): Promise<boolean> {
  if ((await isThere(options.path)) || (await hasDamageMark(options.path))) return false;
  if (options.journal.lastSequence > 0) return false;
  for await (const _ of options.journal.read(0)) return false;
  return (await options.snapshots.list()).length === 0;
}

type Made = Pick<Rebuilt, 'snapshot' | 'batchCount' | 'lost'>;

interface MakeOptions extends Omit<RebuildOptions, 'path' | 'clock'> {
  /** The highest that is known of, be it of a batch or of a snapshot. */
  readonly knownSequence: number;
}

async function make(target: string, options: RebuildOptions): Promise<Made> {
  const snapshots = await options.snapshots.list();
  const sequences = snapshots.map(({ sequence }) => sequence);
  const knownSequence = Math.max(options.journal.lastSequence, ...sequences);
  const failures: string[] = [];
  // Also where a loss is accepted: an older snapshot may do without one.
  const ways = options.loss === 'accept' ? (['refuse', 'accept'] as const) : (['refuse'] as const);
  const attempts = ways.flatMap((loss) => [...snapshots, null].map((from) => ({ loss, from })));
  for (const { loss, from } of attempts) {
    await removeDatabase(target);
    try {
      const made = await makeFrom(from, target, { ...options, loss, knownSequence });
      return { snapshot: from, ...made };
    } catch (error) {
      await removeDatabase(target);
      if (!isOfItsSource(error)) throw error;
      const reason = reasonText(error);
      failures.push(sentence(reason));
      options.log.error('snapshot.unusable', { snapshot: from?.name ?? null, reason });
    }
  }
  throw cannotRebuild(options.path, failures);
}

/**
 * Makes another database at `target`, from the oldest snapshot from which that works, or from the
 * journal alone where there is none. Answers whether there is one now.
 */
export async function makeReplica(
  target: string,
  options: Pick<RebuildOptions, 'log' | 'journal' | 'snapshots'>,
): Promise<boolean> {
  const snapshots = await options.snapshots.list();
  for (const from of snapshots.length === 0 ? [null] : snapshots.toReversed()) {
    await removeDatabase(target);
    try {
      await makeFrom(from, target, { ...options, loss: 'refuse', knownSequence: 0 });
      return true;
    } catch (error) {
      if (!isOfItsSource(error)) throw error;
    }
  }
  return false;
}

/** Makes a database at `target`. Answers what it has of the journal, and what it lacks. */
async function makeFrom(
  snapshot: Snapshot | null,
  target: string,
  { log, journal, snapshots, loss, knownSequence }: MakeOptions,
): Promise<Salvaged> {
  if (snapshot !== null) await restore(snapshots, snapshot, target);
  const connection = await connectForWriting({ path: target, log });
  let made: Salvaged;
  try {
    checkPosition(connection, snapshot);
    const fill = loss === 'accept' ? salvageJournal : replayWhole;
    made = await fill(connection, journal, knownSequence);
    // Only the database is put in its place, so nothing may lie in the log alone.
    connection.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    connection.database.close();
  }
  await using file = await open(target, 'r+');
  await file.sync();
  return made;
}

async function replayWhole(
  connection: WritingConnection,
  journal: Journal,
  knownSequence: number,
): Promise<Salvaged> {
  const { sequence } = new JournalPosition(connection.database);
  if (journal.lastSequence === 0 && sequence === 0) {
    throw new NotReplayable('There is nothing in the journal.');
  }
  if (journal.lastSequence < sequence) {
    throw new NotReplayable(
      `The journal ends with batch ${journal.lastSequence}, and the snapshot has batch ${sequence} ` +
        'already: what came after it is missing.',
    );
  }
  const { batchCount } = await replayJournal(connection, journal);
  const { sequence: last } = new JournalPosition(connection.database);
  if (last < knownSequence) {
    throw new NotReplayable(
      `There were ${knownSequence} batches at least, and ${last} are to be had.`,
    );
  }
  return { batchCount, lost: [] };
}

async function restore(
  snapshots: SnapshotSource,
  { name }: Snapshot,
  target: string,
): Promise<void> {
  await pipeline(
    // Copied: what a chunk lies in is used again when the next one is asked for.
    Readable.from(copied(snapshots.read(name))),
    createWriteStream(target, { flags: 'wx', mode: 0o600 }),
  );
}

async function* copied(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield chunk.slice();
}

function checkPosition({ database }: WritingConnection, snapshot: Snapshot | null): void {
  const { sequence } = new JournalPosition(database);
  const expected = snapshot?.sequence ?? 0;
  if (sequence === expected) return;
  throw new NotReplayable(`The snapshot is of batch ${sequence}, not ${expected} as it says.`);
}

/** Whether another snapshot may do better. */
function isOfItsSource(error: unknown): error is Error {
  const isUnreadable = isStoreError(error, 'BlobCorrupt') || isStoreError(error, 'BlobNotFound');
  return error instanceof NotReplayable || isUnreadable || isDamage(error);
}

function cannotRebuild(path: string, failures: readonly string[]): StoreError {
  return new StoreError(
    'StoreUnavailable',
    `The database ${path} cannot be made again from its snapshots and journal without a loss. ` +
      `${[...new Set(failures)].join(' ')} Restore from a backup what is missing beside the blobs, or run ` +
      '`firn repair --rebuild`, which makes of it what can be made and says what is lost.',
  );
}
