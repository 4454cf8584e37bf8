import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleBytes, writeBytes } from '../blob-specimen.ts';
import { isStoreError } from '../errors.ts';
import { DiskSpecimen } from './disk-specimen.ts';
import { Layout } from './files.ts';
import { scanSegment } from './segment-scan.ts';

test('no nonce is used twice in a segment, not even after a batch that found no room', async () => {
  await using specimen = await DiskSpecimen.simulated();
  const isFull = (error: unknown) => isStoreError(error, 'StoreFull');
  for (let seed = 1; seed <= 4; seed += 1) {
    await writeBytes(specimen.store, sampleBytes(100, seed));
    specimen.setRoom(10);
    await assert.rejects(writeBytes(specimen.store, sampleBytes(100)), isFull);
    specimen.setRoom(Number.POSITIVE_INFINITY);
    // It is believed for a while that there is no room.
    specimen.clock.advance(2000);
  }
  assert.deepEqual(await countsIn(specimen, 1), [0, 2, 4, 6]);
});

/** The counts under which the records of a segment were sealed: each makes a nonce. */
async function countsIn({ directory, files }: DiskSpecimen, segment: number): Promise<number[]> {
  const file = await files.open(new Layout(directory).segment(segment), 'read');
  try {
    const parts = await Array.fromAsync(
      scanSegment(file, { segment, endBytes: await file.size() }),
    );
    return parts.flatMap((part) => (part.kind === 'record' ? [part.header.count] : []));
  } finally {
    await file.close();
  }
}
