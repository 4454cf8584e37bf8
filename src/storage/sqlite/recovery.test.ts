import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { Journal } from '../journal.ts';
import { MemoryJournal } from '../memory/memory-journal.ts';
import { addArchive } from '../metadata-specimen.ts';
import { isSalvageDue } from '../repair-state.ts';
import { rebuildDatabase } from './rebuild.ts';
import { factIn, inHouse, isUnavailable } from './recovery-specimen.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';
import { dumpRows } from './table-dump.ts';

const goingOn = new AbortController().signal;

describe('a database that is lost or damaged', () => {
  const harms: Readonly<Record<string, (path: string) => Promise<void>>> = {
    'is missing': async (path) => {
      for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true });
    },
    'is no database': (path) => writeFile(path, 'this is no database at all '.repeat(999)),
    'is cut off': async (path) => {
      await using file = await open(path, 'r+');
      await file.truncate((await file.stat()).size - 4096);
    },
    'has pages of something else': async (path) => {
      const bytes = await readFile(path);
      await writeFile(path, bytes.fill(0xff, 8192));
    },
    'has lost its tables': async (path) => {
      const bytes = await readFile(path);
      await writeFile(path, bytes.fill(0, 100, 4096));
    },
  };
  for (const [what, harm] of Object.entries(harms)) {
    for (const source of ['a snapshot and the journal', 'the journal alone']) {
      test(`one that ${what} is made again, from ${source}`, async () => {
        await inHouse(async (house) => {
          await house.fill(source === 'the journal alone' ? 'no snapshot' : 'snapshot');
          const before = dumpRows(house.path);
          await harm(house.path);
          const harmed = what === 'is missing' ? undefined : await readFile(house.path);
          await using store = await house.open();
          assert.equal(await factIn(store, 'last'), 'value');
          assert.deepEqual(house.log.names('error'), ['metadata.damaged']);
          assert.deepEqual(house.log.names('warn'), ['metadata.rebuilt']);
          assert.equal(await isSalvageDue(store), true);
          assert.equal(await store.isSnapshotDue(), true);
          const aside = (await readdir(house.directory)).filter((name) => /damaged/.test(name));
          if (harmed === undefined) assert.deepEqual(aside, []);
          else assert.deepEqual(await readFile(join(house.directory, `${aside[0]}`)), harmed);
          await store[Symbol.asyncDispose]();
          assert.deepEqual(dumpRows(house.path), before);
          await (await house.open())[Symbol.asyncDispose]();
          assert.equal(house.log.names('error').length, 1);
        });
      });
    }
  }

  test('one that is older than the journal is made again from a snapshot', async () => {
    await inHouse(async (house) => {
      await using first = await house.open();
      await first.write(({ facts }) => facts.set('first', 'value'));
      await first[Symbol.asyncDispose]();
      await copyFile(house.path, `${house.path}.old`);
      await house.fill('snapshot');
      const [snapshot] = await house.snapshots.list();
      await house.journal.forget(snapshot?.sequence ?? 0);
      const before = dumpRows(house.path);
      await copyFile(`${house.path}.old`, house.path);
      await (await house.open())[Symbol.asyncDispose]();
      assert.deepEqual(dumpRows(house.path), before);
    });
  });

  test('a snapshot that is damaged is passed over for the one before', async () => {
    await inHouse(async (house) => {
      await house.fill('snapshot');
      await house.fill('snapshot');
      const [newest] = await house.snapshots.list();
      house.snapshots.damage(`${newest?.name}`);
      const before = dumpRows(house.path);
      await rm(house.path);
      await (await house.open())[Symbol.asyncDispose]();
      assert.deepEqual(dumpRows(house.path), before);
      assert.ok(house.log.names('error').includes('snapshot.unusable'));
    });
  });

  test('one that shows its damage while it runs refuses writes, and is made again', async () => {
    await inHouse(async (house) => {
      await house.fill('no snapshot');
      const before = dumpRows(house.path);
      {
        await using store = await house.open();
        // By another process: to close the file here would drop SQLite's locks on it.
        await promisify(execFile)('dd', [
          ...['if=/dev/urandom', `of=${house.path}`, 'conv=notrunc'],
          ...['bs=4096', 'seek=1', 'count=40'],
        ]);
        const read = store.read(({ archives }) => archives.get('archive 1'));
        await assert.rejects(read, (error) => {
          assert.ok(isUnavailable(error), String(error));
          assert.ok(error.message.includes(house.path), error.message);
          return true;
        });
        const write = store.write(({ facts }) => facts.set('name', 'value'));
        await assert.rejects(write, isUnavailable);
        assert.deepEqual(house.log.names('error'), ['metadata.failed', 'metadata.damaged']);
      }
      await stat(`${house.path}.damaged`);
      await (await house.open())[Symbol.asyncDispose]();
      assert.deepEqual(dumpRows(house.path), before);
      await assert.rejects(stat(`${house.path}.damaged`), { code: 'ENOENT' });
    });
  });
});

