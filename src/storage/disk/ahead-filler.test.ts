import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { RecordedLog } from '../../../tests/support/recorded-log.ts';
import { listIds, readBytes, sampleBytes, writeBytes } from '../blob-specimen.ts';
import { AheadFiller } from './ahead-filler.ts';
import { DiskSpecimen } from './disk-specimen.ts';
import { FaultyFiles, fileError } from './faulty-files.ts';
import { Layout } from './files.ts';
import { growingContentOffset } from './header-copies.ts';
import { SimulatedFiles } from './simulated-files.ts';

/** A blob of 10 bytes, with all that belongs to it. */
const recordBytes = 256;
const ahead = { segmentAheadBytes: 4096 };

describe('AheadFiller', () => {
  test('zeros are written when the end comes to where they ended, and not before', async () => {
    const file = await new SimulatedFiles('/').create('/file');
    const filler = new AheadFiller({ aheadBytes: 100, limitBytes: 1000 });
    for (const [endBytes, sizeBytes] of [
      [10, 110],
      [110, 110],
      [111, 211],
      [500, 600],
      [950, 1000],
      [1200, 1000],
    ] as const) {
      await filler.fill(file, endBytes);
      assert.equal(await file.size(), sizeBytes, `${endBytes}`);
    }
  });

  test('what was cut off is filled again', async () => {
    const file = await new SimulatedFiles('/').create('/file');
    const filler = new AheadFiller({ aheadBytes: 100, limitBytes: 1000 });
    await filler.fill(file, 10);
    await file.truncate(5);
    filler.noteCut(5);
    assert.equal(filler.isAhead(5), true);
    await filler.fill(file, 10);
    assert.equal(await file.size(), 110);
  });

  test('a disk that has no room for zeros is no failure', async () => {
    const files = new FaultyFiles(new SimulatedFiles('/'), (deed) => {
      if (deed === 'write') throw fileError('ENOSPC', deed);
    });
    const filler = new AheadFiller({ aheadBytes: 100, limitBytes: 1000 });
    await filler.fill(await files.create('/file'), 10);
    assert.equal(filler.isAhead(11), false);
  });
});

describe('a segment that is filled ahead', () => {
  test('it ends behind its last record once it is sealed', async () => {
    await using specimen = await DiskSpecimen.simulated(undefined, ahead);
    await writeBytes(specimen.store, sampleBytes(10));
    const endBytes = growingContentOffset + recordBytes;
    assert.equal(await sizeOf(specimen, 1), endBytes + ahead.segmentAheadBytes);
    await specimen.reopen();
    assert.equal(await sizeOf(specimen, 1), endBytes);
  });

  test('a blob that fits into what was filled leaves the size of the file as it is', async () => {
    await using specimen = await DiskSpecimen.simulated(undefined, ahead);
    await writeBytes(specimen.store, sampleBytes(10));
    const sizeBytes = await sizeOf(specimen, 1);
    for (let count = 0; count < ahead.segmentAheadBytes / recordBytes; count += 1) {
      await writeBytes(specimen.store, sampleBytes(10));
      assert.equal(await sizeOf(specimen, 1), sizeBytes);
    }
    await writeBytes(specimen.store, sampleBytes(10));
    assert.ok((await sizeOf(specimen, 1)) > sizeBytes);
  });

  test('what a killed run filled is cut off when the store is opened, and nothing else', async () => {
    await using specimen = await DiskSpecimen.simulated(undefined, ahead);
    const ids = [];
    for (const seed of [1, 2]) {
      ids.push((await writeBytes(specimen.store, sampleBytes(10, seed))).id);
    }
    const log = new RecordedLog();
    specimen.log = log;
    await specimen.crash();
    assert.equal(await sizeOf(specimen, 1), growingContentOffset + 2 * recordBytes);
    assert.deepEqual(log.names('info'), ['segment.tail-cut']);
    assert.deepEqual(log.names('warn'), []);
    assert.deepEqual(await listIds(specimen.store), ids.sort());
  });

  test('a segment of which nothing is left goes, zeros or not', async () => {
    await using specimen = await DiskSpecimen.simulated(undefined, ahead);
    const { id } = await writeBytes(specimen.store, sampleBytes(10));
    await specimen.store.remove(id);
    const path = new Layout(specimen.directory).segment(1);
    specimen.before = (deed, each) => {
      // The disk that does not cut off the zeros, neither now nor at the next opening.
      if (deed === 'truncate' && each === path) throw fileError('EIO', deed);
    };
    await specimen.reopen();
    await specimen.reopen();
    const { segments } = new Layout(specimen.directory);
    const left = await Array.fromAsync(specimen.files.list(segments), (name) =>
      join(segments, name),
    );
    assert.deepEqual(left, []);
  });

  test('on a disk that has room for no zeros blobs are stored all the same', async () => {
    await using specimen = await DiskSpecimen.simulated(undefined, ahead);
    const files = specimen.files as SimulatedFiles;
    files.sizeBytes = 16 * 100_000;
    // Behind the reserve there is room for headers and a record.
    await writeBytes(specimen.store, sampleBytes(10));
    const taken = [...files.sizes().values()].reduce((sum, size) => sum + size, 0);
    files.sizeBytes = Math.ceil(((taken + 3000) * 16) / 15);
    specimen.clock.advance(1000);
    const stored = [];
    for (let count = 0; count < 60; count += 1) {
      stored.push(
        await writeBytes(specimen.store, sampleBytes(10, count + 1)).catch(() => undefined),
      );
    }
    const kept = stored.filter((blob) => blob !== undefined);
    assert.ok(kept.length > 0 && kept.length < stored.length, `${kept.length} were stored`);
    await specimen.crash();
    for (const [index, blob] of stored.entries()) {
      if (blob === undefined) continue;
      const read = await readBytes(specimen.store, blob.id, { offsetBytes: 0, lengthBytes: 10 });
      assert.deepEqual(read, sampleBytes(10, index + 1));
    }
  });
});

async function sizeOf({ files, directory }: DiskSpecimen, segment: number): Promise<number> {
  const file = await files.open(new Layout(directory).segment(segment), 'read');
  const size = await file.size();
  await file.close();
  return size;
}
