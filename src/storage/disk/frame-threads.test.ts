import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sha256 } from '../../lib/node/sha256.ts';
import { sampleBytes } from '../blob-specimen.ts';
import { frameSizeBytes } from '../blob-store.ts';
import { isStoreError } from '../errors.ts';
import { openSealed, SealingKey, sealedKinds, tagBytes } from './data-key.ts';
import { type FrameCiphers, inlineFrameCiphers } from './frame-ciphers.ts';
import { FrameThreads } from './frame-threads.ts';

const key = new Uint8Array(32).fill(3);
const sizes = [1, 65_536, 65_537, frameSizeBytes];

const kinds: readonly [string, () => FrameCiphers][] = [
  ['inlineFrameCiphers', () => inlineFrameCiphers],
  ['FrameThreads', () => new FrameThreads()],
];

for (const [name, make] of kinds) {
  describe(name, () => {
    test('a frame is sealed as any bytes are, and its leaf is that of what it was', async () => {
      await using ciphers = make();
      for (const [index, sizeBytes] of sizes.entries()) {
        const bytes = sampleBytes(sizeBytes);
        const { memory, leaf } = await ciphers.seal(frameOf(bytes), { key, index, sizeBytes });
        assert.deepEqual(Buffer.from(leaf), Buffer.from(sha256(bytes)));
        const place = { kind: sealedKinds.frame, position: index };
        const opened = openSealed(new SealingKey(key).bytes, {
          sealed: memory,
          count: index,
          place,
        });
        assert.deepEqual(opened, Buffer.from(bytes));
      }
    });

    test('a sealed frame opens, and not when a byte or its place is another', async () => {
      await using ciphers = make();
      for (const sizeBytes of sizes) {
        const bytes = sampleBytes(sizeBytes);
        const place = { key, index: 5, sizeBytes };
        const { memory } = await ciphers.seal(frameOf(bytes), place);
        const copies = [memory.slice(), memory.slice(), memory.slice()] as const;
        const opened = await ciphers.open(memory, place);
        assert.equal(opened.isIntact, true);
        assert.deepEqual(opened.memory.subarray(0, sizeBytes), bytes);
        const [damaged, tagged, moved] = copies;
        damaged[sizeBytes - 1] = (damaged[sizeBytes - 1] ?? 0) ^ 1;
        tagged[sizeBytes] = (tagged[sizeBytes] ?? 0) ^ 1;
        for (const each of [damaged, tagged]) {
          assert.equal((await ciphers.open(each, place)).isIntact, false);
        }
        assert.equal((await ciphers.open(moved, { ...place, index: 6 })).isIntact, false);
      }
    });

    test('many frames at once each get their own answer', async () => {
      await using ciphers = make();
      const frames = Array.from({ length: 50 }, (_, index) => sampleBytes(1000 + index, index + 1));
      const sealed = await Promise.all(
        frames.map((bytes, index) =>
          ciphers.seal(frameOf(bytes), { key, index, sizeBytes: bytes.length }),
        ),
      );
      for (const [index, { leaf }] of sealed.entries()) {
        assert.deepEqual(Buffer.from(leaf), Buffer.from(sha256(frames[index] ?? key)));
      }
    });
  });
}

test('threads that were closed take no more, and fail what they had not done', async () => {
  const threads = new FrameThreads();
  const bytes = sampleBytes(frameSizeBytes);
  const seal = () => threads.seal(frameOf(bytes), { key, index: 0, sizeBytes: bytes.length });
  const underWay = Promise.allSettled(Array.from({ length: 20 }, seal));
  await threads[Symbol.asyncDispose]();
  for (const result of await underWay) {
    if (result.status === 'rejected') assert.ok(isUnavailable(result.reason), `${result.reason}`);
  }
  await assert.rejects(seal(), isUnavailable);
});

test('memory that cannot be handed over fails at once, and holds up nothing', async () => {
  const threads = new FrameThreads();
  const bytes = sampleBytes(1000);
  const place = { key, index: 0, sizeBytes: bytes.length };
  const lost = frameOf(bytes);
  structuredClone(lost, { transfer: [lost.buffer] });
  const active = () => process.getActiveResourcesInfo().toSorted();
  const before = active();
  await assert.rejects(threads.seal(lost, place), { name: 'DataCloneError' });
  // Nobody waits for anything: the process may end.
  assert.deepEqual(active(), before);
  await threads.seal(frameOf(bytes), place);
  await threads[Symbol.asyncDispose]();
});

/** The bytes, with room for a tag. */
function frameOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const memory = new Uint8Array(bytes.length + tagBytes);
  memory.set(bytes);
  return memory;
}

function isUnavailable(error: unknown): boolean {
  return isStoreError(error, 'StoreUnavailable');
}
