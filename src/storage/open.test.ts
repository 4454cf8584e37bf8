import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SimulatedClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { systemRandomBytes } from '../lib/node/random.ts';
import { sampleBytes, writeBytes } from './blob-specimen.ts';
import { isStoreError } from './errors.ts';
import { MemoryJournal } from './memory/memory-journal.ts';
import { openStores, type StoreLocations } from './open.ts';
import { rebuildStores } from './open-offline.ts';
import { isRepairUnfinished, noteRepairFinished } from './repair-state.ts';
import { migrations } from './sqlite/migrate.ts';
import { takeBackSchema } from './sqlite/older-schema-specimen.ts';
import { SqliteMetadataStore } from './sqlite/sqlite-metadata-store.ts';

const host = { clock: new SimulatedClock(), log: silentLog, randomBytes: systemRandomBytes };

describe('openStores, the bond of rows and blobs', () => {
  test('a new pair bears one id, and opens again', async () => {
    await inDirectory(async (directory) => {
      const at = locationsIn(directory);
      await fill(at);
      const id = (await readFile(idFile(at), 'utf8')).trim();
      assert.match(id, /^[0-9a-f]{32}$/);
      await using stores = await openStores(at, host);
      assert.equal(await stores.metadata.read(({ facts }) => facts.get('store.id')), id);
    });
  });

  test('a database that is missing, or none any more, is made again', async () => {
    await inDirectory(async (directory) => {
      const at = locationsIn(directory);
      await fill(at);
      await rename(at.metadata.path, `${at.metadata.path}.lost`);
      assert.equal(await nameIn(at), 'value');
      await writeFile(at.metadata.path, 'no database '.repeat(1000));
      assert.equal(await nameIn(at), 'value');
      const aside = (await readdir(directory)).filter((name) => name.includes('.damaged-'));
      assert.equal(aside.length, 1, 'what was there is kept, for somebody to look at');
    });
  });

  test('blobs that nothing tells the rows of are not taken for garbage', async () => {
    await inDirectory(async (directory) => {
      const at = locationsIn(directory);
      await fill(at);
      await rm(at.metadata.path);
      await rm(join(at.blobs.directory, 'v2/journal'), { recursive: true });
      await rm(join(at.blobs.directory, 'v2/snapshots'), { recursive: true });
      await assertRefused(at, /FIRN_METADATA_URL.*firn repair --rebuild/);
    });
  });

  test('nor are they beside a database that is empty, or that a start has made and no more', async () => {
    await inDirectory(async (directory) => {
      const at = locationsIn(directory);
      await fill(at);
      await rm(join(at.blobs.directory, 'v2/journal'), { recursive: true });
      await writeFile(at.metadata.path, '');
      await assertRefused(at, /FIRN_METADATA_URL.*firn repair --rebuild/);
      await rm(at.metadata.path);
      const parts = { ...host, path: at.metadata.path, journal: new MemoryJournal() };
      await (await SqliteMetadataStore.open(parts))[Symbol.asyncDispose]();
      await assertRefused(at, /FIRN_METADATA_URL.*firn repair --rebuild/);
    });
  });

  for (const last of Object.keys(migrations).slice(0, -1)) {
    test(`a database of another store is refused, and stays, as ${last} had it, too`, async () => {
      await inDirectory(async (directory) => {
        const [one, two] = [locationsIn(join(directory, '1')), locationsIn(join(directory, '2'))];
        await fill(one);
        // Of a history of its own, so that the journal of the other does not go with it.
        await fill(two);
        await takeBackSchema(two.metadata.path, last);
        const before = await readdir(two.dataDirectory);
        await assertRefused({ ...one, metadata: two.metadata }, /holds those of the store/);
        assert.deepEqual(await readdir(two.dataDirectory), before);
      });
    });
  }

  test('a database of its own store is taken as an earlier version had it', async () => {
    await inDirectory(async (directory) => {
      const at = locationsIn(directory);
      await fill(at);
      await takeBackSchema(at.metadata.path, '0001-first');
      assert.equal(await nameIn(at), 'value');
    });
  });

  test('rows that a repair has lost are not given up before the blobs were asked for them', async () => {
    await inDirectory(async (directory) => {
      const at = locationsIn(directory);
      await fill(at);
      await rm(at.metadata.path);
      await rm(join(at.blobs.directory, 'v2/journal'), { recursive: true });
      {
        await using stores = await rebuildStores(at, host);
        assert.equal(stores.rebuilt.lost.length, 1);
      }
      await assert.rejects(openStores(at, host), /cut short.*firn repair --rebuild/);
      {
        await using stores = await rebuildStores(at, host);
        assert.equal(await isRepairUnfinished(stores.metadata), true);
        await noteRepairFinished(stores.metadata);
      }
      await (await openStores(at, host))[Symbol.asyncDispose]();
    });
  });

  test('a master key that is missing while there is data is not made anew', async () => {
    await inDirectory(async (directory) => {
      const at = locationsIn(directory);
      await fill(at);
      await rm(at.masterKey.path);
      await assert.rejects(openStores(at, host), /master key file .* is missing.*backup/);
    });
  });

  test('a database whose blobs are missing is refused', async () => {
    await inDirectory(async (directory) => {
      const at = locationsIn(directory);
      await fill(at);
      await rm(at.blobs.directory, { recursive: true });
      await assertRefused(at, /has no .*store\.id\. Mount.*FIRN_BLOBS_URL/);
    });
  });

  test('rows and blobs of two stores are refused, each with its id', async () => {
    await inDirectory(async (directory) => {
      const [one, two] = [locationsIn(join(directory, '1')), locationsIn(join(directory, '2'))];
      await fill(one);
      await fill(two);
      const mixed = { ...one, blobs: two.blobs };
      const id = (await readFile(idFile(two), 'utf8')).trim();
      await assertRefused(mixed, new RegExp(`holds those of the store ${id}`));
    });
  });

  test('an id that is lost or damaged is made again from the headers of files', async () => {
    await inDirectory(async (directory) => {
      const at = locationsIn(directory);
      await fill(at);
      const id = await readFile(idFile(at), 'utf8');
      await writeFile(idFile(at), 'half an i');
      assert.equal(await nameIn(at), 'value');
      assert.equal(await readFile(idFile(at), 'utf8'), id);
      await writeFile(idFile(at), `${id.startsWith('0') ? 1 : 0}${id.slice(1)}`);
      assert.equal(await nameIn(at), 'value');
      assert.equal(await readFile(idFile(at), 'utf8'), id);
      await rm(idFile(at));
      assert.equal(await nameIn(at), 'value');
      assert.equal(await readFile(idFile(at), 'utf8'), id);
    });
  });

  test('a first start that died between the file and the fact is made good', async () => {
    await inDirectory(async (directory) => {
      const at = locationsIn(directory);
      await (await openStores(at, host))[Symbol.asyncDispose]();
      const id = await readFile(idFile(at), 'utf8');
      await rm(at.metadata.path);
      await fill(at);
      assert.equal(await readFile(idFile(at), 'utf8'), id);
      await (await openStores(at, host))[Symbol.asyncDispose]();
    });
  });
});

