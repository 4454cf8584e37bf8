import { setImmediate } from 'node:timers/promises';
import { isStoreError } from '../errors.ts';
import type { Journal, JournalBatch } from '../journal.ts';
import type { WritableRows } from '../metadata-store.ts';
import { repairFact } from '../repair-state.ts';
import type { Connection } from './connection.ts';
import { storeErrorFrom } from './database-errors.ts';
import { isOfHistory, JournalPosition, markOf, type Position } from './journal-position.ts';
import { applyCalls, type Call, decodePayload } from './payload.ts';
import { replayLogPages } from './replay.ts';

/** What came of it. */
export interface Salvaged {
  /** How many batches were applied, if not all of each. */
  readonly batchCount: number;
  /** What was lost, as sentences. */
  readonly lost: readonly string[];
}

/**
 * Applies what there is of the journal after the database's position, though some is missing:
 * transaction by transaction, without those that need what is not there. Nothing was
 * lost when no sentence says so. `knownSequence` is the highest that is known of, be it
 * of a batch or of a snapshot.
 */
export async function salvageJournal(
  { database, rows, scope }: Connection<WritableRows>,
  journal: Journal,
  knownSequence: number,
): Promise<Salvaged> {
  const position = new JournalPosition(database);
  const salvage = new Salvage({ database, rows }, position);
  if (journal.lastSequence === 0 && position.sequence === 0) {
    salvage.lost.push('There is neither a snapshot nor a journal: all rows are lost.');
  }
  if (journal.lastSequence < position.sequence) {
    salvage.lost.push(
      `The journal ends with batch ${journal.lastSequence}, before the snapshot of batch ` +
        `${position.sequence}: what came after that is lost.`,
    );
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
      position.set(salvage.position);
      database.exec('COMMIT');
      await setImmediate();
    }
    salvage.end(knownSequence);
    if (salvage.lost.length > 0) {
      database.exec('BEGIN IMMEDIATE');
      database.exec(mendTotals);
      database.exec(mendDiscarded);
      // Until the blobs were asked for what is lost.
      await rows.facts.set(repairFact.name, repairFact.unfinished);
      position.set(salvage.positionBehind(knownSequence));
      database.exec('COMMIT');
    }
  } catch (error) {
    throw storeErrorFrom(error, database.location());
  } finally {
    scope.mode = 'closed';
    if (database.isTransaction) database.exec('ROLLBACK');
  }
  const { batchCount, lost } = salvage;
  return { batchCount, lost };
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

/** What lost changes removed of their parts is there still: it has to be removed once more. */
const mendDiscarded = `
  UPDATE uploads SET is_discarded = 0
  WHERE is_discarded = 1 AND state IN ('Aborted', 'Expired')
    AND EXISTS (SELECT 1 FROM parts WHERE parts.upload = uploads.id)`;

class Salvage {
  readonly lost: string[] = [];
  batchCount = 0;
  readonly #connection: Pick<Connection<WritableRows>, 'database' | 'rows'>;
  #position: Position;
  #damage: string | null = null;
  #isComplete = true;

  constructor(
    connection: Pick<Connection<WritableRows>, 'database' | 'rows'>,
    { sequence, mark }: Position,
  ) {
    this.#connection = connection;
    this.#position = { sequence, mark };
  }

  get position(): Position {
    return this.#position;
  }

  /**
   * Ahead of all that is known by a number that no batch gets: what is damaged in the journal lies
   * behind the database from now on, and keeps no start from going on. A history of its own: what is
   * lost does not belong to it any more, should it be found.
   */
  positionBehind(knownSequence: number): Position {
    const { sequence, mark } = this.#position;
    return {
      sequence: Math.max(sequence, knownSequence) + 1,
      mark: markOf(Buffer.from([mark, ...this.lost].join('\n'))),
    };
  }

  noteDamage(damage: string): void {
    this.#noteLastDamage();
    this.#damage = damage;
  }

  end(knownSequence: number): void {
    this.#noteLastDamage();
    const { sequence } = this.#position;
    if (sequence >= knownSequence) return;
    this.lost.push(
      `${batchesText(sequence + 1, knownSequence)} lost, and perhaps some that followed.`,
    );
  }

  /** Nothing follows on what was damaged last. */
  #noteLastDamage(): void {
    if (this.#damage === null) return;
    this.lost.push(`The journal is damaged: ${this.#damage}.`);
    this.#damage = null;
  }

  async apply({ sequence, payload }: JournalBatch): Promise<void> {
    const before = this.#position;
    if (sequence <= before.sequence) return;
    const { previous, transactions } = decodePayload(payload);
    if (sequence > before.sequence + 1) {
      const missing = `${batchesText(before.sequence + 1, sequence - 1)} not in the journal.`;
      const damage = this.#damage;
      this.lost.push(damage === null ? missing : `The journal is damaged: ${damage}.`);
      this.#isComplete = false;
    } else if (!isOfHistory(previous, before)) {
      this.lost.push(
        `What batch ${sequence} follows on is lost: batch ${before.sequence} is of another history.`,
      );
      this.#isComplete = false;
    }
    this.#damage = null;
    for (const calls of transactions) {
      // Ordinals count archives in the order of insertion: after a gap they mean other ones.
      const rest = this.#isComplete ? calls : calls.filter(([table]) => table !== 'verifications');
      await this.#attempt(sequence, rest);
    }
    this.#position = { sequence, mark: markOf(payload) };
    this.batchCount += 1;
  }

  async #attempt(sequence: number, calls: readonly Call[]): Promise<void> {
    const { database, rows } = this.#connection;
    database.exec('SAVEPOINT attempt');
    try {
      await applyCalls(rows, calls);
    } catch (error) {
      if (isStoreError(error) && error.code !== 'Conflict') throw error;
      database.exec('ROLLBACK TO attempt');
      this.#isComplete = false;
      const names = calls.map(([table, name]) => `${table}.${name}`).join(', ');
      this.lost.push(`A transaction of batch ${sequence} needs what is lost: ${names}.`);
    }
    database.exec('RELEASE attempt');
  }
}

function batchesText(first: number, last: number): string {
  return first === last ? `Batch ${first} is` : `The batches ${first} to ${last} are`;
}
