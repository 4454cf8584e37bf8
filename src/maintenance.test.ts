import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { goingOn, openDomain, photos, upload } from '../tests/support/domain.ts';
import { type Config, readConfig } from './config/config.ts';
import { Archives } from './domain/archives.ts';
import { Vaults } from './domain/vaults.ts';
import { SimulatedClock } from './lib/clock.ts';
import { silentLog } from './lib/log.ts';
import { systemRandomBytes } from './lib/node/random.ts';
import { check, repair } from './maintenance.ts';
import { openStores } from './storage/open.ts';
import { rebuildStores } from './storage/open-offline.ts';

/** Time passes when it is waited for. */
class HastyClock extends SimulatedClock {
  override async sleep(ms: number): Promise<void> {
    this.advance(ms);
  }
}

const host = {
  clock: new SimulatedClock(),
  log: silentLog,
  randomBytes: systemRandomBytes,
  signal: goingOn,
};
const checking = { ...host, clock: new HastyClock(), onProgress: () => undefined };

test('a repair that was cut short before it asked the blobs is gone on with by the next', async () => {
  await inHouse(async (config) => {
    await store(config, ['one', 'two']);
    await loseJournal(config);
    await rm(config.metadata.path);
    // It dies when the database is made, and nothing else.
    await (await rebuildStores(config, host))[Symbol.asyncDispose]();
    await assert.rejects(openStores(config, host), /firn repair --rebuild/);
    assert.equal((await repair(config, host)).salvage?.archivesMade, 2);
    assert.equal(await countIn(config), 2);
    const report = await check(config, checking);
    assert.deepEqual([report.isSound, report.problems], [true, []]);
    assert.equal((await repair(config, host)).salvage, null);
  });
});

test('an old database that went on without its journal gets back what the blobs tell of', async () => {
  await inHouse(async (config) => {
    await store(config, ['one']);
    await copyFile(config.metadata.path, `${config.metadata.path}.old`);
    await store(config, ['two', 'three']);
    await copyFile(`${config.metadata.path}.old`, config.metadata.path);
    await loseJournal(config);
    {
      await using stores = await openStores(config, host);
      assert.equal(await stores.metadata.isSnapshotDue(), true);
      await stores.metadata.takeSnapshot(goingOn);
    }
    assert.equal(await countIn(config), 1);
    assert.equal((await repair(config, host)).salvage?.archivesMade, 2);
    assert.equal(await countIn(config), 3);
    assert.equal((await check(config, checking)).isSound, true);
  });
});

test('archives of which the journal and the database were lost together are told, and got back', async () => {
  await inHouse(async (config) => {
    await store(config, ['one']);
    await store(config, ['two', 'three']);
    await loseNewestJournalFile(config);
    await rm(config.metadata.path);
    assert.equal(await countIn(config), 1);
    const clock = new HastyClock();
    clock.advance(60_000);
    const report = await check(config, { ...checking, clock });
    assert.deepEqual([report.isSound, report.recovery?.problems], [true, []]);
    assert.match(report.notes.join(), /^2 blobs without a row .* `firn repair --rebuild`/);
    assert.equal((await repair(config, host)).salvage?.archivesMade, 2);
    assert.equal(await countIn(config), 3);
  });
});

test('a check tells of a journal that is gone', async () => {
  await inHouse(async (config) => {
    await store(config, ['one']);
    await loseNewestJournalFile(config);
    const { isSound, recovery } = await check(config, checking);
    assert.equal(isSound, false);
    assert.match(recovery?.problems.join() ?? '', /neither a snapshot nor a journal/);
  });
});

test('a database behind its journal is not checked, and is not called damaged', async () => {
  await inHouse(async (config) => {
    await store(config, ['one']);
    await copyFile(config.metadata.path, `${config.metadata.path}.old`);
    await store(config, ['two', 'three']);
    await copyFile(`${config.metadata.path}.old`, config.metadata.path);
    await assert.rejects(check(config, checking), /last 2 batches.*start the server once/);
    assert.equal(await countIn(config), 3);
    assert.equal((await check(config, checking)).isSound, true);
  });
});

async function store(config: Config, texts: readonly string[]): Promise<void> {
  await using domain = await openDomain();
  await using stores = await openStores(config, host);
  const parts = { ...domain, ...host, store: stores.metadata, blobs: stores.blobs };
  await new Vaults(parts).create(photos);
  for (const text of texts) await new Archives(parts).store(upload(Buffer.from(text)));
}

async function countIn(config: Config): Promise<number | undefined> {
  await using stores = await openStores(config, host);
  return (await stores.metadata.read(({ vaults }) => vaults.get(photos)))?.archiveCount;
}

async function loseJournal({ blobs }: Config): Promise<void> {
  await rm(join(blobs.directory, 'v2/journal'), { recursive: true });
}

/** A run of the server has a file of its own. */
async function loseNewestJournalFile({ blobs }: Config): Promise<void> {
  const journal = join(blobs.directory, 'v2/journal');
  const newest = (await readdir(journal)).sort().at(-1);
  assert.ok(newest !== undefined);
  await rm(join(journal, newest));
}

async function inHouse(work: (config: Config) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'firn-maintenance-'));
  const env = { FIRN_DATA_DIR: directory };
  try {
    await work(readConfig({ env, flags: {}, readFile: () => '', directory: '/srv' }));
  } finally {
    await rm(directory, { recursive: true });
  }
}
