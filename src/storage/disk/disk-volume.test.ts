import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemRandomBytes } from '../../lib/node/random.ts';
import { listIds, readBytes, sampleBytes, sampleWriting, writeBytes } from '../blob-specimen.ts';
import { isStoreError } from '../errors.ts';
import { DiskSpecimen } from './disk-specimen.ts';
import { DiskVolume, isEmptyVolume } from './disk-volume.ts';
import { fileError } from './faulty-files.ts';
import { type Files, Layout } from './files.ts';
import { inlineFrameCiphers } from './frame-ciphers.ts';
import { MasterKeys } from './master-keys.ts';

const oneKey = new Uint8Array(32).fill(7);
const otherKey = new Uint8Array(32).fill(8);
const whole = { offsetBytes: 0, lengthBytes: 100 };

describe('DiskVolume', () => {
  test('1. a sync that fails ends the writes of all that is kept in the directory', async () => {
    await using specimen = await DiskSpecimen.simulated();
    specimen.setSyncsFail(true);
    await assert.rejects(specimen.snapshots.write(once(), 1), isUnavailable);
    specimen.setSyncsFail(false);
    await assert.rejects(writeBytes(specimen.store, sampleBytes(100)), isUnavailable);
    await assert.rejects(specimen.snapshots.write(once(), 1), isUnavailable);
    assert.throws(() => specimen.volume.parts.gate.checkOpen(), isUnavailable);
  });

  test('2. a volume whose newest segment has an unknown master key does not open', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(100));
    specimen.masterKeys = new MasterKeys([otherKey]);
    await assert.rejects(specimen.reopen(), (error) => {
      assert.ok(isUnavailable(error) && error instanceof Error);
      const [known, unknown] = [oneKey, otherKey].map((key) => new MasterKeys([key]).currentId);
      assert.match(error.message, new RegExp(`master key ${known}.* holds ${unknown}`));
      return true;
    });
    specimen.masterKeys = new MasterKeys([otherKey, oneKey]);
    await specimen.reopen();
    assert.deepEqual(await readBytes(specimen.store, id, whole), sampleBytes(100));
    await writeBytes(specimen.store, sampleBytes(100));
    // New files are wrapped with the current key alone.
    specimen.masterKeys = new MasterKeys([otherKey]);
    await specimen.reopen();
    await assert.rejects(readBytes(specimen.store, id, whole), isUnavailable);
  });

  test('2. a volume whose newest segment is another store’s does not open', async () => {
    await using specimen = await DiskSpecimen.simulated();
    await writeBytes(specimen.store, sampleBytes(100));
    specimen.storeId = 'f'.repeat(32);
    await assert.rejects(specimen.reopen(), (error) => {
      assert.ok(isUnavailable(error) && error instanceof Error);
      assert.match(error.message, /0000000001 belongs to the store 00010203/);
      return true;
    });
  });

  test('2. without a segment, any other file tells whose the volume is', async () => {
    const fills = [
      (specimen: DiskSpecimen) => writeBytes(specimen.store, sampleBytes(300_000)),
      (specimen: DiskSpecimen) => specimen.snapshots.write(once(), 1),
    ];
    for (const fill of fills) {
      await using specimen = await DiskSpecimen.simulated();
      const { storeId } = specimen;
      await fill(specimen);
      specimen.storeId = 'f'.repeat(32);
      await assert.rejects(specimen.reopen(), /belongs to the store 00010203/);
      specimen.storeId = storeId;
      specimen.masterKeys = new MasterKeys([otherKey]);
      await assert.rejects(specimen.reopen(), isUnavailable);
    }
  });

  test('3. opening reads the newest segment and no other blob', async () => {
    await using specimen = await DiskSpecimen.simulated();
    for (const size of [100, 300_000]) await writeBytes(specimen.store, sampleBytes(size));
    await specimen.reopen();
    await writeBytes(specimen.store, sampleBytes(100));
    const opened = new Set<string>();
    specimen.before = (deed, path) => {
      if (deed === 'open') opened.add(path);
    };
    await specimen.reopen();
    assert.deepEqual([...opened], [new Layout(specimen.directory).segment(2)]);
  });

  test('opened to read, it changes nothing, whatever there is to be tidied', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const dead = await writeBytes(specimen.store, sampleBytes(100));
    await specimen.reopen();
    const kept = await writeBytes(specimen.store, sampleBytes(100));
    const large = await writeBytes(specimen.store, sampleBytes(300_000));
    specimen.before = (deed) => {
      if (deed === 'unlink') throw fileError('EIO', deed);
    };
    await specimen.store.remove(dead.id);
    await specimen.volume[Symbol.asyncDispose]();
    const deeds = new Set<string>();
    specimen.before = (deed) => void deeds.add(deed);
    await using volume = await specimen.openToRead();
    assert.deepEqual(await listIds(volume.blobs), [kept.id, large.id].sort());
    assert.deepEqual(await readBytes(volume.blobs, kept.id, whole), sampleBytes(100));
    assert.equal((await volume.blobs.describe(large.id)).sizeBytes, 300_000);
    assert.deepEqual(await volume.snapshots.list(), []);
    await assert.rejects(writeBytes(volume.blobs, sampleBytes(100)), isUnavailable);
    await assert.rejects(volume.blobs.remove(kept.id), isUnavailable);
    await assert.rejects(volume.snapshots.write(once(), 1), isUnavailable);
    await volume.blobs[Symbol.asyncDispose]();
    assert.deepEqual([...deeds].sort(), ['list', 'open', 'read']);
  });

  test('it is empty until something is kept in it', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { directory, files } = specimen;
    assert.equal(await isEmptyVolume('/nowhere', files), true);
    assert.equal(await isEmptyVolume(directory, files), true);
    for (const size of [100, 300_000]) {
      await writeBytes(specimen.store, sampleBytes(size));
      assert.equal(await isEmptyVolume(directory, files), false);
      for (const id of await listIds(specimen.store)) await specimen.store.remove(id);
      await specimen.reopen();
      await specimen.volume[Symbol.asyncDispose]();
      assert.equal(await isEmptyVolume(directory, files), true);
      await specimen.reopen();
    }
    await specimen.snapshots.write(once(), 1);
    assert.equal(await isEmptyVolume(directory, files), false);
  });

  test('a write that ends while the volume is closed is not broken off by it', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const writing = specimen.store.write(once(), sampleWriting());
    const [written] = await Promise.allSettled([writing, specimen.reopen()]);
    const listed = await listIds(specimen.store);
    assert.deepEqual(listed, written.status === 'fulfilled' ? [written.value.id] : []);
  });
});

