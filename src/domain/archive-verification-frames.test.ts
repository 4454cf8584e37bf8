import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { sha256 } from '../lib/node/sha256.ts';
import { leavesOf } from '../protocol/tree-hash.ts';
import { sampleBytes } from '../storage/blob-specimen.ts';
import { type BlobRange, frameSizeBytes } from '../storage/blob-store.ts';
import { StoreError } from '../storage/errors.ts';
import { damagedFrames, type FrameSource } from './archive-verification-frames.ts';

const goingOn = new AbortController().signal;

/** Bytes that are read in pieces of `pieceBytes`; reading throws where a frame is in `corrupt`. */
function sourceOf(
  bytes: Uint8Array,
  {
    corrupt = [],
    pieceBytes = frameSizeBytes,
    signal = goingOn,
  }: {
    readonly corrupt?: readonly number[];
    readonly pieceBytes?: number;
    readonly signal?: AbortSignal;
  } = {},
): FrameSource & { readonly reads: BlobRange[] } {
  const reads: BlobRange[] = [];
  return {
    range: { offsetBytes: 0, lengthBytes: bytes.length },
    leaves: leavesOf(bytes, sha256),
    signal,
    reads,
    async *read(range) {
      reads.push(range);
      const end = range.offsetBytes + range.lengthBytes;
      for (let at = range.offsetBytes; at < end; ) {
        const frame = Math.floor(at / frameSizeBytes);
        if (corrupt.includes(frame)) throw new StoreError('BlobCorrupt', `frame ${frame} is bad`);
        const pieceEnd = Math.min(at + pieceBytes, (frame + 1) * frameSizeBytes, end);
        const chunk = bytes.slice(at, pieceEnd);
        yield chunk;
        chunk.fill(0);
        at = pieceEnd;
      }
    },
  };
}

const found = async (source: FrameSource) =>
  (await Array.fromAsync(damagedFrames(source))).map(({ firstByte, lastByte, reason }) => [
    firstByte,
    lastByte,
    reason.message,
  ]);

const whole = sampleBytes(4 * frameSizeBytes + 17);

test('frames that are what was stored are passed in silence, in one reading', async () => {
  const source = sourceOf(whole);
  assert.deepEqual(await found(source), []);
  assert.equal(source.reads.length, 1);
});

test('every damaged frame is found, and reading goes on behind it', async () => {
  const source = sourceOf(whole, { corrupt: [0, 2, 4] });
  assert.deepEqual(await found(source), [
    [0, frameSizeBytes - 1, 'frame 0 is bad'],
    [2 * frameSizeBytes, 3 * frameSizeBytes - 1, 'frame 2 is bad'],
    [4 * frameSizeBytes, 4 * frameSizeBytes + 16, 'frame 4 is bad'],
  ]);
  assert.deepEqual(
    source.reads.map(({ offsetBytes }) => offsetBytes / frameSizeBytes),
    [0, 1, 3],
  );
});

test('bytes that the store vouches for are compared with the leaves all the same', async () => {
  for (const pieceBytes of [frameSizeBytes, 1000, 65_536]) {
    const source = sourceOf(whole, { pieceBytes });
    source.leaves[3 * 32] = (source.leaves[3 * 32] ?? 0) ^ 1;
    assert.deepEqual(await found(source), [
      [
        3 * frameSizeBytes,
        4 * frameSizeBytes - 1,
        'They do not have the SHA-256 that was stored with them',
      ],
    ]);
  }
});

test('a range is compared with its own leaves', async () => {
  const source = sourceOf(whole, { corrupt: [0, 3] });
  const range = { offsetBytes: 2 * frameSizeBytes, lengthBytes: 2 * frameSizeBytes };
  const leaves = source.leaves.slice(2 * 32, 4 * 32);
  assert.deepEqual(
    (await found({ ...source, range, leaves })).map(([firstByte]) => firstByte),
    [3 * frameSizeBytes],
  );
});

test('whatever frames are damaged, they are found, and no others', async () => {
  const frames = fc.uniqueArray(fc.integer({ min: 0, max: 4 }));
  await fc.assert(
    fc.asyncProperty(frames, frames, async (corrupt, changed) => {
      const source = sourceOf(whole, { corrupt });
      for (const frame of changed)
        source.leaves[frame * 32] = 0x55 ^ (source.leaves[frame * 32] ?? 0);
      const expected = [...new Set([...corrupt, ...changed])].sort();
      const firstBytes = (await found(source)).map(([firstByte]) => Number(firstByte));
      assert.deepEqual(
        firstBytes.map((firstByte) => firstByte / frameSizeBytes),
        expected,
      );
    }),
    { numRuns: 15 },
  );
});

test('no bytes have no damage', async () => {
  assert.deepEqual(await found(sourceOf(new Uint8Array(0))), []);
});

test('what is no damage is thrown on: a blob that is not there, a store that does not answer', async () => {
  for (const code of ['BlobNotFound', 'StoreUnavailable'] as const) {
    const error = new StoreError(code, 'not now');
    const source: FrameSource = {
      ...sourceOf(whole),
      // biome-ignore lint/correctness/useYield: it fails before it has anything.
      async *read() {
        throw error;
      },
    };
    await assert.rejects(found(source), error);
  }
});

test('a stop ends the reading with its reason', async () => {
  const reason = new Error('stopped');
  await assert.rejects(found(sourceOf(whole, { signal: AbortSignal.abort(reason) })), reason);
});
