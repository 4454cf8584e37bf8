import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { isStoreError } from '../errors.ts';
import { MemoryJournal } from '../memory/memory-journal.ts';
import { Checkpointer } from './checkpointer.ts';
import { failingThread } from './damage-specimen.ts';
import { isDamage } from './database-errors.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

const secondMs = 1000;

test('what an earlier process left in the log is copied before anything else', async () => {
  await inDirectory(async (path) => {
    const journal = new MemoryJournal();
    const killed = await open(path, { journal });
    await killed.write(({ facts }) => facts.set('name', 'value'));
    const copy = `${path}.copy`;
    for (const suffix of ['', '-wal']) await copyFile(path + suffix, copy + suffix);
    await killed[Symbol.asyncDispose]();
    assert.equal(await factIn(copy), undefined);
    await using _store = await open(copy, { journal });
    assert.equal(await factIn(copy), 'value');
    assert.equal((await stat(`${copy}-wal`)).size, 0);
  });
});

test('5. half a minute after the last write no row lies in the log alone', async () => {
  await inDirectory(async (path) => {
    const clock = new SimulatedClock();
    await using store = await open(path, { clock });
    await store.write(({ facts }) => facts.set('name', 'value'));
    clock.advance(30 * secondMs - 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(await factIn(path), undefined);
    clock.advance(1);
    await until(async () => (await factIn(path)) === 'value');
    // The log was begun anew: what is damaged in it costs nothing that was copied.
    await store.write(({ facts }) => facts.set('other', 'value'));
    const copy = `${path}.damaged`;
    await copyFile(path, copy);
    const log = await readFile(`${path}-wal`);
    await writeFile(`${copy}-wal`, log.fill(0xff, 4096));
    await using damaged = await open(copy);
    assert.equal(await damaged.read(({ facts }) => facts.get('name')), 'value');
    assert.equal(await damaged.read(({ facts }) => facts.get('other')), undefined);
  });
});

test('5. a store that is always written to is copied every few minutes', async () => {
  await inDirectory(async (path) => {
    const clock = new SimulatedClock();
    await using store = await open(path, { clock });
    let value = 0;
    const write = () => store.write(({ facts }) => facts.set('name', `${++value}`));
    const isCopied = async () => (await factIn(path)) !== undefined;
    const goOn = async () => {
      clock.advance(15 * secondMs);
      await write();
      clock.advance(15 * secondMs);
    };
    await write();
    for (let turn = 0; turn < 5; turn += 1) {
      await goOn();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(await isCopied(), false);
    await until(async () => {
      await goOn();
      return await isCopied();
    });
  });
});

test('5. a transaction that changes nothing leaves nothing to copy', async () => {
  await inDirectory(async (path) => {
    const clock = new CountingClock();
    await using store = await open(path, { clock });
    const write = () => store.write(({ facts }) => facts.set('name', 'value'));
    await write();
    clock.advance(30 * secondMs);
    await until(async () => (await factIn(path)) === 'value');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const sleeps = clock.sleeps;
    await store.write(async () => undefined);
    assert.equal(clock.sleeps, sleeps);
    await store.write(({ facts }) => facts.set('name', 'another'));
    assert.equal(clock.sleeps, sleeps + 1);
  });
});

test('a commit for which there is no room has the log copied', async () => {
  await inDirectory(async (path) => {
    await (await open(path))[Symbol.asyncDispose]();
    const sizeBytesMax = (await stat(path)).size + 65_536;
    await using store = await open(path, { sizeBytesMax });
    await store.write(({ facts }) => facts.set('name', 'value'));
    assert.equal(await factIn(path), undefined);
    const tooMuch = store.write(({ facts }) => facts.set('much', 'x'.repeat(1_000_000)));
    await assert.rejects(tooMuch, (error) => isStoreError(error, 'StoreFull'));
    await until(async () => (await factIn(path)) === 'value');
    await store.write(({ facts }) => facts.set('name', 'another'));
  });
});

test('4. a short log is copied while there is room for that', async () => {
  await inDirectory(async (path) => {
    using database = new DatabaseSync(path);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0');
    database.exec('CREATE TABLE facts (name, value)');
    let freeBytes = 1_000_000;
    const checkpointer = new Checkpointer({
      database,
      path,
      gate: { pause() {}, resume() {}, async ended() {} },
      log: silentLog,
      onFailure: (error) => assert.fail(String(error)),
      freeBytes: () => freeBytes,
    });
    const write = () => {
      database.exec("INSERT INTO facts VALUES ('name', 'value'), ('much', zeroblob(300000))");
      checkpointer.noteCommit();
    };
    write();
    assert.equal(await factIn(path), undefined);
    freeBytes = 600_000;
    write();
    await until(async () => (await factIn(path)) === 'value');
    await checkpointer.close();
  });
});

test('3. damage is told even when it cannot be logged', async () => {
  await inDirectory(async (path) => {
    using database = new DatabaseSync(path);
    const other = `${path}.other`;
    await writeFile(other, 'this is no database '.repeat(1_000));
    const failures: unknown[] = [];
    const checkpointer = new Checkpointer({
      ...partsOver(database, other),
      log: {
        ...silentLog,
        error: () => {
          throw new Error('no log');
        },
      },
      onFailure: (error) => failures.push(error),
    });
    checkpointer.noteFull();
    await assert.rejects(checkpointer.close(), { message: 'no log' });
    assert.equal(failures.length, 1);
    assert.ok(isDamage(failures[0]));
  });
});

test('3. what is not the fault of the disk is tried again', async () => {
  await inDirectory(async (path) => {
    using database = new DatabaseSync(path);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0');
    database.exec("CREATE TABLE facts (name, value); INSERT INTO facts VALUES ('name', 'value')");
    const errors: string[] = [];
    const away = `${path}.away`;
    // Neither can be opened: as when there is no file descriptor left.
    await symlink(join(path, 'is', 'no', 'directory'), away);
    const clock = new SimulatedClock();
    const checkpointer = new Checkpointer({
      ...partsOver(database, away),
      clock,
      log: { ...silentLog, error: (event: string) => void errors.push(event) },
      onFailure: (error) => assert.fail(String(error)),
    });
    checkpointer.noteCommit();
    checkpointer.noteFull();
    await until(async () => errors.length === 1);
    await rm(away);
    await symlink(path, away);
    await until(async () => {
      clock.advance(30 * secondMs);
      return (await factIn(path)) === 'value';
    });
    await checkpointer.close();
  });
});

test('3. a thread that ends is replaced, and nobody waits for it', {
  timeout: 20_000,
}, async () => {
  await inDirectory(async (path) => {
    using database = new DatabaseSync(path);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0');
    database.exec("CREATE TABLE facts (name, value); INSERT INTO facts VALUES ('name', 'value')");
    const errors: string[] = [];
    const options = {
      ...partsOver(database, path),
      log: { ...silentLog, error: (event: string) => void errors.push(event) },
      onFailure: (error: unknown) => assert.fail(String(error)),
    };
    let isFailing = true;
    const startThread = () => (isFailing ? failingThread() : idle());
    const failing = new Checkpointer({ ...options, startThread });
    failing.noteFull();
    await until(async () => errors.length === 1);
    // The next one ends while it is asked.
    isFailing = false;
    failing.noteFull();
    await until(async () => errors.length === 2);
    await failing.close();
  });
});

/** A thread that ends, without a word, when it is asked for anything. */
function idle(): Worker {
  const script = "require('worker_threads').parentPort.once('message', () => {})";
  return new Worker(script, { eval: true });
}

function partsOver(database: DatabaseSync, path: string) {
  return { database, path, gate: { pause() {}, resume() {}, async ended() {} } };
}

class CountingClock extends SimulatedClock {
  sleeps = 0;

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps += 1;
    return super.sleep(ms, signal);
  }
}

/** The fact `name` in the database itself, as if its log were lost. */
async function factIn(path: string): Promise<unknown> {
  const alone = `${path}.alone`;
  await copyFile(path, alone);
  using database = new DatabaseSync(alone);
  try {
    return database.prepare("SELECT value FROM facts WHERE name = 'name'").get()?.['value'];
  } catch (error) {
    // It has no tables yet, or was being written while it was copied here.
    if (/no such table|malformed/.test(String(error))) return undefined;
    throw error;
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail('it does not come');
}

function open(
  path: string,
  options: { clock?: SimulatedClock; sizeBytesMax?: number; journal?: MemoryJournal } = {},
) {
  return SqliteMetadataStore.open({
    path,
    clock: new SimulatedClock(),
    log: silentLog,
    journal: new MemoryJournal(),
    ...options,
  });
}

async function inDirectory(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'firn-checkpoints-'));
  try {
    await work(join(directory, 'firn.db'));
  } finally {
    await rm(directory, { recursive: true });
  }
}
