import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleBytes, writeBytes } from '../blob-specimen.ts';
import { frameSizeBytes } from '../blob-store.ts';
import { tagBytes } from './data-key.ts';
import { DiskSpecimen } from './disk-specimen.ts';

test('readers that stall hold three frames while few do, and one each beyond that', async () => {
  await using specimen = await DiskSpecimen.simulated();
  const range = { offsetBytes: 0, lengthBytes: 4 * frameSizeBytes };
  const bytes = sampleBytes(range.lengthBytes);
  const { id } = await writeBytes(specimen.store, bytes);
  let framesRead = 0;
  specimen.before = (deed, _, sizeBytes) => {
    if (deed === 'read' && sizeBytes === frameSizeBytes + tagBytes) framesRead += 1;
  };
  const readers = Array.from({ length: 100 }, () => specimen.store.read(id, range));
  for (const reader of readers) assert.equal((await reader.next()).done, false);
  assert.ok(framesRead >= 64 && framesRead <= 66 + 78, `${framesRead} frames`);
  // However crowded it is, each comes to its end.
  for (const reader of readers) {
    let count = 1;
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
      assert.deepEqual(new Uint8Array(next.value), bytes.subarray(...frameAt(count)));
      count += 1;
    }
    assert.equal(count, 4);
  }
  framesRead = 0;
  const last = specimen.store.read(id, range);
  await last.next();
  assert.equal(framesRead, 3);
  await last.return(undefined);
});

function frameAt(index: number): [number, number] {
  return [index * frameSizeBytes, (index + 1) * frameSizeBytes];
}
