import { mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { Log } from '../../lib/log.ts';
import type { Journal } from '../journal.ts';
import { connectForWriting } from './connection.ts';
import { openForReading } from './database.ts';
import { isDamage } from './database-errors.ts';
import { journalPositionIn } from './journal-position.ts';
import { makeReplica, type SnapshotSource } from './rebuild.ts';
import { NotReplayable, replayJournal } from './replay.ts';
import type { Tables } from './schema.ts';

export interface ComparisonOptions {
  /** Of the database. A server may run on it. */
  readonly path: string;
  readonly log: Log;
  readonly snapshots: SnapshotSource;
  /** Opens the journal, with all that it has by then. */
  readonly openJournal: () => Promise<Journal>;
  readonly signal: AbortSignal;
}

/** By table, what is not compared: verifications, and leases that end with their server. */
const tables: Readonly<
  Record<Exclude<keyof Tables, 'verifications' | 'journal_position'>, readonly string[]>
> = {
  vaults: [],
  vault_tags: [],
  vault_notifications: [],
  vault_access_policies: [],
  vault_locks: [],
  archives: [],
  archive_blobs: [],
  uploads: [],
  parts: [],
  jobs: ['leased_until_ms'],
  retrieval_policies: [],
  retrieval_charges: [],
  capacity_units: [],
  accounts: [],
  access_keys: [],
  facts: [],
};

/** After as many rows the event loop turns. */
const rowsAtOnce = 1_000;

/**
 * Compares the database with another that is made for this, from its older snapshot and the journal,
 * among the temporary files of the system. Answers where they differ, a sentence for each table; null
 * when there is no room for that, or nothing to make it from: what is wrong then, others tell.
 */
export async function differencesFromReplay(
  options: ComparisonOptions,
): Promise<readonly string[] | null> {
  const directory = await mkdtemp(join(tmpdir(), 'firn-check-'));
  try {
    return (await isRoomIn(directory, options)) ? await compareIn(directory, options) : null;
  } catch (error) {
    if (error instanceof NotReplayable || isDamage(error)) return null;
    throw error;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A database and its log are there twice while one is restored and replayed. */
async function isRoomIn(directory: string, options: ComparisonOptions): Promise<boolean> {
  await using journal = await options.openJournal();
  const { bsize, blocks, bavail } = await statfs(directory);
  const { size } = await stat(options.path);
  return blocks === 0 || bavail * bsize > 3 * (size + journal.sizeBytes);
}

async function compareIn(
  directory: string,
  { path, log, snapshots, openJournal, signal }: ComparisonOptions,
): Promise<readonly string[] | null> {
  const target = join(directory, 'replayed.sqlite');
  {
    await using journal = await openJournal();
    if (!(await makeReplica(target, { log, journal, snapshots }))) return null;
  }
  signal.throwIfAborted();
  using database = openForReading(path);
  // From here on it stands still. What the server wrote until now is replayed as well.
  database.exec('BEGIN');
  const { sequence } = journalPositionIn(database);
  const connection = await connectForWriting({ path: target, log });
  using replica = connection.database;
  await using journal = await openJournal();
  if (journalPositionIn(replica).sequence < sequence) {
    await replayJournal(connection, until(journal, sequence));
  }
  if (journalPositionIn(replica).sequence !== sequence) return null;
  const differences: string[] = [];
  for (const [table, ignored] of Object.entries(tables)) {
    const key = await firstDifference({ one: database, other: replica, table, ignored, signal });
    if (key === undefined) continue;
    differences.push(`The database differs from its journal in ${table}, first at ${key}.`);
  }
  return differences;
}

/** The journal as it was when `sequence` was its last batch. To be read only. */
function until(journal: Journal, sequence: number): Journal {
  return {
    lastSequence: Math.min(journal.lastSequence, sequence),
    sizeBytes: journal.sizeBytes,
    append: () => Promise.reject(new TypeError('it is read only')),
    async *read(afterSequence) {
      for await (const item of journal.read(afterSequence)) {
        if ('sequence' in item && item.sequence > sequence) return;
        yield item;
        if ('sequence' in item && item.sequence === sequence) return;
      }
    },
    forget: () => Promise.reject(new TypeError('it is read only')),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** The key of the first row that is not in both, as it is in the other; nothing when all are. */
async function firstDifference({
  one,
  other,
  table,
  ignored,
  signal,
}: {
  readonly one: DatabaseSync;
  readonly other: DatabaseSync;
  readonly table: string;
  readonly ignored: readonly string[];
  readonly signal: AbortSignal;
}): Promise<string | undefined> {
  const columns = one.prepare(`PRAGMA table_info("${table}")`).all();
  const keys = columns.filter(({ pk }) => Number(pk) > 0).map(({ name }) => String(name));
  const names = columns.map(({ name }) => String(name)).filter((name) => !ignored.includes(name));
  const text = `SELECT ${names.join(', ')} FROM ${table} ORDER BY ${keys.join(', ')}`;
  const rows = one.prepare(text).iterate();
  const others = other.prepare(text).iterate();
  for (let count = 1; ; count += 1) {
    const [row, counterpart] = [rows.next(), others.next()];
    if (row.done === true && counterpart.done === true) return undefined;
    if (JSON.stringify(row.value) !== JSON.stringify(counterpart.value)) {
      return keyOf(row.done === true ? counterpart.value : row.value, keys);
    }
    if (count % rowsAtOnce !== 0) continue;
    signal.throwIfAborted();
    await setImmediate();
  }
}

function keyOf(
  row: Readonly<Record<string, SQLOutputValue>> | undefined,
  keys: readonly string[],
): string {
  return keys.map((key) => String(row?.[key])).join(', ');
}
