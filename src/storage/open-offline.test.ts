import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { SimulatedClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { systemRandomBytes } from '../lib/node/random.ts';
import { addArchive, sampleCharge, sampleVault } from './metadata-specimen.ts';
import { addUploadedArchive } from './metadata-upload-specimen.ts';
import { openStores, type StoreLocations } from './open.ts';
import { openToRead } from './open-offline.ts';
import { flipInIndex } from './sqlite/damage-specimen.ts';

const goingOn = new AbortController().signal;

/** Time passes when it is waited for. */
class HastyClock extends SimulatedClock {
  sleeps = 0;

  override async sleep(ms: number): Promise<void> {
    this.sleeps += 1;
    this.advance(ms);
  }
}

const hostWith = (clock = new HastyClock()) => ({
  clock,
  log: silentLog,
  randomBytes: systemRandomBytes,
});

test('what reads beside a server writes nothing, not even into its journal', async () => {
  await inDirectory(async (at) => {
    await using stores = await openStores(at, { ...hostWith(), clock: new SimulatedClock() });
    await stores.metadata.write(({ facts }) => facts.set('name', 'value'));
    const before = await changeTimes(at.blobs.directory);
    await new Promise((resolve) => setTimeout(resolve, 20));
    {
      await using reader = await openToRead(at, hostWith());
      assert.equal(await reader.unreplayedBatches(), 0);
      assert.equal(reader.journal.lastSequence, 2);
    }
    assert.deepEqual(await changeTimes(at.blobs.directory), before);
  });
});

test('a database that lacks the end of a whole journal is told from one that has lost rows', async () => {
  await inDirectory(async (at) => {
    const host = { ...hostWith(), clock: new SimulatedClock() };
    await (await openStores(at, host))[Symbol.asyncDispose]();
    await copyFile(at.metadata.path, `${at.metadata.path}.old`);
    {
      await using stores = await openStores(at, host);
      for (const value of ['1', '2', '3']) {
        await stores.metadata.write(({ facts }) => facts.set('name', value));
      }
    }
    await copyFile(`${at.metadata.path}.old`, at.metadata.path);
    {
      await using reader = await openToRead(at, hostWith());
      assert.equal(await reader.unreplayedBatches(), 3);
    }
    await (await openStores(at, host))[Symbol.asyncDispose]();
    await using reader = await openToRead(at, hostWith());
    assert.equal(await reader.unreplayedBatches(), 0);
  });
});

test('a database whose index differs from its table says so', async () => {
  await inDirectory(async (at) => {
    {
      await using stores = await openStores(at, { ...hostWith(), clock: new SimulatedClock() });
      await stores.metadata.write(({ vaults }) => vaults.insert(sampleVault('vault')));
      await addArchive(stores.metadata, 'archive');
    }
    {
      await using reader = await openToRead(at, hostWith());
      assert.deepEqual(await reader.integrityProblems(), []);
    }
    await flipInIndex(at.metadata.path, 'archive_blobs_by_blob', 'archive.1');
    await using reader = await openToRead(at, hostWith());
    assert.deepEqual(await reader.integrityProblems(), [
      'row 2 missing from index archive_blobs_by_blob',
    ]);
  });
});

test('a database in which a row was changed behind its journal is found out', async () => {
  await inDirectory(async (at) => {
    const host = { ...hostWith(), clock: new SimulatedClock() };
    const change = (text: string) => {
      using database = new DatabaseSync(at.metadata.path);
      database.exec(text);
    };
    const differences = async () => {
      await using reader = await openToRead(at, hostWith());
      return await reader.replayDifferences(goingOn);
    };
    {
      await using stores = await openStores(at, host);
      await stores.metadata.write(({ vaults }) => vaults.insert(sampleVault('vault')));
      await addArchive(stores.metadata, 'archive 1');
      await addUploadedArchive(stores.metadata, 'in parts');
      await stores.metadata.write(async ({ vaultSettings, retrievals }) => {
        await vaultSettings.putTags('vault', [{ key: 'key', value: 'value' }]);
        await retrievals.insertCharge(sampleCharge('job'));
      });
      assert.deepEqual(await differences(), []);
      await stores.metadata.takeSnapshot(goingOn);
      await addArchive(stores.metadata, 'archive 2');
      assert.deepEqual(await differences(), []);
    }
    assert.deepEqual(await differences(), []);
    change("UPDATE archives SET size_bytes = 31 WHERE archive_id = 'archive 2'");
    change("DELETE FROM facts WHERE name = 'store.id'");
    change("UPDATE vault_tags SET value = 'another'");
    change("UPDATE parts SET blob_id = 'another' WHERE part_index = 1");
    change('UPDATE uploads SET ended_at_ms = 3');
    change('DELETE FROM retrieval_charges');
    assert.deepEqual(await differences(), [
      'The database differs from its journal in vault_tags, first at vault, key.',
      'The database differs from its journal in archives, first at 3.',
      'The database differs from its journal in uploads, first at 1.',
      'The database differs from its journal in parts, first at 1, 1.',
      'The database differs from its journal in retrieval_charges, first at job.',
      'The database differs from its journal in facts, first at store.id.',
    ]);
    // What cannot be replayed says nothing about the database.
    await rm(join(at.blobs.directory, 'v2/journal'), { recursive: true });
    await mkdir(join(at.blobs.directory, 'v2/journal'));
    assert.equal(await differences(), null);
  });
});

async function changeTimes(directory: string): Promise<Readonly<Record<string, number>>> {
  const found = await readdir(directory, { recursive: true });
  const times = found.map(async (name) => [name, (await stat(join(directory, name))).mtimeMs]);
  return Object.fromEntries(await Promise.all(times));
}

async function inDirectory(work: (at: StoreLocations) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'firn-offline-'));
  try {
    await work({
      dataDirectory: directory,
      metadata: { path: join(directory, 'metadata.sqlite') },
      blobs: { directory: join(directory, 'blobs') },
      masterKey: { path: join(directory, 'master.key'), isDefault: true },
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}
