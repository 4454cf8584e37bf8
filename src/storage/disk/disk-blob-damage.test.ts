import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Log } from '../../lib/log.ts';
import { sha256 } from '../../lib/node/sha256.ts';
import { listIds, readBytes, sampleBytes, writeBytes } from '../blob-specimen.ts';
import type { BlobId } from '../blob-store.ts';
import { isStoreError } from '../errors.ts';
import { DiskSpecimen } from './disk-specimen.ts';
import { fileError } from './faulty-files.ts';
import { fileHeaderBytes } from './file-header.ts';
import { Layout } from './files.ts';
import { growingContentOffset } from './header-copies.ts';

const secondHeader = growingContentOffset - fileHeaderBytes;
const [small, large] = [100, 300_000];

describe('DiskBlobStore, damaged headers of files', () => {
  test('any byte of one header changed costs nothing, is reported once, and repaired', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(small));
    const path = new Layout(specimen.directory).segment(1);
    for (const copy of [0, secondHeader]) {
      const offsets = Array.from({ length: 200 }, (_, index) => index);
      for (const at of [...offsets, 2000, fileHeaderBytes - 32, fileHeaderBytes - 1]) {
        const events = recordEvents(specimen);
        await flip(specimen, path, copy + at);
        await specimen.reopen();
        await assertReads(specimen, id, small);
        await assertReads(specimen, id, small);
        const told = ['file.header-damaged', 'file.header-repaired'];
        assert.deepEqual(events, told, `byte ${copy + at}`);
      }
    }
  });

  test('a header damaged in both copies costs the blobs of its file alone', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const lost = await writeBytes(specimen.store, sampleBytes(small));
    await specimen.reopen();
    const kept = await writeBytes(specimen.store, sampleBytes(small, 2));
    const path = new Layout(specimen.directory).segment(1);
    for (const copy of [0, secondHeader]) await flip(specimen, path, copy + 100);
    await specimen.reopen();
    await assertCorrupt(specimen, lost.id, /a header of the file fails its checksum/);
    await assertReads(specimen, kept.id, small, 2);
    assert.deepEqual(await listIds(specimen.store), [lost.id, kept.id].sort());
    await writeBytes(specimen.store, sampleBytes(small));
    await specimen.store.remove(lost.id);
    assert.ok(!(await listIds(specimen.store)).includes(lost.id));
  });

  test('files of large blobs that were exchanged are recognised, and each blob is refused', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(large));
    const others = await Promise.all(
      [1, 2].map((seed) => writeBytes(specimen.store, sampleBytes(large, seed))),
    );
    const [from, to] = others.map((blob) => pathOf(specimen, blob.id));
    assert.ok(from && to);
    await exchange(specimen, from, to);
    for (const other of others) await assertCorrupt(specimen, other.id, /is another one, large/);
    await assertReads(specimen, id, large);
  });

  test('a file of an unknown version of the format is refused by name', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(large));
    const path = pathOf(specimen, id);
    const file = await specimen.files.open(path, 'read and write');
    for (const copy of [0, (await file.size()) - fileHeaderBytes]) {
      await file.write(Uint8Array.of(3), copy + 7);
    }
    await assertCorrupt(specimen, id, /format version 3, and this program reads version 2/);
  });
});

describe('DiskBlobStore, files in the place of others', () => {
  test('segments that were exchanged are recognised, and each blob is refused', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const ids: BlobId[] = [];
    for (const seed of [1, 2, 3]) {
      ids.push((await writeBytes(specimen.store, sampleBytes(small, seed))).id);
      await specimen.reopen();
    }
    const layout = new Layout(specimen.directory);
    await exchange(specimen, layout.segment(1), layout.segment(2));
    await specimen.reopen();
    const [first, second, third] = ids;
    assert.ok(first && second && third);
    await assertCorrupt(specimen, first, /its file is another one, segment 2/);
    await assertCorrupt(specimen, second, /its file is another one, segment 1/);
    await assertReads(specimen, third, small, 3);
  });

  test('a frame in the place of another one is refused', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const bytes = new Uint8Array(2 * 1024 * 1024).fill(1);
    const { id } = await writeBytes(specimen.store, bytes);
    const file = await specimen.files.open(pathOf(specimen, id), 'read and write');
    const frame = new Uint8Array(1024 * 1024 + 16);
    await file.read(frame, fileHeaderBytes + frame.length);
    await file.write(frame, fileHeaderBytes);
    await assertCorrupt(specimen, id, /frame 0 fails its verification/);
  });

  test('what a header says in clear is vouched for by what is sealed', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(small));
    const path = new Layout(specimen.directory).segment(1);
    const file = await specimen.files.open(path, 'read and write');
    const header = Buffer.alloc(96);
    await file.read(header, growingContentOffset);
    // A forger can make the checksum right, but has no key.
    header.writeBigUInt64BE(1n, 48);
    const covered = Buffer.concat([header.subarray(0, 8), header.subarray(16, 80)]);
    header.set(sha256(covered).subarray(0, 16), 80);
    await file.write(header, growingContentOffset);
    await assertCorrupt(specimen, id, /its bytes fail their verification/);
  });
});

