import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defined } from '../../lib/assert.ts';
import { listIds, sampleBytes, writeBytes } from '../blob-specimen.ts';
import type { BlobId } from '../blob-store.ts';
import { parseBlobId } from './disk-blob-id.ts';
import { DiskSpecimen } from './disk-specimen.ts';
import { Layout } from './files.ts';
import { markOffsetBytes, recordHeaderBytes, removedMark } from './segment-record.ts';

const endOfMark = markOffsetBytes + removedMark.length;

test('a header of which a byte was changed hides no other record, and passes for none', async () => {
  await using specimen = await DiskSpecimen.simulated();
  const ids: BlobId[] = [];
  for (const seed of [1, 2, 3]) {
    ids.push((await writeBytes(specimen.store, sampleBytes(5000, seed))).id);
  }
  const [first, second, third] = ids;
  assert.ok(first && second && third);
  for (let at = 0; at < recordHeaderBytes; at += 1) {
    // The mark is no part of what the checksum is of: it changes.
    if (at >= markOffsetBytes && at < endOfMark) continue;
    await flip(specimen, second, at);
    assert.deepEqual(await listIds(specimen.store), [first, third].sort(), `byte ${at}`);
    await flip(specimen, second, at);
  }
  assert.deepEqual(await listIds(specimen.store), ids.toSorted());
});

/** Flips a bit of the record of the blob. */
async function flip({ directory, files }: DiskSpecimen, id: BlobId, at: number): Promise<void> {
  const name = defined(parseBlobId(id), 'a name of this store');
  assert.ok(name.kind === 'small');
  const file = await files.open(new Layout(directory).segment(name.segment), 'read and write');
  const byte = new Uint8Array(1);
  await file.read(byte, name.offsetBytes + at);
  await file.write(Uint8Array.of((byte[0] ?? 0) ^ 1), name.offsetBytes + at);
  await file.close();
}
