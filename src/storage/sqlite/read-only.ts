import { StoreError } from '../errors.ts';
import type { MetadataStore } from '../metadata-store.ts';
import { connectForReading } from './connection.ts';
import { storeErrorFrom } from './database-errors.ts';
import { isThere } from './database-files.ts';
import { ReadTransactions } from './read-transactions.ts';

/** Rows to read, and nothing else. */
export type ReadOnlyStore = Pick<MetadataStore, 'read'> & AsyncDisposable;

/**
 * Opens the database for reading, also while a server runs on it: reads see what is committed then.
 * What a crash left in the journal alone is not in it before the server was started again. Throws
 * `StoreUnavailable` when there is no database, or when it is not of this version.
 */
export async function openReadOnly(path: string): Promise<ReadOnlyStore> {
  try {
    if (!(await isThere(path))) {
      throw new StoreError('StoreUnavailable', `There is no database ${path}.`);
    }
    const connection = await connectForReading({ path });
    const reads = new ReadTransactions(connection);
    return {
      read: (work) => reads.add(() => work(connection.rows)),
      async [Symbol.asyncDispose]() {
        await reads.close();
        if (connection.database.isOpen) connection.database.close();
      },
    };
  } catch (error) {
    throw storeErrorFrom(error, path);
  }
}
