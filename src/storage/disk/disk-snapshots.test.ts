import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Log } from '../../lib/log.ts';
import { chunked, sampleBytes, WatchedSource } from '../blob-specimen.ts';
import { frameSizeBytes } from '../blob-store.ts';
import { isStoreError } from '../errors.ts';
import type { Snapshots } from '../snapshots.ts';
import { DiskSpecimen } from './disk-specimen.ts';
import { fileError } from './faulty-files.ts';
import { Layout } from './files.ts';

const bytes = sampleBytes(2 * frameSizeBytes + 5);

describe('DiskSnapshots', () => {
  test('what is written is read back, whatever its size', async () => {
    await using specimen = await DiskSpecimen.simulated();
    for (const size of [0, 1, frameSizeBytes, 2 * frameSizeBytes + 5]) {
      const { name, sizeBytes } = await specimen.snapshots.write(chunked(sampleBytes(size)), 1);
      assert.equal(sizeBytes, size);
      assert.deepEqual(await readAll(specimen.snapshots, name), sampleBytes(size));
    }
  });

  test('a list tells every snapshot, newest first, also after a crash', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const written = [];
    for (const sequence of [7, 1000, 30]) {
      specimen.clock.advance(1000);
      written.push(await specimen.snapshots.write(chunked(bytes), sequence));
    }
    const [first, second, third] = written;
    assert.equal(third?.takenAtMs, specimen.clock.now());
    assert.deepEqual(await specimen.snapshots.list(), [second, third, first]);
    await specimen.crash();
    assert.deepEqual(await specimen.snapshots.list(), [second, third, first]);
  });

  test('one that is not whole is not listed, and leaves nothing', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const failing = new WatchedSource([bytes], new Error('gone'));
    await assert.rejects(specimen.snapshots.write(failing, 1), { message: 'gone' });
    const stalled = new WatchedSource([bytes], 'stall');
    specimen.snapshots.write(stalled, 2).catch(() => undefined);
    await stalled.stalled;
    await specimen.crash();
    assert.deepEqual(await specimen.snapshots.list(), []);
    assert.deepEqual(await Array.fromAsync(specimen.files.list(layoutOf(specimen).incoming)), []);
  });

  test('a removed one is gone, and may be removed again', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { name } = await specimen.snapshots.write(chunked(bytes), 1);
    const kept = await specimen.snapshots.write(chunked(bytes), 2);
    for (const each of [name, name, 'no name of one', '../../store.id']) {
      await specimen.snapshots.remove(each);
    }
    await specimen.crash();
    assert.deepEqual(await specimen.snapshots.list(), [kept]);
    for (const each of [name, 'no name of one', '../../store.id']) {
      await assert.rejects(readAll(specimen.snapshots, each), (error) =>
        isStoreError(error, 'BlobNotFound'),
      );
    }
  });

  test('a damaged byte is refused before it is handed on', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { name } = await specimen.snapshots.write(chunked(bytes), 1);
    await flip(specimen, name, 4096 + frameSizeBytes + 16);
    const seen: Uint8Array[] = [];
    await assert.rejects(
      (async () => {
        for await (const chunk of specimen.snapshots.read(name)) seen.push(Uint8Array.from(chunk));
      })(),
      (error) => isStoreError(error, 'BlobCorrupt'),
    );
    assert.deepEqual(seen, [bytes.slice(0, frameSizeBytes)]);
  });

  test('those whose headers or names are not intact are left out of the list, and reported', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const events: string[] = [];
    const note = (event: string) => void events.push(event);
    specimen.log = { info: note, warn: note, error: note } satisfies Log;
    await specimen.reopen();
    const lost = await specimen.snapshots.write(chunked(bytes), 1);
    const renamed = await specimen.snapshots.write(chunked(bytes), 2);
    const kept = await specimen.snapshots.write(chunked(bytes), 3);
    await flip(specimen, kept.name, 100);
    assert.deepEqual(await specimen.snapshots.list(), [kept, renamed, lost]);
    assert.deepEqual(await specimen.snapshots.damaged(), []);
    assert.deepEqual(events, ['file.header-damaged', 'file.header-repaired']);
    await flip(specimen, lost.name, 100);
    await flip(specimen, lost.name, (await sizeOf(specimen, lost.name)) - 4096 + 100);
    const { snapshots } = layoutOf(specimen);
    const newer = renamed.name.replace(/^2-/, '4-');
    await specimen.files.rename(join(snapshots, renamed.name), join(snapshots, newer));
    await specimen.reopen();
    events.length = 0;
    // However often somebody asks, it is told once.
    for (let time = 0; time < 3; time += 1) {
      assert.deepEqual(await specimen.snapshots.list(), [kept]);
      assert.deepEqual((await specimen.snapshots.damaged()).sort(), [lost.name, newer].sort());
    }
    assert.deepEqual(events.sort(), [
      'file.header-damaged',
      'snapshot.damaged',
      'snapshot.damaged',
    ]);
    for (const name of await specimen.snapshots.damaged()) await specimen.snapshots.remove(name);
    await specimen.crash();
    assert.deepEqual(await Array.fromAsync(specimen.files.list(snapshots)), [kept.name]);
  });

  test('each is looked at once, as long as it is read without a fault', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { name } = await specimen.snapshots.write(chunked(bytes), 1);
    await specimen.snapshots.write(chunked(bytes), 2);
    let opened = 0;
    specimen.before = (deed) => {
      if (deed === 'open') opened += 1;
    };
    for (let time = 0; time < 3; time += 1) await specimen.snapshots.list();
    assert.equal(opened, 2);
    await flip(specimen, name, 100);
    await flip(specimen, name, (await sizeOf(specimen, name)) - 4096 + 100);
    assert.equal((await specimen.snapshots.list()).length, 2);
    await assert.rejects(readAll(specimen.snapshots, name));
    assert.deepEqual(await specimen.snapshots.damaged(), [name]);
    assert.equal((await specimen.snapshots.list()).length, 1);
  });

  test('a disk that cannot be read is not taken for one without snapshots', async () => {
    await using specimen = await DiskSpecimen.simulated();
    await specimen.snapshots.write(chunked(bytes), 1);
    for (const failing of ['list', 'open'] as const) {
      specimen.before = (deed) => {
        if (deed === failing) throw fileError('EMFILE', deed);
      };
      await assert.rejects(specimen.snapshots.list(), (error) =>
        isStoreError(error, 'StoreUnavailable'),
      );
    }
  });
});

function layoutOf({ directory }: DiskSpecimen): Layout {
  return new Layout(directory);
}

async function readAll(snapshots: Snapshots, name: string): Promise<Uint8Array> {
  const chunks = await Array.fromAsync(snapshots.read(name), (chunk) => Uint8Array.from(chunk));
  return new Uint8Array(Buffer.concat(chunks));
}

async function flip(specimen: DiskSpecimen, name: string, offset: number): Promise<void> {
  const path = join(layoutOf(specimen).snapshots, name);
  const file = await specimen.files.open(path, 'read and write');
  const byte = new Uint8Array(1);
  await file.read(byte, offset);
  await file.write(Uint8Array.of((byte[0] ?? 0) ^ 1), offset);
  await file.close();
}

async function sizeOf(specimen: DiskSpecimen, name: string): Promise<number> {
  const file = await specimen.files.open(join(layoutOf(specimen).snapshots, name), 'read');
  const size = await file.size();
  await file.close();
  return size;
}
