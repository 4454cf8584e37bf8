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

  test('each sealed segment is read once, and again when something was removed', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const ids: BlobId[] = [];
    for (const seed of [1, 2]) {
      ids.push((await writeBytes(specimen.store, sampleBytes(sizeBytes, seed))).id);
      ids.push((await writeBytes(specimen.store, sampleBytes(sizeBytes, seed))).id);
      await specimen.reopen();
    }
    const opened: string[] = [];
    specimen.before = (deed, path) => {
      if (deed === 'open') opened.push(path);
    };
    const layout = new Layout(specimen.directory);
    await specimen.store.wasteful();
    await specimen.store.wasteful();
    assert.deepEqual(opened, [layout.segment(1), layout.segment(2)]);
    const [, , third] = ids;
    assert.ok(third);
    await specimen.store.remove(third);
    opened.length = 0;
    await specimen.store.wasteful();
    assert.deepEqual(opened, [layout.segment(2)]);
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
