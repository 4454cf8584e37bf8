import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedClock } from '../../lib/clock.ts';
import { MemorySnapshots } from './memory-snapshots.ts';

test('snapshots are listed newest first, read as they were written, and removed', async () => {
  const clock = new SimulatedClock(5);
  const snapshots = new MemorySnapshots({ clock });
  const one = await snapshots.write(chunks('one ', 'more'), 1);
  const two = await snapshots.write(chunks('two'), 2);
  assert.deepEqual(await snapshots.list(), [two, one]);
  assert.deepEqual([one.sequence, one.takenAtMs, one.sizeBytes], [1, 5, 8]);
  assert.equal(
    Buffer.concat(await Array.fromAsync(snapshots.read(one.name))).toString(),
    'one more',
  );
  await snapshots.remove(one.name);
  assert.deepEqual(await snapshots.list(), [two]);
  const isMissing = { code: 'BlobNotFound' };
  await assert.rejects(Array.fromAsync(snapshots.read(one.name)), isMissing);
  snapshots.damage(two.name);
  await assert.rejects(Array.fromAsync(snapshots.read(two.name)), { code: 'BlobCorrupt' });
});

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}
