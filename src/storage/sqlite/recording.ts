import type { DatabaseSync } from 'node:sqlite';
import { isStoreError } from '../errors.ts';
import type { Rows, WritableRows } from '../metadata-store.ts';

export type TableName = keyof WritableRows;

/** The methods that a table's writer has and its reader has not: those that change something. */
export type ChangeName<T extends TableName> = Exclude<keyof WritableRows[T], keyof Rows[T]> &
  string;

/**
 * Every method that changes rows. A new one does not compile until it is named here, and needs
 * nothing else to be journalled and replayed. None is left out: what was not journalled is not
 * committed. So each has to do the same again, given the same rows and arguments: no time and no
 * chance but what it is given, and no order but one that its query fixes.
 */
export const changes: {
  readonly [T in TableName]: { readonly [M in ChangeName<T>]: true };
} = {
  vaults: {
    insert: true,
    recordChange: true,
    setLastInventory: true,
    clearLastInventories: true,
    remove: true,
  },
  vaultSettings: {
    putTags: true,
    removeTags: true,
    setNotifications: true,
    setAccessPolicy: true,
    setLock: true,
  },
  archives: { insert: true, insertUploaded: true, markRemoved: true, forget: true },
  uploads: {
    insert: true,
    update: true,
    touch: true,
    putPart: true,
    removeParts: true,
    abandon: true,
    remove: true,
  },
  jobs: {
    insert: true,
    update: true,
    remove: true,
    lease: true,
    extendLease: true,
    releaseLeases: true,
  },
  retrievals: { setPolicy: true, insertCharge: true, forgetCharges: true },
  capacity: { insert: true, forgetExpired: true },
  accounts: { insert: true, insertAccessKey: true, removeAccessKey: true },
  facts: { set: true },
  blobs: { repoint: true },
  verifications: { note: true },
};

/** A method of some table, when its name is not known beforehand. */
export type Method = (...parameters: readonly unknown[]) => Promise<unknown>;

/** The method `name` of `table`, if it is one that changes rows. */
export function changeOf(rows: WritableRows, table: string, name: string): Method | undefined {
  if (!Object.hasOwn(changes, table)) return undefined;
  const tableName = table as TableName;
  if (!Object.hasOwn(changes[tableName], name)) return undefined;
  // The table of changes names methods of these rows only: its type sees to that.
  return (rows[tableName] as unknown as Readonly<Record<string, Method>>)[name];
}

/** Counts the rows that were ever changed over the connection, those of taken-back changes too. */
export function changeCounter(database: DatabaseSync): () => number {
  const count = database.prepare('SELECT total_changes() AS count');
  return () => Number(count.get()?.['count']);
}

/** The changes that a transaction makes, as the text of calls. */
export class Recording {
  readonly #changedRows: () => number;
  #calls: (string | null)[] = [];
  #failure: { readonly error: unknown } | null = null;

  /** `changedRows` counts up with each row that is changed. */
  constructor(changedRows: () => number) {
    this.#changedRows = changedRows;
  }

  /**
   * What a change of rows failed with, unless it was a `Conflict`: that leaves the rows as they
   * were, anything else perhaps not. So the transaction must not go on.
   */
  get failure(): { readonly error: unknown } | null {
    return this.#failure;
  }

  /**
   * Runs `method`, and notes the call unless it fails or changes no row: whoever asks again and again
   * for something to do is not to fill the journal.
   */
  async call(parts: readonly [string, string], method: Method, parameters: readonly unknown[]) {
    // Written down before others can change the parameters, and in the order in which calls begin,
    // which is that in which they happen.
    const before = this.#changedRows();
    const index = this.#calls.push(JSON.stringify([...parts, ...parameters])) - 1;
    try {
      const value = await method(...parameters);
      if (this.#changedRows() === before) this.#calls[index] = null;
      return value;
    } catch (error) {
      this.#calls[index] = null;
      if (!isStoreError(error, 'Conflict')) this.#failure ??= { error };
      throw error;
    }
  }

  /** Ends the transaction. Answers the text of its calls, empty when it changed nothing. */
  take(): string {
    const text = this.#calls.filter((call) => call !== null).join(',');
    this.#calls = [];
    this.#failure = null;
    return text;
  }
}

/** `rows`, with each change noted in `recording`. */
export function recorded(rows: WritableRows, recording: Recording): WritableRows {
  const tables = Object.entries(changes).map(([table, names]) => {
    const own = Object.keys(names).map((name) => {
      const method = changeOf(rows, table, name);
      if (method === undefined) throw new TypeError(`no ${table}.${name}`);
      return [
        name,
        (...parameters: unknown[]) => recording.call([table, name], method, parameters),
      ];
    });
    return [table, { ...rows[table as TableName], ...Object.fromEntries(own) }];
  });
  // Each method of `rows` by its name, or one around it that takes and answers the same.
  return Object.fromEntries(tables) as unknown as WritableRows;
}
