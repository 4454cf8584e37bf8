import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SimulatedClock } from '../../lib/clock.ts';
import {
  readBytes,
  sampleBytes,
  sampleWriting,
  WatchedSource,
  writeBytes,
} from '../blob-specimen.ts';
import { frameSizeBytes } from '../blob-store.ts';
import { isStoreError } from '../errors.ts';
import { DiskSpecimen } from './disk-specimen.ts';
import { fileError } from './faulty-files.ts';
import { fileHeaderBytes } from './file-header.ts';
import { Room } from './room.ts';
import { SimulatedFiles } from './simulated-files.ts';

const mebibyte = 1024 * 1024;

describe('Room', () => {
  test('1. of a large file system 64 MiB stay free, of a small one a sixteenth', async () => {
    for (const [sizeBytes, reserveBytes] of [
      [1000 * mebibyte, 1000 * (mebibyte / 16)],
      [1024 * mebibyte, 64 * mebibyte],
      [10_000 * mebibyte, 64 * mebibyte],
    ] as const) {
      const { room } = roomOf({ sizeBytes, freeBytes: 100 * mebibyte });
      await assert.rejects(room.spend(100 * mebibyte - reserveBytes + 1), isFull);
      await room.spend(100 * mebibyte - reserveBytes);
    }
  });

  test('2. what is written and what is being written counts until it is measured', async () => {
    const { room, files, clock } = roomOf({ sizeBytes: 1600, freeBytes: 300 });
    const writing = Promise.withResolvers<void>();
    const write = room.spend(100, () => writing.promise);
    await assert.rejects(room.spend(101), isFull);
    await room.spend(50);
    files.left.freeBytes = 250;
    await assert.rejects(room.spend(51), isFull);
    writing.resolve();
    await write;
    files.left.freeBytes = 150;
    clock.advance(1000);
    await room.spend(50);
    files.left.freeBytes = 100;
    await assert.rejects(room.spend(1), isFull);
  });

  test('2. it is measured once a second, and before anything is refused', async () => {
    const { room, files, clock } = roomOf({ sizeBytes: 1600, freeBytes: 300 });
    await Promise.all([room.spend(1), room.spend(1), room.spend(1)]);
    await room.spend(100);
    assert.equal(files.measured, 1);
    files.left.freeBytes = 1000;
    await room.spend(400);
    assert.equal(files.measured, 2);
    clock.advance(999);
    await room.spend(1);
    assert.equal(files.measured, 2);
    clock.advance(1);
    await room.spend(1);
    assert.equal(files.measured, 3);
  });

  test('nothing new is begun unless there is a 64th part of the reserve besides', async () => {
    const { room, files } = roomOf({ sizeBytes: 16 * 6400, freeBytes: 6500 });
    await room.check();
    assert.equal(room.isFull, false);
    await room.spend(1);
    files.left.freeBytes = 6499;
    await assert.rejects(room.check(), isFull);
    assert.equal(room.isFull, true);
    // What was begun may use it.
    await room.spend(99);
    files.left.freeBytes = 6400;
    await assert.rejects(room.spend(1), isFull);
  });

  test('a check measures again when the last measurement is old, or before it refuses', async () => {
    const { room, files, clock } = roomOf({ sizeBytes: 1600, freeBytes: 100 });
    await assert.rejects(room.check(), isFull);
    files.left.freeBytes = 200;
    await room.check();
    assert.equal(files.measured, 2);
    clock.advance(999);
    await room.check();
    assert.equal(files.measured, 2);
    clock.advance(1);
    files.left.freeBytes = 100;
    await assert.rejects(room.check(), isFull);
  });

  test('who only asks learns of room that was made since, where nobody writes', async () => {
    const { room, files, clock } = roomOf({ sizeBytes: 1600, freeBytes: 100 });
    const error = fileError('ENOSPC', 'write');
    for (const refuse of [
      () => assert.rejects(room.check(), isFull),
      () => assert.rejects(room.spend(1, () => Promise.reject(error))),
    ]) {
      await refuse();
      files.left.freeBytes = 1000;
      assert.equal(room.isFull, true);
      clock.advance(1000);
      assert.equal(room.isFull, true);
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(room.isFull, false);
    }
    const { measured } = files;
    for (let time = 0; time < 10; time += 1) assert.equal(room.isFull, false);
    assert.equal(files.measured, measured);
  });

  test('3. a disk that found no room is believed for a second, whatever is measured', async () => {
    const { room, clock } = roomOf({ sizeBytes: 1600, freeBytes: 1000 });
    for (const code of ['ENOSPC', 'EDQUOT']) {
      const error = fileError(code, 'write');
      await assert.rejects(
        room.spend(1, () => Promise.reject(error)),
        error,
      );
      clock.advance(999);
      await assert.rejects(room.check(), isFull);
      assert.equal(room.isFull, true);
      clock.advance(1);
      // It is full as far as anybody knows, until somebody looks.
      assert.equal(room.isFull, true);
      await room.check();
      assert.equal(room.isFull, false);
    }
  });

  test('what may use the reserve is refused by nobody but the disk, and counts', async () => {
    const { room } = roomOf({ sizeBytes: 1600, freeBytes: 100 });
    await assert.rejects(room.spend(1), isFull);
    await room.spend(1000, async () => {}, { mayUseReserve: true });
    await assert.rejects(room.check(), isFull);
    const enospc = fileError('ENOSPC', 'write');
    await assert.rejects(
      room.spend(1, () => Promise.reject(enospc), { mayUseReserve: true }),
      enospc,
    );
  });

  test('a write that fails is what fails, and its bytes count as spent', async () => {
    const { room } = roomOf({ sizeBytes: 1600, freeBytes: 300 });
    const error = new Error('it fails');
    await assert.rejects(
      room.spend(150, () => Promise.reject(error)),
      error,
    );
    await room.spend(200);
  });

  test('a file system that does not tell its size refuses nothing beforehand', async () => {
    await roomOf({ sizeBytes: 0, freeBytes: 0 }).room.spend(1000 * mebibyte);
  });
});