test('a disk that fails while a volume is opened leaves no file open', async () => {
  await using specimen = await DiskSpecimen.simulated();
  await writeBytes(specimen.store, sampleBytes(100));
  await specimen.volume[Symbol.asyncDispose]();
  let openCount = 0;
  const { files } = specimen;
  const failing: Files = {
    create: (path) => files.create(path),
    open: async (path, access) => {
      const file = await files.open(path, access);
      openCount += 1;
      return {
        read: (buffer, offset) => file.read(buffer, offset),
        write: (bytes, offset) => file.write(bytes, offset),
        sync: () => file.sync(),
        truncate: (size) => file.truncate(size),
        size: async () => {
          throw fileError('EMFILE', 'open');
        },
        close: async () => {
          openCount -= 1;
        },
      };
    },
    rename: (from, to) => files.rename(from, to),
    unlink: (path) => files.unlink(path),
    list: (directory) => files.list(directory),
    makeDirectory: (path) => files.makeDirectory(path),
    syncDirectory: (path) => files.syncDirectory(path),
    room: (directory) => files.room(directory),
  };
  const { directory, storeId, masterKeys, clock, log } = specimen;
  const options = { directory, storeId, masterKeys, clock, log, files: failing };
  const means = { randomBytes: systemRandomBytes, ciphers: inlineFrameCiphers };
  await assert.rejects(DiskVolume.open({ ...options, ...means }), isUnavailable);
  assert.equal(openCount, 0);
});

async function* once() {
  yield sampleBytes(100);
}

function isUnavailable(error: unknown): boolean {
  return isStoreError(error, 'StoreUnavailable');
}
