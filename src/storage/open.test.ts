import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SimulatedClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { systemRandomBytes } from '../lib/node/random.ts';
import { sampleBytes, writeBytes } from './blob-specimen.ts';
import { isStoreError } from './errors.ts';
import { openMetadata, openStores, type StoreLocations } from './open.ts';

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

  test('blobs whose database is missing, or is another one, are not touched', async () => {
    await inDirectory(async (directory) => {
      const at = locationsIn(directory);
      await fill(at);
      await rename(at.metadata.path, `${at.metadata.path}.lost`);
      await assertRefused(at, /FIRN_METADATA_URL.*restore it from a backup/);
      // Nor does it help that the accounts were asked for meanwhile, which makes a database.
      await (await openMetadata(at, host))[Symbol.asyncDispose]();
      await assertRefused(at, /does not bear their id/);
      await rename(`${at.metadata.path}.lost`, at.metadata.path);
      await (await openStores(at, host))[Symbol.asyncDispose]();
    });
  });

  test('blobs without an id are not given to a database without one', async () => {
    await inDirectory(async (directory) => {
      const at = locationsIn(directory);
      await fill(at);
      await rm(idFile(at));
      await rm(at.metadata.path);
      await assertRefused(at, /does not bear their id/);
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

  test('a damaged id is refused by the name of its file', async () => {
    await inDirectory(async (directory) => {
      const at = locationsIn(directory);
      await fill(at);
      await writeFile(idFile(at), 'half an i');
      await assert.rejects(openStores(at, host), (error) => {
        assert.ok(isStoreError(error, 'StoreUnavailable'));
        assert.ok(error.message.includes(idFile(at)), error.message);
        return true;
      });
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

  test('what it cannot read at the start is named', async () => {
    await inDirectory(async (directory) => {
      const at = locationsIn(directory);
      await fill(at);
      await copyFile(join(at.blobs.directory, 'store.id'), at.metadata.path);
      await assert.rejects(openStores(at, host), (error) => {
        assert.ok(isStoreError(error, 'StoreUnavailable'));
        assert.ok(error.message.includes(at.metadata.path), error.message);
        return true;
      });
    });
  });
});

async function fill(at: StoreLocations): Promise<void> {
  await using stores = await openStores(at, host);
  await writeBytes(stores.blobs, sampleBytes(100));
  await stores.metadata.write(({ facts }) => facts.set('name', 'value'));
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
  };
}

/** With nothing in the data directory. */
function apart(directory: string): StoreLocations {
  return {
    dataDirectory: join(directory, 'data'),
    metadata: { path: join(directory, 'rows', 'metadata.sqlite') },
    blobs: { directory: join(directory, 'bytes') },
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
