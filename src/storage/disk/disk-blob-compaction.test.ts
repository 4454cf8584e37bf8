import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { listIds, readBytes, sampleBytes, sampleLabel, writeBytes } from '../blob-specimen.ts';
import type { BlobId } from '../blob-store.ts';
import { isStoreError } from '../errors.ts';
import { DiskSpecimen } from './disk-specimen.ts';
import { Layout } from './files.ts';
import type { SimulatedFiles } from './simulated-files.ts';

const sizeBytes = 4000;
const range = { offsetBytes: 0, lengthBytes: sizeBytes };

describe('DiskBlobStore, compacted', () => {
  test('a copy is read back before its id is told', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(sizeBytes));
    const deeds: string[] = [];
    specimen.before = (deed) => void deeds.push(deed);
    await specimen.store.copy(id);
    assert.deepEqual(deeds.slice(-4), ['write', 'sync', 'open', 'read']);
  });

  test('all that is left in a segment is retired with two deeds, however much it is', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { segment, kept } = await wastefulSegment(specimen);
    const deeds = recordDeeds(specimen);
    await specimen.store.retire(segment, kept);
    assert.deepEqual(deeds, ['unlink', 'syncDirectory']);
    assert.equal(segmentsOf(specimen).includes(segment), false);
  });

  test('a part of what is left is retired with one sync', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { segment, kept } = await wastefulSegment(specimen);
    const deeds = recordDeeds(specimen);
    const [first, ...others] = kept;
    assert.ok(first);
    await specimen.store.retire(segment, others);
    assert.deepEqual(new Set(deeds), new Set(['write', 'sync']));
    assert.equal(deeds.filter((deed) => deed === 'sync').length, 1);
    assert.deepEqual(await readBytes(specimen.store, first, range), sampleBytes(sizeBytes));
  });

  test('a segment in which a damaged blob is left is given up, until it is opened again', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { segment, kept } = await wastefulSegment(specimen);
    const [victim, ...others] = kept;
    assert.ok(victim);
    const labelSizeBytes = Buffer.byteLength(sampleLabel);
    const damages = await specimen.damages({ id: victim, sizeBytes, labelSizeBytes });
    await damages.find(({ what }) => what === 'byte 0')?.apply();
    const copies: BlobId[] = [];
    for (const id of others) copies.push(await specimen.store.copy(id));
    await specimen.store.retire(segment, others);
    await assert.rejects(specimen.store.copy(victim), isCorrupt);
    assert.deepEqual(await specimen.store.wasteful(), []);
    await specimen.reopen();
    assert.deepEqual(
      (await specimen.store.wasteful()).map((use) => use.segment),
      [segment],
    );
    assert.deepEqual(await listIds(specimen.store), [victim, ...copies].sort());
  });

  test('a segment of which only damaged headers are left is not called wasteful', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { segment, kept } = await wastefulSegment(specimen);
    const [victim] = kept;
    assert.ok(victim);
    const labelSizeBytes = Buffer.byteLength(sampleLabel);
    const damages = await specimen.damages({ id: victim, sizeBytes, labelSizeBytes });
    await damages.find(({ what }) => what === 'checksum')?.apply();
    await specimen.store.retire(segment, kept.slice(1));
    assert.deepEqual(await specimen.store.wasteful(), []);
    assert.ok(segmentsOf(specimen).includes(segment));
  });

  test('each sealed segment is read once, and what is removed then is subtracted', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const ids: BlobId[] = [];
    for (const seed of [1, 2]) {
      for (let count = 0; count < 5; count += 1) {
        ids.push((await writeBytes(specimen.store, sampleBytes(sizeBytes, seed))).id);
      }
      await specimen.reopen();
    }
    const opened: string[] = [];
    specimen.before = (deed, path) => {
      if (deed === 'open') opened.push(path);
    };
    const layout = new Layout(specimen.directory);
    assert.deepEqual(await specimen.store.wasteful(), []);
    assert.deepEqual(await specimen.store.wasteful(), []);
    assert.equal(specimen.store.isSurveyed, true);
    assert.deepEqual(opened, [layout.segment(1), layout.segment(2)]);
    // Whoever removes the same blob again removes nothing.
    for (const id of [...ids.slice(5, 8), ...ids.slice(5, 8), ...ids.slice(0, 2)]) {
      await specimen.store.remove(id);
    }
    opened.length = 0;
    const uses = await specimen.store.wasteful();
    assert.deepEqual(opened, []);
    await specimen.reopen();
    assert.deepEqual(await specimen.store.wasteful(), uses);
    assert.deepEqual(
      uses.map(({ segment }) => segment),
      [2],
    );
  });

  test('what is removed while its segment is read is counted once', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const stored = await Promise.all(
      Array.from({ length: 40 }, () => writeBytes(specimen.store, sampleBytes(sizeBytes))),
    );
    await specimen.reopen();
    // Every other one, from both ends, so that some are removed before they are read, and some after.
    const removals: Promise<void>[] = [];
    const order = stored.flatMap(({ id }, at) => [id, stored[stored.length - 1 - at]?.id ?? id]);
    specimen.beforeRead = () => {
      const id = order[removals.length * 4];
      if (id !== undefined && removals.length < 12) removals.push(specimen.store.remove(id));
    };
    await specimen.store.wasteful();
    specimen.beforeRead = () => {};
    await Promise.all(removals);
    const left = await listIds(specimen.store);
    for (const id of left.slice(10)) await specimen.store.remove(id);
    const uses = await specimen.store.wasteful();
    assert.equal(uses.length, 1);
    await specimen.reopen();
    assert.deepEqual(await specimen.store.wasteful(), uses);
  });

  test('a survey of many segments goes on where the one before it ended', async () => {
    await using specimen = await DiskSpecimen.simulated();
    for (const seed of [1, 2, 3]) {
      const { id } = await writeBytes(specimen.store, sampleBytes(sizeBytes, seed));
      for (let count = 0; count < 3; count += 1) {
        await writeBytes(specimen.store, sampleBytes(sizeBytes, seed));
      }
      await specimen.reopen();
      await specimen.store.remove(id);
    }
    const opened: string[] = [];
    specimen.before = (deed, path) => {
      if (deed === 'open') opened.push(path);
      // A slow disk: each file takes longer than a survey may.
      if (deed === 'open') specimen.clock.advance(100);
    };
    const layout = new Layout(specimen.directory);
    for (const segment of [1, 2, 3]) {
      await specimen.store.wasteful();
      assert.equal(specimen.store.isSurveyed, segment === 3);
      assert.deepEqual(opened.splice(0), [layout.segment(segment)]);
    }
  });

  test('of large records the headers are read, and not the blobs', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const stored = await Promise.all(
      Array.from({ length: 20 }, () => writeBytes(specimen.store, sampleBytes(100_000))),
    );
    await specimen.reopen();
    let readCount = 0;
    specimen.beforeRead = (_, length) => {
      readCount += length;
    };
    await specimen.store.wasteful();
    assert.ok(readCount < (stored.length * 100_000) / 5, `${readCount} bytes were read`);
    readCount = 0;
    assert.equal((await listIds(specimen.store)).length, stored.length);
    assert.ok(readCount < (stored.length * 100_000) / 5, `${readCount} bytes were read`);
  });

  test('a segment that only damage keeps is a remnant, and can be discarded', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { segment, kept } = await wastefulSegment(specimen);
    const other = await writeBytes(specimen.store, sampleBytes(sizeBytes));
    const [victim] = kept;
    assert.ok(victim);
    const labelSizeBytes = Buffer.byteLength(sampleLabel);
    const damages = await specimen.damages({ id: victim, sizeBytes, labelSizeBytes });
    await damages.find(({ what }) => what === 'checksum')?.apply();
    await specimen.reopen();
    assert.deepEqual(await specimen.store.remnants(), [], 'others live in it');
    await specimen.store.retire(segment, kept.slice(1));
    const [remnant, ...others] = await specimen.store.remnants();
    assert.deepEqual([remnant?.segment, others], [segment, []]);
    const { from, before } = remnant?.ids ?? { from: '', before: '' };
    assert.ok(kept.every((id) => from <= id && id < before));
    assert.ok(!(from <= other.id && other.id < before));
    await specimen.store.discard(segment);
    await specimen.crash();
    assert.equal(segmentsOf(specimen).includes(segment), false);
    assert.deepEqual(await listIds(specimen.store), [other.id]);
    assert.deepEqual(await specimen.store.remnants(), []);
    await specimen.store.discard(segment);
  });

  test('a segment that is appended to is not discarded', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(sizeBytes));
    await specimen.store.discard(1);
    assert.deepEqual(await readBytes(specimen.store, id, range), sampleBytes(sizeBytes));
  });

  test('no copy is begun once the store was closed', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(sizeBytes));
    await specimen.reopen();
    // So that the room is measured anew.
    specimen.clock.advance(5000);
    const { store } = specimen;
    const refused = assert.rejects(store.copy(id), (error) =>
      isStoreError(error, 'StoreUnavailable'),
    );
    await specimen.volume[Symbol.asyncDispose]();
    assert.equal(specimen.openFileCount, 0);
    await refused;
    assert.equal(specimen.openFileCount, 0);
  });

  test('a blob with a file of its own is not moved', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(300_000));
    await assert.rejects(specimen.store.copy(id), { name: 'AssertionFailed' });
    await assert.rejects(specimen.store.copy('no id' as BlobId), (error) =>
      isStoreError(error, 'BlobNotFound'),
    );
  });
});

/** A sealed segment of twenty blobs of which six are left. */
async function wastefulSegment(specimen: DiskSpecimen) {
  const stored = await Promise.all(
    Array.from({ length: 20 }, () => writeBytes(specimen.store, sampleBytes(sizeBytes))),
  );
  const ids = stored.map(({ id }) => id);
  for (const id of ids.slice(6)) await specimen.store.remove(id);
  await specimen.reopen();
  const [use] = await specimen.store.wasteful();
  assert.ok(use);
  return { segment: use.segment, kept: ids.slice(0, 6) };
}

function segmentsOf(specimen: DiskSpecimen): number[] {
  const { segments } = new Layout(specimen.directory);
  const paths = [...(specimen.files as SimulatedFiles).sizes().keys()];
  const own = paths.filter((path) => path.startsWith(segments));
  return own.map((path) => Number(path.slice(segments.length + 1)));
}

/** What is done to files from now on, but for reads. */
function recordDeeds(specimen: DiskSpecimen): string[] {
  const deeds: string[] = [];
  specimen.before = (deed) => {
    if (deed !== 'read' && deed !== 'open') deeds.push(deed);
  };
  return deeds;
}

function isCorrupt(error: unknown): boolean {
  return isStoreError(error, 'BlobCorrupt');
}
