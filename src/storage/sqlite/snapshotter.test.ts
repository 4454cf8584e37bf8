import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { StoreError } from '../errors.ts';
import { MemoryJournal } from '../memory/memory-journal.ts';
import { MemorySnapshots } from '../memory/memory-snapshots.ts';
import { addArchive, blobId, sampleVault } from '../metadata-specimen.ts';
import { failingThread, flipInIndex } from './damage-specimen.ts';
import { Snapshotter } from './snapshotter.ts';
import { SqliteMetadataStore, type SqliteOptions } from './sqlite-metadata-store.ts';

const goingOn = new AbortController().signal;
const hourMs = 60 * 60 * 1000;

test('a snapshot is due when there is none, or a change is not in one that is a day old', async () => {
  await inHouse(async ({ options, clock }) => {
    await using store = await SqliteMetadataStore.open(options);
    assert.equal(await store.isSnapshotDue(), false);
    await set(store, 'first');
    assert.equal(await store.isSnapshotDue(), true);
    await store.takeSnapshot(goingOn);
    assert.equal(await store.isSnapshotDue(), false);
    clock.advance(25 * hourMs);
    assert.equal(await store.isSnapshotDue(), false);
    await set(store, 'second');
    assert.equal(await store.isSnapshotDue(), true);
    await store.takeSnapshot(goingOn);
    await set(store, 'third');
    clock.advance(23 * hourMs);
    assert.equal(await store.isSnapshotDue(), false);
    clock.advance(hourMs);
    assert.equal(await store.isSnapshotDue(), true);
  });
});

test('a snapshot is due when the journal since the last has become long', async () => {
  await inHouse(async ({ options, journal }) => {
    await using store = await SqliteMetadataStore.open(options);
    await set(store, 'first');
    await store.takeSnapshot(goingOn);
    await set(store, 'second', 2);
    await store.takeSnapshot(goingOn);
    // The same facts again and again: the database stays as it is.
    for (let round = 0; !(await store.isSnapshotDue()); round += 1) {
      assert.ok(round < 100, 'it is never due');
      await set(store, 'third', 4_000_000);
    }
    const bytes = journal.sizeBytes;
    assert.ok(bytes > 64 * 2 ** 20 && bytes < 90 * 2 ** 20, `${bytes} bytes`);
    await store.takeSnapshot(goingOn);
    assert.equal(await store.isSnapshotDue(), false);
  });
});

test('two snapshots are kept, the journal since the older, and never less than a batch', async () => {
  await inHouse(async ({ options, journal, snapshots }) => {
    await using store = await SqliteMetadataStore.open(options);
    const sequencesHeld = () => journal.batches.map(({ sequence }) => sequence);
    for (let sequence = 1; sequence <= 4; sequence += 1) {
      await set(store, `fact ${sequence}`);
      await store.takeSnapshot(goingOn);
    }
    const kept = (await snapshots.list()).map(({ sequence }) => sequence);
    assert.deepEqual(kept, [4, 3]);
    assert.deepEqual(sequencesHeld(), [4]);
    await store.takeSnapshot(goingOn);
    assert.deepEqual(sequencesHeld(), [4]);
  });
});

test('transactions go on while a snapshot is taken, and it says which of them it contains', async () => {
  await inHouse(async ({ options, snapshots, directory }) => {
    await using store = await SqliteMetadataStore.open(options);
    await store.write(({ vaults }) => vaults.insert(sampleVault('vault')));
    for (let index = 0; index < 50; index += 1) {
      await addArchive(store, `before ${index}`, { description: 'x'.repeat(100_000) });
    }
    let isOver = false;
    let meanwhile = 0;
    const taking = store.takeSnapshot(goingOn).finally(() => {
      isOver = true;
    });
    for (; !isOver; meanwhile += 1) await addArchive(store, `meanwhile ${meanwhile}`);
    await taking;
    assert.ok(meanwhile > 3, `${meanwhile} transactions`);
    const [snapshot] = await snapshots.list();
    assert.ok(snapshot !== undefined);
    assert.ok(snapshot.sequence >= 51 && snapshot.sequence <= 51 + meanwhile);
    assert.deepEqual((await readdir(directory)).sort(), ['firn.db', 'firn.db-shm', 'firn.db-wal']);
  });
});

test('a snapshot for which there is no room is put off, and told to the log', async () => {
  await inHouse(async ({ options, snapshots }) => {
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (event: string) => void warnings.push(event) };
    let isFull = true;
    const checkRoom = async () => {
      if (isFull) throw new StoreError('StoreFull', 'no room');
    };
    await using store = await SqliteMetadataStore.open({ ...options, log, checkRoom });
    await set(store, 'name');
    await store.takeSnapshot(goingOn);
    assert.deepEqual(warnings, ['snapshot.postponed']);
    assert.deepEqual(await snapshots.list(), []);
    assert.equal(await store.isSnapshotDue(), true);
    isFull = false;
    await store.takeSnapshot(goingOn);
    assert.equal((await snapshots.list()).length, 1);
  });
});

