import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { isStoreError } from '../errors.ts';
import { MemoryJournal } from '../memory/memory-journal.ts';
import { addArchive, sampleVault } from '../metadata-specimen.ts';
import { openReadOnly } from './read-only.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

const storeUrl = new URL('./sqlite-metadata-store.ts', import.meta.url).href;
const journalUrl = new URL('../memory/memory-journal.ts', import.meta.url).href;
const clockUrl = new URL('../../lib/clock.ts', import.meta.url).href;
const specimenUrl = new URL('../metadata-specimen.ts', import.meta.url).href;

/** What a process of its own runs: `store` is open on the database that it was given. */
const script = (body: string) => [
  '--input-type=module',
  '--eval',
  `import { SqliteMetadataStore } from ${JSON.stringify(storeUrl)};
   import { addArchive, sampleVault } from ${JSON.stringify(specimenUrl)};
   import { MemoryJournal } from ${JSON.stringify(journalUrl)};
   import { SimulatedClock } from ${JSON.stringify(clockUrl)};
   const log = { info() {}, warn() {}, error() {} };
   const parts = { clock: new SimulatedClock(), log, journal: new MemoryJournal() };
   const store = await SqliteMetadataStore.open({ path: process.argv[1], ...parts });
   ${body}`,
];

test('a store makes its files readable by their owner alone, whatever they were', async () => {
  await inDirectory(async (path) => {
    await writeFile(path, '');
    await chmod(path, 0o644);
    await using store = await open(path);
    await store.write(({ facts }) => facts.set('name', 'value'));
    for (const suffix of ['', '-wal', '-shm']) {
      assert.equal((await stat(path + suffix)).mode & 0o777, 0o600, suffix);
    }
  });
});

test('a closed store leaves one file, which a machine can copy', async () => {
  await inDirectory(async (path) => {
    const store = await open(path);
    await store.write(({ facts }) => facts.set('name', 'value'));
    await store[Symbol.asyncDispose]();
    await assert.rejects(stat(`${path}-wal`), { code: 'ENOENT' });
  });
});

test('a database with a newer migration is refused, and says what to run instead', async () => {
  await inDirectory(async (path) => {
    await (await open(path))[Symbol.asyncDispose]();
    using database = new DatabaseSync(path);
    database.exec("INSERT INTO kysely_migration VALUES ('0999-later', '2030-01-01T00:00:00Z')");
    await assert.rejects(open(path), (error) => {
      assert.ok(isStoreError(error, 'StoreUnavailable'));
      assert.match(error.message, /newer version.*0999-later.*Run that version/);
      return true;
    });
  });
});

test('what is no database, and cannot be made again, is refused with the reason', async () => {
  await inDirectory(async (path) => {
    await writeFile(path, 'this is no database, and long enough to be taken for one '.repeat(99));
    await assert.rejects(open(path), (error) => {
      assert.ok(isStoreError(error, 'StoreUnavailable'));
      assert.ok(error.message.includes(path), error.message);
      assert.match(error.message, /nothing in the journal.*firn repair --rebuild/);
      return true;
    });
    await assert.rejects(open(join(path, 'below', 'a.file')), isStoreErrorOrSystemError);
  });
});

test('a reader beside the store sees what is committed, and writes nothing', async () => {
  await inDirectory(async (path) => {
    await assert.rejects(openReadOnly(path), (error) => isStoreError(error, 'StoreUnavailable'));
    const store = await open(path);
    await store.write(({ facts }) => facts.set('name', 'value'));
    {
      await using reader = await openReadOnly(path);
      assert.equal(await reader.read(({ facts }) => facts.get('name')), 'value');
      await store.write(({ facts }) => facts.set('name', 'another'));
      assert.equal(await reader.read(({ facts }) => facts.get('name')), 'another');
      await reader.read(async (rows) => assert.ok(!('set' in rows.facts)));
    }
    const killed = `${path}.killed`;
    for (const suffix of ['', '-wal']) await copyFile(path + suffix, killed + suffix);
    await store[Symbol.asyncDispose]();
    // When no server runs, too, be it that it was stopped or killed.
    for (const each of [path, killed]) {
      await using reader = await openReadOnly(each);
      assert.equal(await reader.read(({ facts }) => facts.get('name')), 'another');
    }
  });
});

test('a reader refuses a database that lacks a migration', async () => {
  await inDirectory(async (path) => {
    await (await open(path))[Symbol.asyncDispose]();
    {
      using database = new DatabaseSync(path);
      database.exec('DELETE FROM kysely_migration');
    }
    await assert.rejects(openReadOnly(path), (error) => {
      assert.ok(isStoreError(error, 'StoreUnavailable'));
      assert.match(error.message, /0001-first.*: start the server once/);
      return true;
    });
  });
});

test('a write gives up, as unavailable, while another process holds the database', async () => {
  await inDirectory(async (path) => {
    await using store = await open(path);
    using other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const write = store.write(({ facts }) => facts.set('name', 'value'));
    await assert.rejects(write, (error) => isStoreError(error, 'StoreUnavailable'));
    assert.equal(await store.read(({ facts }) => facts.get('name')), undefined);
    other.exec('COMMIT');
    await store.write(({ facts }) => facts.set('name', 'value'));
  });
});

