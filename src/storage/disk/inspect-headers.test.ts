import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { sampleBytes, writeBytes } from '../blob-specimen.ts';
import { isStoreError } from '../errors.ts';
import { DiskJournal } from './disk-journal.ts';
import { DiskSpecimen } from './disk-specimen.ts';
import type { DiskVolume } from './disk-volume.ts';
import { fileError } from './faulty-files.ts';
import { Layout } from './files.ts';

const signal = new AbortController().signal;

describe('DiskVolume, its headers inspected', () => {
  test('a copy that is damaged is whole afterwards, in a file of any kind', async () => {
    await using specimen = await filledSpecimen();
    const paths = await pathsOf(specimen);
    assert.equal(paths.length, 4);
    const before = await Promise.all(paths.map((path) => contentOf(specimen, path)));
    assert.deepEqual(await inspected(specimen.volume), paths.map((path) => [path, 'sound']).sort());
    for (const path of paths) await flip(specimen, path, 100);
    await specimen.reopen();
    const repaired = paths.map((path) => [path, 'repaired']);
    assert.deepEqual(await inspected(specimen.volume), repaired.sort());
    assert.deepEqual(await Promise.all(paths.map((path) => contentOf(specimen, path))), before);
  });

  test('what is lost is told each time, and so is what does not open', async () => {
    await using specimen = await filledSpecimen();
    const layout = new Layout(specimen.directory);
    for (const offset of [100, 61_440 + 100]) await flip(specimen, layout.segment(1), offset);
    specimen.before = (deed, path) => {
      if (deed === 'open' && path === layout.journalFile(1)) throw fileError('EIO', deed);
    };
    for (let time = 0; time < 2; time += 1) {
      const damaged = (await inspected(specimen.volume)).filter(([, found]) => found !== 'sound');
      assert.deepEqual(damaged, [
        [layout.journalFile(1), { damage: 'the disk does not open the file' }],
        [layout.segment(1), { damage: 'a header of the file fails its checksum' }],
      ]);
    }
  });

  test('who may only read looks, and changes nothing', async () => {
    await using specimen = await filledSpecimen();
    const paths = await pathsOf(specimen);
    for (const path of paths) await flip(specimen, path, 100);
    const before = await Promise.all(paths.map((path) => contentOf(specimen, path)));
    await using volume = await specimen.openToRead();
    const damage = 'a header of the file fails its checksum';
    assert.deepEqual(await inspected(volume), paths.map((path) => [path, { damage }]).sort());
    assert.deepEqual(await Promise.all(paths.map((path) => contentOf(specimen, path))), before);
  });

  test('a file that was only begun is no damaged one', async () => {
    await using specimen = await DiskSpecimen.simulated();
    await specimen.files.create(new Layout(specimen.directory).segment(9));
    assert.deepEqual(await inspected(specimen.volume), []);
  });

  test('it ends when it is told to, and when the disk does not answer', async () => {
    await using specimen = await filledSpecimen();
    const reason = new Error('stopped');
    const aborted = AbortSignal.abort(reason);
    await assert.rejects(Array.fromAsync(specimen.volume.inspectHeaders(aborted)), reason);
    specimen.before = (deed) => {
      if (deed === 'open') throw fileError('EMFILE', deed);
    };
    await assert.rejects(inspected(specimen.volume), (error) =>
      isStoreError(error, 'StoreUnavailable'),
    );
  });
});

/** With a file of each kind. */
async function filledSpecimen(): Promise<DiskSpecimen> {
  const specimen = await DiskSpecimen.simulated();
  for (const size of [100, 300_000]) await writeBytes(specimen.store, sampleBytes(size));
  await specimen.snapshots.write(once(), 1);
  await using journal = await DiskJournal.open(specimen.volume.parts);
  await journal.append({ sequence: 1, payload: sampleBytes(100) });
  return specimen;
}

async function inspected(volume: DiskVolume) {
  const all = await Array.fromAsync(volume.inspectHeaders(signal));
  return all.map(({ path, found }) => [path, found] as const).sort();
}

async function pathsOf({ files, directory }: DiskSpecimen): Promise<string[]> {
  const { segments, journal, snapshots, large } = new Layout(directory);
  const paths: string[] = [];
  for (const each of [segments, journal, snapshots, large]) {
    for await (const name of files.list(each)) paths.push(join(each, name));
  }
  return paths;
}

async function contentOf({ files }: DiskSpecimen, path: string): Promise<Uint8Array> {
  const file = await files.open(path, 'read');
  const bytes = new Uint8Array(await file.size());
  await file.read(bytes, 0);
  return bytes;
}

async function flip({ files }: DiskSpecimen, path: string, offset: number): Promise<void> {
  const file = await files.open(path, 'read and write');
  const byte = new Uint8Array(1);
  await file.read(byte, offset);
  await file.write(Uint8Array.of((byte[0] ?? 0) ^ 1), offset);
}

async function* once() {
  yield sampleBytes(100);
}