describe('a journal that is lost or damaged', () => {
  test('one that is behind the database is gone on with, and a snapshot is due', async () => {
    await inHouse(async (house) => {
      await house.fill('no snapshot');
      const last = house.journal.lastSequence;
      house.journal = new MemoryJournal();
      await using store = await house.open();
      assert.deepEqual(house.log.names('warn'), ['journal.behind']);
      assert.equal(await store.isSnapshotDue(), true);
      // A batch that changes nothing: a snapshot taken now is not one without its journal.
      assert.equal(house.journal.lastSequence, last + 1);
      await store.takeSnapshot(goingOn);
      await store[Symbol.asyncDispose]();
      await rm(house.path);
      await using again = await house.open();
      assert.equal(await factIn(again, 'last'), 'value');
      await again.write(({ facts }) => facts.set('name', 'value'));
      assert.equal(house.journal.lastSequence, last + 2);
    });
  });

  test('one whose damage the database has behind it is gone on with, and told to the log', async () => {
    await inHouse(async (house) => {
      await house.fill('no snapshot');
      const { journal } = house;
      const batches = journal.batches.slice(0, -2);
      const cut = new MemoryJournal(batches);
      cut.read = async function* () {
        yield { damage: 'the last two batches are damaged' };
      };
      house.journal = cut;
      await using store = await house.open();
      assert.deepEqual(house.log.names('error'), ['journal.damaged']);
      assert.equal(await factIn(store, 'last'), 'value');
      assert.equal(await store.isSnapshotDue(), true);
      await store.write(({ facts }) => facts.set('name', 'value'));
      assert.equal(cut.lastSequence, journal.lastSequence + 2);
    });
  });

  test('one that lacks what the database lacks is refused, and salvaged when asked to', async () => {
    await inHouse(async (house) => {
      await house.fill('no snapshot');
      const { batches } = house.journal;
      const { sequence = 0 } = batches.find(({ payload }) => isAbout(payload, 'archive 1')) ?? {};
      house.journal = new MemoryJournal(batches.filter((batch) => batch.sequence !== sequence));
      await rm(house.path);
      await assert.rejects(house.open(), (error) => {
        assert.ok(isUnavailable(error));
        assert.match(error.message, new RegExp(`${sequence}.*firn repair --rebuild`));
        return true;
      });
      assert.deepEqual(await readdir(house.directory), []);
      const { lost } = await rebuildDatabase({ ...house, loss: 'accept' });
      assert.match(
        lost.join('\n'),
        /needs what is lost: vaults.recordChange, archives.markRemoved/,
      );
      await using store = await house.open();
      assert.equal(await factIn(store, 'last'), 'value');
      const vault = await store.read(({ vaults }) => vaults.getById('vault'));
      assert.deepEqual([vault?.archiveCount, vault?.sizeBytes, vault?.changes], [2, 60, 3]);
      assert.equal(await store.isSnapshotDue(), true);
      await addArchive(store, 'another');
    });
  });

  test('one whose end is in doubt is refused, and goes on after a rebuild that was asked for', async () => {
    await inHouse(async (house) => {
      await house.fill('no snapshot');
      const { journal } = house;
      const doubtful: Journal = {
        get lastSequence() {
          return journal.lastSequence;
        },
        sizeBytes: 0,
        append: (batch) => journal.append(batch),
        async *read(afterSequence) {
          yield* journal.read(afterSequence);
          yield { damage: 'the end is damaged' };
        },
        forget: (through) => journal.forget(through),
        [Symbol.asyncDispose]: async () => undefined,
      };
      const open = () => SqliteMetadataStore.open({ ...house, journal: doubtful });
      await assert.rejects(open(), /the end is damaged.*firn repair --rebuild/);
      await rebuildDatabase({ ...house, journal: doubtful, loss: 'accept' });
      await using store = await open();
      assert.equal(await factIn(store, 'last'), 'value');
      await store.write(({ facts }) => facts.set('name', 'value'));
    });
  });

  test('a snapshot without the journal that followed it is not taken for everything', async () => {
    await inHouse(async (house) => {
      await house.fill('snapshot');
      house.journal = new MemoryJournal();
      await rm(house.path);
      await assert.rejects(house.open(), /what came after it is missing.*firn repair --rebuild/);
      const { lost } = await rebuildDatabase({ ...house, loss: 'accept' });
      assert.deepEqual(lost.length, 1);
      await using store = await house.open();
      assert.equal((await store.read(({ vaults }) => vaults.getById('vault')))?.archiveCount, 2);
    });
  });
});