describe('DiskBlobStore on a disk that uploads have filled', () => {
  test('uploads are refused before they are read, and removals are not', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const files = simulatedFiles(specimen);
    const small = await writeBytes(specimen.store, sampleBytes(1000));
    const large = await writeBytes(specimen.store, sampleBytes(300_000));
    fill(files);
    specimen.clock.advance(1000);
    const source = new WatchedSource([sampleBytes(100)], 'end');
    await assert.rejects(specimen.store.write(source, sampleWriting()), isFull);
    assert.deepEqual([source.pulls, source.returns], [0, 1]);
    for (const { id } of [small, large]) await specimen.store.remove(id);
    await writeBytes(specimen.store, sampleBytes(1000));
  });

  test('a small blob that may use the reserve is taken, also by a segment that is to be begun', async () => {
    for (const isBegun of [true, false]) {
      await using specimen = await DiskSpecimen.simulated();
      const { store } = specimen;
      // One that is large has a file of its own.
      await writeBytes(store, sampleBytes(isBegun ? 1000 : 300_000));
      fill(simulatedFiles(specimen));
      specimen.clock.advance(1000);
      await assert.rejects(writeBytes(store, sampleBytes(10)), isFull);
      const writing = { ...sampleWriting(), mayUseReserve: true };
      const writes = [1, 2].map((seed) =>
        store.write(new WatchedSource([sampleBytes(100, seed)], 'end'), writing),
      );
      const refused = assert.rejects(writeBytes(store, sampleBytes(10)), isFull);
      for (const [index, { id }] of (await Promise.all(writes)).entries()) {
        const range = { offsetBytes: 0, lengthBytes: 100 };
        assert.deepEqual(await readBytes(store, id, range), sampleBytes(100, index + 1));
      }
      await refused;
    }
  });

  test('a large upload ends when only the reserve is left, and gives its room back', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const files = simulatedFiles(specimen);
    files.sizeBytes = 16 * frameSizeBytes;
    let leastBytes = files.sizeBytes;
    specimen.before = () => {
      const takenBytes = [...files.sizes().values()].reduce((sum, size) => sum + size, 0);
      leastBytes = Math.min(leastBytes, files.sizeBytes - takenBytes);
    };
    const frames = Array.from({ length: 16 }, () => sampleBytes(frameSizeBytes));
    const source = new WatchedSource(frames, 'stall');
    await assert.rejects(specimen.store.write(source, sampleWriting()), isFull);
    // But for the header, which is small.
    assert.ok(leastBytes >= frameSizeBytes - 3 * fileHeaderBytes, `${leastBytes} bytes were left`);
    assert.deepEqual([...files.sizes().values()], []);
    await writeBytes(specimen.store, sampleBytes(8 * frameSizeBytes));
  });

  test('small uploads stop at the reserve too', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const files = simulatedFiles(specimen);
    files.sizeBytes = 1_600_000;
    const write = async () => {
      for (;;) await writeBytes(specimen.store, sampleBytes(20_000));
    };
    await Promise.all([1, 2, 3].map(() => assert.rejects(write(), isFull)));
    const { freeBytes } = await files.room();
    assert.ok(freeBytes >= 100_000 && freeBytes < 200_000, `${freeBytes} bytes are left`);
  });
});

/** Leaves a bit less than the reserve of a file system. */
function fill(files: SimulatedFiles): void {
  const takenBytes = [...files.sizes().values()].reduce((sum, size) => sum + size, 0);
  files.sizeBytes = Math.floor((takenBytes / 15) * 16) - 100;
}

function simulatedFiles({ files }: DiskSpecimen): SimulatedFiles {
  return files as SimulatedFiles;
}

class MeasuredFiles extends SimulatedFiles {
  measured = 0;
  readonly left: { sizeBytes: number; freeBytes: number };

  constructor(left: { sizeBytes: number; freeBytes: number }) {
    super('/');
    this.left = left;
  }

  override async room() {
    this.measured += 1;
    return { ...this.left };
  }
}

function roomOf(left: { sizeBytes: number; freeBytes: number }) {
  const clock = new SimulatedClock();
  const files = new MeasuredFiles(left);
  return { clock, files, room: new Room('/', { files, clock }) };
}

function isFull(error: unknown): boolean {
  return isStoreError(error, 'StoreFull');
}