describe('openStores, alone', () => {
  test('another server is refused that shares any of the directories', async () => {
    await inDirectory(async (directory) => {
      const one = apart(join(directory, '1'));
      const two = apart(join(directory, '2'));
      await using _stores = await openStores(one, host);
      const shared = [
        { ...two, dataDirectory: one.dataDirectory },
        { ...two, metadata: one.metadata },
        { ...two, blobs: one.blobs },
      ];
      for (const each of shared) {
        await assert.rejects(openStores(each, host), (error) => {
          assert.ok(isStoreError(error, 'StoreUnavailable'));
          assert.match(error.message, /Another server runs on .*\(process \d+\)/);
          return true;
        });
      }
      await using _others = await openStores(two, host);
    });
  });
});

async function fill(at: StoreLocations): Promise<void> {
  await using stores = await openStores(at, host);
  await writeBytes(stores.blobs, sampleBytes(100));
  await stores.metadata.write(({ facts }) => facts.set('name', 'value'));
}

/** What `fill` has put into the rows. */
async function nameIn(at: StoreLocations): Promise<string | undefined> {
  await using stores = await openStores(at, host);
  return await stores.metadata.read(({ facts }) => facts.get('name'));
}

async function assertRefused(at: StoreLocations, words: RegExp): Promise<void> {
  await assert.rejects(openStores(at, host), (error) => {
    assert.ok(isStoreError(error, 'StoreUnavailable'), String(error));
    assert.match(error.message, words);
    assert.ok(error.message.includes(at.metadata.path), error.message);
    assert.ok(error.message.includes(at.blobs.directory), error.message);
    return true;
  });
}

function idFile({ blobs }: StoreLocations): string {
  return join(blobs.directory, 'store.id');
}

function locationsIn(directory: string): StoreLocations {
  return {
    dataDirectory: directory,
    metadata: { path: join(directory, 'metadata.sqlite') },
    blobs: { directory: join(directory, 'blobs') },
    masterKey: { path: join(directory, 'master.key'), isDefault: true },
  };
}

/** With nothing in the data directory. */
function apart(directory: string): StoreLocations {
  return {
    dataDirectory: join(directory, 'data'),
    metadata: { path: join(directory, 'rows', 'metadata.sqlite') },
    blobs: { directory: join(directory, 'bytes') },
    masterKey: { path: join(directory, 'data', 'master.key'), isDefault: true },
  };
}

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'firn-open-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}