test('a process ends by itself once its store is closed, and even if it is not', async () => {
  await inDirectory(async (path) => {
    const work = "await store.write(({ facts }) => facts.set('name', 'value'));";
    const close = 'await store[Symbol.asyncDispose]();';
    const run = promisify(execFile);
    await run(process.execPath, [...script(work + close), path], { timeout: 10_000 });
    await run(process.execPath, [...script(work), path], { timeout: 10_000 });
    // While the log is being copied, and transactions are held back for it.
    const much = `const value = 'x'.repeat(20_000_000);
      for (const name of 'abcdefgh') await store.write(({ facts }) => facts.set(name, value));`;
    await run(process.execPath, [...script(much + close), path], { timeout: 10_000 });
    await using store = await open(path);
    assert.equal((await store.read(({ facts }) => facts.get('h')))?.length, 20_000_000);
  });
});

test('a process that is killed loses nothing that it was told is safe', async () => {
  await inDirectory(async (path) => {
    const body = `await store.write(({ vaults }) => vaults.insert(sampleVault('vault')));
      const filler = 'x'.repeat(3000);
      for (let writer = 0; writer < 32; writer++) {
        (async () => {
          for (let index = 0; ; index++) {
            await addArchive(store, writer + '-' + index, { description: filler });
            process.stdout.write(writer + '-' + index + '\\n');
          }
        })();
      }`;
    const child = spawn(process.execPath, [...script(body), path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let told = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      told += text;
      // Far enough for the log to have begun anew a few times.
      if (told.length > 100_000) child.kill('SIGKILL');
    });
    const [, signal] = await once(child, 'close');
    assert.equal(signal, 'SIGKILL');
    await using store = await open(path);
    const ids = told.slice(0, told.lastIndexOf('\n')).split('\n');
    const missing = await store.read(async ({ archives }) => {
      const found = await Promise.all(ids.map((id) => archives.get(id)));
      return found.filter((archive) => archive === undefined).length;
    });
    assert.equal(missing, 0);
    using database = new DatabaseSync(path);
    assert.equal(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
  });
});

test('the log stays short, however busy the store is', async (context) => {
  await inDirectory(async (path) => {
    await using store = await open(path);
    await store.write(({ vaults }) => vaults.insert(sampleVault('vault')));
    let logBytesMax = 0;
    let written = 0;
    const writer = async (name: number) => {
      // Each archive fills pages of its own: some 190 MB in all.
      for (let index = 0; index < 250; index++) {
        await addArchive(store, `${name}-${index}`, { description: 'x'.repeat(20_000) });
        written += 1;
        if (written % 50 === 0) logBytesMax = Math.max(logBytesMax, await logBytes(path));
      }
    };
    await Promise.all(Array.from({ length: 32 }, (_, name) => writer(name)));
    context.diagnostic(`log of at most ${(logBytesMax / 2 ** 20).toFixed(1)} MiB`);
    assert.ok(logBytesMax < 64 * 2 ** 20, `${logBytesMax} bytes of log`);
    const databaseBytes = (await stat(path)).size;
    assert.ok(databaseBytes > 64 * 2 ** 20, `only ${databaseBytes} bytes of database`);
  });
});

test('a log that another process still reads grows, and begins anew once it is free', async () => {
  await inDirectory(async (path) => {
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (event: string) => void warnings.push(event) };
    await using store = await SqliteMetadataStore.open({ path, ...parts(), log });
    let round = 0;
    /** Some 20 MB; other bytes each time, since SQLite does not write what is there already. */
    const writeMuch = async () => {
      const value = `${round++} `.repeat(60_000);
      const names = Array.from({ length: 160 }, (_, index) => `fact ${index}`);
      await Promise.all(names.map((name) => store.write(({ facts }) => facts.set(name, value))));
    };
    using reader = new DatabaseSync(path);
    reader.exec('BEGIN; SELECT count(*) FROM facts');
    while (warnings.length === 0 && round < 20) await writeMuch();
    assert.equal(warnings[0], 'database-log.retained');
    reader.exec('COMMIT');
    let bytes = 0;
    while (bytes < (await logBytes(path)) && round < 40) {
      bytes = await logBytes(path);
      await writeMuch();
    }
    assert.equal(await logBytes(path), bytes);
  });
});

async function logBytes(path: string): Promise<number> {
  return (await stat(`${path}-wal`)).size;
}

function open(path: string): Promise<SqliteMetadataStore> {
  return SqliteMetadataStore.open({ path, ...parts() });
}

function parts() {
  return { clock: new SimulatedClock(), log: silentLog, journal: new MemoryJournal() };
}

async function inDirectory(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'firn-sqlite-'));
  try {
    await work(join(directory, 'firn.db'));
  } finally {
    await rm(directory, { recursive: true });
  }
}

function isStoreErrorOrSystemError(error: unknown): boolean {
  return isStoreError(error, 'StoreUnavailable') || (error instanceof Error && 'code' in error);
}
