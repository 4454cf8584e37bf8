import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Kysely, Migrator } from 'kysely';
import { SimulatedClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { MemoryJournal } from '../../memory/memory-journal.ts';
import { sampleCharge, sampleLock, sampleRetrieval } from '../../metadata-specimen.ts';
import { migrations } from '../migrate.ts';
import { nodeSqliteDialect } from '../node-sqlite-dialect.ts';
import { SqliteMetadataStore } from '../sqlite-metadata-store.ts';

test('vaults and jobs of an older database stay, and get settings and charges', async () => {
  await inDirectory(async (path) => {
    await makeOlderDatabase(path);
    const parts = { clock: new SimulatedClock(), log: silentLog, journal: new MemoryJournal() };
    await using store = await SqliteMetadataStore.open({ path, ...parts });
    await store.read(async ({ vaultSettings, jobs }) => {
      assert.deepEqual(await vaultSettings.tags('vault'), []);
      assert.equal((await jobs.get('job'))?.retrieval?.archiveId, 'archive');
    });
    await store.write(async ({ vaultSettings, retrievals }) => {
      await vaultSettings.putTags('vault', [{ key: 'key', value: 'value' }]);
      await vaultSettings.setLock('vault', sampleLock());
      await retrievals.insertCharge(sampleCharge('job', { sizeBytes: 40, countsUntilMs: 1 }));
    });
    const { accountId, region } = sampleCharge('job');
    const rate = () =>
      store.read(({ retrievals }) => retrievals.standardRate({ accountId, region }, 9_000));
    assert.equal(await rate(), 10n);
    await store.write(({ vaults }) => vaults.remove('vault'));
    assert.equal(await rate(), 0n);
    await store.read(async ({ vaultSettings }) => {
      assert.deepEqual(await vaultSettings.tags('vault'), []);
      assert.equal(await vaultSettings.lock('vault'), undefined);
    });
  });
});

/** A database as it was before this migration, with a vault and a job in it. */
async function makeOlderDatabase(path: string): Promise<void> {
  using database = new DatabaseSync(path);
  const older = Object.entries(migrations).filter(([name]) => name < '0004');
  const migrator = new Migrator({
    db: new Kysely<unknown>({ dialect: nodeSqliteDialect(database) }),
    provider: { getMigrations: async () => Object.fromEntries(older) },
  });
  const { error, results } = await migrator.migrateToLatest();
  assert.ifError(error);
  assert.equal(results?.at(-1)?.migrationName, '0003-uploads');
  database.exec(`INSERT INTO vaults (vault_id, account_id, region, vault_name, created_at_ms,
    archive_count, size_bytes, changes) VALUES ('vault', '123456789012', 'us-east-1', 'name', 1, 0, 0, 0)`);
  database
    .prepare(`INSERT INTO jobs (job_id, vault_id, action, retrieval, status, created_at_ms, due_at_ms)
      VALUES ('job', 'vault', 'ArchiveRetrieval', ?, 'InProgress', 1, 2)`)
    .run(JSON.stringify(sampleRetrieval('job').retrieval));
}

async function inDirectory(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'firn-settings-'));
  try {
    await work(join(directory, 'firn.db'));
  } finally {
    await rm(directory, { recursive: true });
  }
}