describe('DiskBlobStore, sectors that the disk refuses to read', () => {
  test('one in a header of a file costs nothing', async () => {
    for (const size of [small, large]) {
      await using specimen = await DiskSpecimen.simulated();
      const { id } = await writeBytes(specimen.store, sampleBytes(size));
      refuseToRead(specimen, (offset) => offset === 0);
      await specimen.reopen();
      await assertReads(specimen, id, size);
    }
  });

  test('one in a segment costs the blobs in it, and no listing', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const ids: BlobId[] = [];
    for (let seed = 1; seed <= 3; seed++) {
      ids.push((await writeBytes(specimen.store, sampleBytes(5000, seed))).id);
    }
    const [first, second, third] = ids;
    assert.ok(first && second && third);
    const recordBytes = 5184;
    // The sector in which the second header begins.
    const bad = growingContentOffset + recordBytes - (recordBytes % 512);
    refuseToRead(specimen, (offset, length) => offset < bad + 512 && bad < offset + length);
    await specimen.reopen();
    assert.deepEqual(await listIds(specimen.store), [first, third].sort());
    await assertCorrupt(specimen, second, /./);
    await assertReads(specimen, third, 5000, 3);
    await specimen.store.remove(first);
    await specimen.store.remove(third);
    assert.deepEqual(await specimen.store.wasteful(), []);
    await specimen.reopen();
    // The segment is still there, since nobody knows what is in it.
    refuseToRead(specimen, () => false);
    await assertReads(specimen, second, 5000, 2);
  });

  test('one in the last header of a segment is not taken for the tail of a crash', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(small));
    refuseToRead(specimen, (offset) => offset >= growingContentOffset);
    await specimen.reopen();
    refuseToRead(specimen, () => false);
    await assertReads(specimen, id, small);
  });

  test('a segment that does not open is reported, and hides no other one', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const ids: BlobId[] = [];
    for (const seed of [1, 2, 3]) {
      ids.push((await writeBytes(specimen.store, sampleBytes(small, seed))).id);
      await specimen.reopen();
    }
    const [first, second, third] = ids;
    assert.ok(first && second && third);
    const layout = new Layout(specimen.directory);
    const events = recordEvents(specimen);
    specimen.before = (deed, path) => {
      if (deed !== 'open') return;
      if (path === layout.segment(2) || path === layout.segment(3)) throw fileError('EIO', deed);
    };
    await specimen.reopen();
    assert.deepEqual(await listIds(specimen.store), [first]);
    assert.deepEqual(await specimen.store.wasteful(), []);
    assert.ok(events.includes('segment.unreadable'));
    await assertCorrupt(specimen, second, /cannot be read back/);
    specimen.before = () => {};
    await assertReads(specimen, third, small, 3);
  });
});

describe('DiskBlobStore, the tail that a crash leaves', () => {
  test('a record that is not whole is cut off when the store is opened', async () => {
    for (const tornBytes of [1, 64, 96, 200]) {
      await using specimen = await DiskSpecimen.simulated();
      const { id } = await writeBytes(specimen.store, sampleBytes(small));
      const path = new Layout(specimen.directory).segment(1);
      const sizeBytes = await sizeOf(specimen, path);
      await writeBytes(specimen.store, sampleBytes(small));
      const file = await specimen.files.open(path, 'read and write');
      await file.truncate(sizeBytes + tornBytes);
      await file.sync();
      const events = recordEvents(specimen);
      await specimen.crash();
      // Less than a header is no more than nothing, even when it is the beginning of one.
      assert.deepEqual(events, ['segment.tail-cut'], `${tornBytes} bytes`);
      assert.equal(await sizeOf(specimen, path), sizeBytes);
      assert.deepEqual(await listIds(specimen.store), [id]);
      await specimen.crash();
      await assertReads(specimen, id, small);
    }
  });

  test('a whole record at the end is not cut off because its header is damaged', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(small));
    const path = new Layout(specimen.directory).segment(1);
    for (const at of [0, 7, 16, 23, 31, 40, 59, 90]) {
      await flip(specimen, path, growingContentOffset + at);
      await specimen.reopen();
      await flip(specimen, path, growingContentOffset + at);
      await assertReads(specimen, id, small);
    }
  });
});

/** Reads fail that touch what is refused. */
function refuseToRead(
  specimen: DiskSpecimen,
  isRefused: (offset: number, length: number) => boolean,
): void {
  specimen.beforeRead = (offset, length) => {
    if (isRefused(offset, length)) throw fileError('EIO', 'read');
  };
}

function pathOf(specimen: DiskSpecimen, id: BlobId): string {
  return join(new Layout(specimen.directory).large, id);
}

function recordEvents(specimen: DiskSpecimen): string[] {
  const events: string[] = [];
  const note = (event: string) => void events.push(event);
  specimen.log = { info: note, warn: note, error: note } satisfies Log;
  return events;
}

async function assertReads(specimen: DiskSpecimen, id: BlobId, lengthBytes: number, seed = 1) {
  const read = await readBytes(specimen.store, id, { offsetBytes: 0, lengthBytes });
  assert.deepEqual(read, sampleBytes(lengthBytes, seed));
}

async function assertCorrupt(specimen: DiskSpecimen, id: BlobId, message: RegExp): Promise<void> {
  const lengthBytes = 100;
  await assert.rejects(readBytes(specimen.store, id, { offsetBytes: 0, lengthBytes }), (error) => {
    assert.ok(isStoreError(error, 'BlobCorrupt'), String(error));
    assert.match(error.message, message);
    return true;
  });
}

async function flip({ files }: DiskSpecimen, path: string, offset: number): Promise<void> {
  const file = await files.open(path, 'read and write');
  const byte = new Uint8Array(1);
  await file.read(byte, offset);
  await file.write(Uint8Array.of((byte[0] ?? 0) ^ 1), offset);
  await file.close();
}

async function exchange({ files }: DiskSpecimen, one: string, other: string): Promise<void> {
  await files.rename(one, `${one}.old`);
  await files.rename(other, one);
  await files.rename(`${one}.old`, other);
}

async function sizeOf({ files }: DiskSpecimen, path: string): Promise<number> {
  const file = await files.open(path, 'read');
  const size = await file.size();
  await file.close();
  return size;
}
