import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { SystemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { datedId } from '../../src/lib/random.ts';
import { idLengths } from '../../src/protocol/names.ts';
import type { BlobId } from '../../src/storage/blob-store.ts';
import type { WritableRows } from '../../src/storage/metadata-store.ts';
import { openStores } from '../../src/storage/open.ts';
import type { VaultKey } from '../../src/storage/rows.ts';

/** How many rows go into one transaction. */
const rowsPerWrite = 1000;

/**
 * The rows of a data directory on which a server has been, and none is now, for putting in more than
 * requests could in the time: through the store's own writers, and so through its journal.
 */
export class FilledStores implements AsyncDisposable {
  readonly #stores: Awaited<ReturnType<typeof openStores>>;

  private constructor(stores: Awaited<ReturnType<typeof openStores>>) {
    this.#stores = stores;
  }

  static async open(directory: string): Promise<FilledStores> {
    const dataDirectory = join(directory, 'data');
    const locations = {
      dataDirectory,
      metadata: { path: databaseIn(directory) },
      blobs: { directory: join(dataDirectory, 'blobs') },
      masterKey: { path: join(dataDirectory, 'master.key'), isDefault: true },
    };
    const host = { clock: new SystemClock(), log: silentLog, randomBytes };
    return new FilledStores(await openStores(locations, host));
  }

  /** The id of a vault that a server has made, and the account that it is in. */
  async vault(vaultName: string): Promise<{ readonly vaultId: string; readonly key: VaultKey }> {
    const all = await this.#stores.metadata.read(({ vaults }) =>
      vaults.listAll({ after: null, limit: 1000 }),
    );
    const vault = all.find((each) => each.vaultName === vaultName);
    if (vault === undefined) throw new Error(`There is no vault ${vaultName}.`);
    const { accountId, region } = vault;
    return { vaultId: vault.vaultId, key: { accountId, region, vaultName } };
  }

  /** Calls `put` once for each number from 0 on, in transactions of many. */
  async put(
    count: number,
    put: (rows: WritableRows, index: number) => Promise<void>,
  ): Promise<void> {
    for (let from = 0; from < count; from += rowsPerWrite) {
      await this.#stores.metadata.write(async (rows) => {
        for (let at = from; at < Math.min(count, from + rowsPerWrite); at++) await put(rows, at);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stores[Symbol.asyncDispose]();
  }
}

/** Where a measured server has its rows. */
export function databaseIn(directory: string): string {
  return join(directory, 'data', 'metadata.sqlite');
}

/** Puts in the row of an archive of 1 KiB, without its bytes. */
export async function putArchive(
  { vaults, archives }: WritableRows,
  { vaultId, index, atMs }: { vaultId: string; index: number; atMs: number },
): Promise<void> {
  const sizeBytes = 1024;
  const change = await vaults.recordChange(vaultId, { archives: 1, sizeBytes, atMs });
  const row = {
    archiveId: datedId(randomBytes, { atMs, length: idLengths.archive }),
    vaultId,
    description: `no. ${index}`,
    createdAtMs: atMs,
    sizeBytes,
    treeHash: createHash('sha256').update(`${index}`).digest('hex'),
    addedChange: change,
    removedChange: null,
  };
  await archives.insert(row, [{ blobId: blobIdOf(index), sizeBytes }]);
}

/** As long as those that a store makes, of a blob that is not there. */
export function blobIdOf(index: number): BlobId {
  return `bench-${String(index).padStart(42, '0')}` as BlobId;
}
