import { setImmediate } from 'node:timers/promises';
import { isStoreError } from '../errors.ts';
import type { Journal, JournalBatch } from '../journal.ts';
import type { WritableRows } from '../metadata-store.ts';
import type { Connection } from './connection.ts';
import { storeErrorFrom } from './database-errors.ts';
import { JournalPosition } from './journal-position.ts';
import { applyCalls, decodePayload } from './payload.ts';
import { replayLogPages } from './replay.ts';

/**
 * Applies what there is of the journal after the database's position, though some is missing:
 * transaction by transaction, without those that need what is not there. Answers what was lost, as
 * sentences; nothing was when there are none.
 */
export async function salvageJournal(
  { database, rows, scope }: Connection<WritableRows>,
  journal: Journal,
): Promise<string[]> {
  const position = new JournalPosition(database);
  const salvage = new Salvage({ database, rows }, position.sequence);
  if (journal.lastSequence === 0 && position.sequence === 0) {
    salvage.lost.push('There is neither a snapshot nor a journal: everything.');
  }
  if (journal.lastSequence < position.sequence) {
    salvage.lost.push(`The journal ends with batch ${journal.lastSequence}, before the snapshot.`);
  }
  scope.mode = 'writing';
  database.exec(`PRAGMA wal_autocheckpoint = ${replayLogPages}`);
  try {
    for await (const item of journal.read(position.sequence)) {
      if ('damage' in item) {
        salvage.noteDamage(item.damage);
        continue;
      }
      database.exec('BEGIN IMMEDIATE');
      await salvage.apply(item);
      position.set(salvage.sequence);
      database.exec('COMMIT');
      await setImmediate();
    }
    salvage.end();
    if (salvage.lost.length > 0) {
      database.exec('BEGIN IMMEDIATE');
      database.exec(mendTotals);
      // Ahead of the journal by a number that no batch gets: what is damaged there lies behind the
      // database from now on, and keeps no start from going on.
      position.set(Math.max(salvage.sequence, journal.lastSequence) + 1);
      database.exec('COMMIT');
    }
  } catch (error) {
    throw storeErrorFrom(error, database.location());
  } finally {
    scope.mode = 'closed';
    if (database.isTransaction) database.exec('ROLLBACK');
  }
  return salvage.lost;
}

/** What a vault says of its archives can be told from them. */
const mendTotals = `
  UPDATE vaults SET
    archive_count = totals.archive_count,
    size_bytes = totals.size_bytes,
    changes = max(vaults.changes, totals.changes)
  FROM (
    SELECT v.vault_id,
      count(a.id) FILTER (WHERE a.removed_change IS NULL) AS archive_count,
      coalesce(sum(a.size_bytes) FILTER (WHERE a.removed_change IS NULL), 0) AS size_bytes,
      coalesce(max(max(a.added_change, coalesce(a.removed_change, 0))), 0) AS changes
    FROM vaults AS v LEFT JOIN archives AS a ON a.vault_id = v.vault_id
    GROUP BY v.vault_id
  ) AS totals
  WHERE vaults.vault_id = totals.vault_id`;

class Salvage {
  readonly lost: string[] = [];
  readonly #connection: Pick<Connection<WritableRows>, 'database' | 'rows'>;
  #sequence: number;
  #damage: string | null = null;
  #isComplete = true;

  constructor(connection: Pick<Connection<WritableRows>, 'database' | 'rows'>, sequence: number) {
    this.#connection = connection;
    this.#sequence = sequence;
  }

  get sequence(): number {
    return this.#sequence;
  }

  noteDamage(damage: string): void {
    this.end();
    this.#damage = damage;
  }

  /** Nothing follows on what was damaged last. */
  end(): void {
    if (this.#damage !== null) this.lost.push(`After batch ${this.#sequence}: ${this.#damage}`);
    this.#damage = null;
  }

  async apply({ sequence, payload }: JournalBatch): Promise<void> {
    if (sequence <= this.#sequence) return;
    if (sequence > this.#sequence + 1) {
      const what = this.#damage ?? 'They are not in the journal.';
      this.lost.push(`The batches after ${this.#sequence} and before ${sequence}: ${what}`);
      this.#isComplete = false;
    }
    this.#damage = null;
    for (const calls of decodePayload(payload)) {
      // Ordinals count archives in the order of insertion: after a gap they mean other ones.
      const rest = this.#isComplete ? calls : calls.filter(([table]) => table !== 'verifications');
      await this.#attempt(sequence, rest);
    }
    this.#sequence = sequence;
  }

  async #attempt(sequence: number, calls: Parameters<typeof applyCalls>[1]): Promise<void> {
    const { database, rows } = this.#connection;
    database.exec('SAVEPOINT attempt');
    try {
      await applyCalls(rows, calls);
    } catch (error) {
      if (isStoreError(error) && error.code !== 'Conflict') throw error;
      database.exec('ROLLBACK TO attempt');
      this.#isComplete = false;
      const names = calls.map(([table, name]) => `${table}.${name}`).join(', ');
      this.lost.push(`Of batch ${sequence} a transaction that needs what is lost: ${names}.`);
    }
    database.exec('RELEASE attempt');
  }
}