describe('a store that nobody wrote to', () => {
  test('starts empty, whatever log another database has left there', async () => {
    await inHouse(async (house) => {
      const killed = await house.open();
      await killed.write(({ facts }) => facts.set('name', 'value'));
      const other = join(house.directory, 'other.db');
      await copyFile(`${house.path}-wal`, `${other}-wal`);
      await killed[Symbol.asyncDispose]();
      const journal = new MemoryJournal();
      await using store = await SqliteMetadataStore.open({ ...house, path: other, journal });
      assert.equal(await factIn(store, 'name'), undefined);
      assert.equal(await store.isSnapshotDue(), false);
      assert.deepEqual(house.log.names('error'), []);
    });
  });
});

test('a rebuild that a crash cut short is done again, and leaves nothing half-made', async () => {
  await inHouse(async (house) => {
    await house.fill('snapshot');
    const before = dumpRows(house.path);
    await writeFile(`${house.path}.rebuilt`, 'half of it');
    await (await house.open())[Symbol.asyncDispose]();
    await assert.rejects(stat(`${house.path}.rebuilt`), { code: 'ENOENT' });
    assert.deepEqual(house.log.names('error'), []);
    // Between setting aside and putting the new one in its place.
    await writeFile(`${house.path}.damaged`, 'it is being replaced');
    await rename(house.path, `${house.path}.damaged-20260101T000000000Z`);
    await writeFile(`${house.path}.rebuilt`, 'half of it');
    await (await house.open())[Symbol.asyncDispose]();
    assert.deepEqual(dumpRows(house.path), before);
    await assert.rejects(stat(`${house.path}.damaged`), { code: 'ENOENT' });
  });
});

test('a start for which there is no room asks for some, once', async () => {
  await inHouse(async (house) => {
    {
      await using store = await house.open();
      await store.write(({ facts }) => facts.set('much', 'x'.repeat(1_000_000)));
    }
    const path = join(house.directory, 'lost.db');
    const options: Parameters<typeof SqliteMetadataStore.open>[0] & { sizeBytesMax?: number } = {
      ...house,
      path,
      sizeBytesMax: 300_000,
      onFull: async () => {
        delete options.sizeBytesMax;
      },
    };
    await using store = await SqliteMetadataStore.open(options);
    assert.equal((await factIn(store, 'much'))?.length, 1_000_000);
  });
});

test('a working database can be made again, and is set aside', async () => {
  await inHouse(async (house) => {
    await house.fill('snapshot');
    const before = dumpRows(house.path);
    const { setAside, snapshot, lost } = await rebuildDatabase({ ...house, loss: 'refuse' });
    assert.ok(setAside !== null && snapshot !== null);
    assert.deepEqual(lost, []);
    assert.deepEqual(dumpRows(house.path), before);
    assert.deepEqual(dumpRows(setAside), before);
  });
});

function isAbout(payload: Uint8Array, text: string): boolean {
  return Buffer.from(payload).includes(`"${text}"`);
}