test('a snapshot that is aborted leaves nothing, nor does one that a crash cut short', async () => {
  await inHouse(async ({ options, snapshots, directory }) => {
    await writeFile(`${options.path}.copy`, 'half a copy');
    await using store = await SqliteMetadataStore.open(options);
    await assert.rejects(stat(`${options.path}.copy`), { code: 'ENOENT' });
    await set(store, 'name');
    const stopping = new AbortController();
    const taking = store.takeSnapshot(stopping.signal);
    stopping.abort(new Error('enough'));
    await assert.rejects(taking, /enough/);
    assert.deepEqual(await snapshots.list(), []);
    assert.ok(!(await readdir(directory)).some((name) => name.includes('copy')));
  });
});

test('a store that is closed waits for the snapshot that is being taken', async () => {
  await inHouse(async ({ options, snapshots }) => {
    const store = await SqliteMetadataStore.open(options);
    await set(store, 'name');
    const taking = store.takeSnapshot(goingOn);
    await store[Symbol.asyncDispose]();
    assert.equal((await snapshots.list()).length, 1);
    await taking;
  });
});

test('a database whose index differs from its table is not copied, and not gone on with', async () => {
  await inHouse(async ({ options, snapshots }) => {
    {
      await using store = await SqliteMetadataStore.open(options);
      await store.write(({ vaults }) => vaults.insert(sampleVault('vault')));
      for (const index of [1, 2, 3]) await addArchive(store, `archive ${index}`);
    }
    await flipInIndex(options.path, 'archive_blobs_by_blob', 'archive 2.1');
    {
      await using store = await SqliteMetadataStore.open(options);
      await assert.rejects(store.takeSnapshot(goingOn), /missing from index archive_blobs_by_blob/);
      await assert.rejects(set(store, 'name'), { code: 'StoreUnavailable' });
      assert.deepEqual(await snapshots.list(), []);
    }
    await stat(`${options.path}.damaged`);
    await using store = await SqliteMetadataStore.open(options);
    await store.takeSnapshot(goingOn);
    const isReferenced = await store.read(({ blobs }) => blobs.isReferenced(blobId('archive 2.1')));
    assert.equal(isReferenced, true);
  });
});

test('a copying thread that fails is told to whoever asked for the snapshot, and to nobody else', async () => {
  await inHouse(async ({ options, snapshots }) => {
    await using store = await SqliteMetadataStore.open(options);
    await set(store, 'name');
    const checkRoom = async () => undefined;
    const onDamage = (error: unknown) => assert.fail(String(error));
    const parts = { ...options, snapshots, checkRoom, isAskedFor: false, onDamage };
    const snapshotter = new Snapshotter({ ...parts, startThread: failingThread });
    await assert.rejects(snapshotter.takeSnapshot(goingOn), { code: 'StoreUnavailable' });
    await store.takeSnapshot(goingOn);
    assert.equal((await snapshots.list()).length, 1);
  });
});

test('one that is asked for is due, and takes the place of those with damaged headers', async () => {
  await inHouse(async ({ options, snapshots }) => {
    await using store = await SqliteMetadataStore.open(options);
    await set(store, 'name');
    await store.takeSnapshot(goingOn);
    const [damaged] = await snapshots.list();
    snapshots.damageHeader(`${damaged?.name}`);
    store.askForSnapshot();
    assert.equal(await store.isSnapshotDue(), true);
    await store.takeSnapshot(goingOn);
    assert.equal(await store.isSnapshotDue(), false);
    assert.equal((await snapshots.list()).length, 1);
    assert.deepEqual(await snapshots.damaged(), []);
  });
});

test('a snapshot that is ahead of the newest is not given up for it', async () => {
  await inHouse(async ({ options, snapshots }) => {
    await using store = await SqliteMetadataStore.open(options);
    for (const sequence of [90, 80, 70]) await snapshots.write(oneByte(), sequence);
    await set(store, 'name');
    await store.takeSnapshot(goingOn);
    const kept = (await snapshots.list()).map(({ sequence }) => sequence);
    assert.deepEqual(kept, [1, 70, 80, 90]);
  });
});

async function* oneByte(): AsyncGenerator<Uint8Array> {
  yield Uint8Array.of(1);
}

function set(store: SqliteMetadataStore, name: string, length = 5): Promise<void> {
  return store.write(({ facts }) => facts.set(name, 'x'.repeat(length)));
}

interface House {
  readonly directory: string;
  readonly clock: SimulatedClock;
  readonly journal: MemoryJournal;
  readonly snapshots: MemorySnapshots;
  readonly options: SqliteOptions;
}

async function inHouse(work: (house: House) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'firn-snapshots-'));
  const clock = new SimulatedClock();
  const journal = new MemoryJournal();
  const snapshots = new MemorySnapshots({ clock });
  const path = join(directory, 'firn.db');
  try {
    const options = { path, clock, log: silentLog, journal, snapshots };
    await work({ directory, clock, journal, snapshots, options });
  } finally {
    await rm(directory, { recursive: true });
  }
}
