import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { DatabaseSync } from 'node:sqlite';

/** What a few lines make of the rows of a vault: a line of JSON for each, in a file that is synced. */
export interface RawInventory {
  readonly database: string;
  readonly vaultId: string;
  readonly file: string;
}

export interface RawInventoryTaken {
  readonly seconds: number;
  readonly archiveCount: number;
}

const writeLength = 256 * 1024;

function take({ database: path, vaultId, file }: RawInventory): RawInventoryTaken {
  using database = new DatabaseSync(path, { readOnly: true });
  const descriptor = openSync(file, 'wx');
  try {
    const startedAtMs = performance.now();
    const rows = database
      .prepare(
        `SELECT archive_id, description, created_at_ms, size_bytes, tree_hash FROM archives
          WHERE vault_id = ? ORDER BY created_at_ms, archive_id`,
      )
      .iterate(vaultId);
    let archiveCount = 0;
    let text = '';
    for (const row of rows) {
      archiveCount++;
      text += `${JSON.stringify(row)}\n`;
      if (text.length < writeLength) continue;
      writeSync(descriptor, text);
      text = '';
    }
    writeSync(descriptor, text);
    fdatasyncSync(descriptor);
    return { seconds: (performance.now() - startedAtMs) / 1000, archiveCount };
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
}

if (import.meta.main) {
  const task = JSON.parse(process.argv[2] ?? '') as RawInventory;
  console.log(JSON.stringify(take(task)));
}
