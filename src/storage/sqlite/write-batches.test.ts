import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { isStoreError, StoreError } from '../errors.ts';
import type { JournalBatch } from '../journal.ts';
import { MemoryJournal } from '../memory/memory-journal.ts';
import { SqliteMetadataStore, type SqliteOptions } from './sqlite-metadata-store.ts';

test('4. a batch that the journal has no room for fails whole, and its number is used again', async () => {
  const journal = new ObstinateJournal();
  const madeRoom: number[] = [];
  const onFull = async () => void madeRoom.push(journal.lastSequence);
  await withStore({ journal, onFull }, async (store) => {
    await set(store, 'before');
    journal.refusal = new StoreError('StoreFull', 'no room');
    const writes = ['a', 'b', 'c'].map((name) => set(store, name));
    const failing = store.write(async () => {
      throw new Error('for reasons of its own');
    });
    for (const write of writes) await assert.rejects(write, journal.refusal);
    // It was in a batch with some of those.
    await assert.rejects(failing, journal.refusal);
    assert.deepEqual(await get(store, 'a'), undefined);
    // Those who keep the journal know that already.
    assert.deepEqual(madeRoom, []);
    journal.refusal = null;
    await set(store, 'after');
    assert.equal(journal.lastSequence, 2);
  });
});

test('5. after the journal failed otherwise nothing is written, and reads go on', async () => {
  const journal = new ObstinateJournal();
  await withStore({ journal }, async (store) => {
    await set(store, 'before');
    journal.refusal = new Error('a defect');
    await assert.rejects(set(store, 'a'), isUnavailable);
    journal.refusal = null;
    await assert.rejects(set(store, 'b'), isUnavailable);
    assert.equal(await get(store, 'before'), 'value');
    assert.equal(await store.isSnapshotDue(), false);
  });
});

test('5. a batch that is in the journal and cannot be committed is applied again', async () => {
  const journal = new MemoryJournal();
  let failures = 0;
  let madeRoom = 0;
  const beforeCommit = () => {
    if (failures > 0) {
      failures -= 1;
      throw noRoom();
    }
  };
  const onFull = async () => {
    madeRoom += 1;
  };
  await withStore({ journal, beforeCommit, onFull }, async (store) => {
    failures = 2;
    const count = store.write(async ({ facts }) => {
      await facts.set('count', '1');
      return await facts.get('count');
    });
    const others = ['a', 'b'].map((name) => set(store, name));
    assert.equal(await count, '1');
    await Promise.all(others);
    assert.equal(madeRoom, 2);
    for (const name of ['a', 'b']) assert.equal(await get(store, name), 'value');
    assert.equal(journal.lastSequence, 2);
  });
});

test('5. one that cannot be committed at all is there when the store is opened again', async () => {
  await inDirectory(async (path) => {
    const journal = new MemoryJournal();
    const common = { path, journal, clock: new SimulatedClock(), log: silentLog };
    let isFailing = false;
    const beforeCommit = () => {
      if (isFailing) throw noRoom();
    };
    {
      await using store = await SqliteMetadataStore.open({ ...common, beforeCommit });
      await set(store, 'before');
      isFailing = true;
      await assert.rejects(set(store, 'a'), isUnavailable);
      isFailing = false;
      await assert.rejects(set(store, 'b'), isUnavailable);
      assert.equal(await get(store, 'a'), undefined);
      assert.equal(await get(store, 'before'), 'value');
    }
    await using store = await SqliteMetadataStore.open(common);
    assert.equal(await get(store, 'a'), 'value');
    assert.equal(await get(store, 'b'), undefined);
    await set(store, 'c');
  });
});

test('a turn that hides a failure of the rows fails all the same', async () => {
  const journal = new MemoryJournal();
  await withStore({ journal }, async (store) => {
    const write = store.write(async ({ archives, facts }) => {
      await facts.set('name', 'value');
      await assert.rejects(archives.markRemoved('absent', 5), { name: 'AssertionFailed' });
    });
    await assert.rejects(write, { name: 'AssertionFailed' });
    assert.equal(await get(store, 'name'), undefined);
    assert.equal(journal.lastSequence, 0);
  });
});

test('a batch ends when its payload is long, and the rest comes in the next', async () => {
  const journal = new MemoryJournal();
  await withStore({ journal }, async (store) => {
    const value = 'x'.repeat(1_000_000);
    const names = Array.from({ length: 12 }, (_, index) => `${index}`);
    await Promise.all(names.map((name) => store.write(({ facts }) => facts.set(name, value))));
    assert.ok(journal.batches.length >= 3, `${journal.batches.length} batches`);
    for (const { payload } of journal.batches) assert.ok(payload.length < 6_000_000);
    for (const name of names) assert.equal((await get(store, name))?.length, value.length);
  });
});

/** Refuses what it is told to refuse. */
class ObstinateJournal extends MemoryJournal {
  refusal: Error | null = null;

  override async append(batch: JournalBatch): Promise<void> {
    if (this.refusal !== null) throw this.refusal;
    await super.append(batch);
  }
}

function set(store: SqliteMetadataStore, name: string): Promise<void> {
  return store.write(({ facts }) => facts.set(name, 'value'));
}

function get(store: SqliteMetadataStore, name: string): Promise<string | undefined> {
  return store.read(({ facts }) => facts.get(name));
}

function noRoom(): Error {
  const message = 'database or disk is full';
  return Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
}

function isUnavailable(error: unknown): boolean {
  return isStoreError(error, 'StoreUnavailable');
}

async function withStore(
  options: Pick<SqliteOptions, 'journal' | 'onFull' | 'beforeCommit'>,
  work: (store: SqliteMetadataStore) => Promise<void>,
): Promise<void> {
  await inDirectory(async (path) => {
    const common = { path, clock: new SimulatedClock(), log: silentLog };
    await using store = await SqliteMetadataStore.open({ ...common, ...options });
    await work(store);
  });
}

async function inDirectory(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'firn-batches-'));
  try {
    await work(join(directory, 'firn.db'));
  } finally {
    await rm(directory, { recursive: true });
  }
}
