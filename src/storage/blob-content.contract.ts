import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  type BlobCase,
  chunked,
  edgeSizes,
  listIds,
  readBytes,
  sampleBytes,
  sampleWriting,
  writeBytes,
} from './blob-specimen.ts';
import { type BlobId, frameSizeBytes } from './blob-store.ts';
import { isStoreError } from './errors.ts';

/** Fixed, so that a run can be repeated; more runs and other seeds are the simulation's. */
const property = { seed: 20_260_101, numRuns: 25 };

/** What goes in comes out, whole or in part, and is found only under its own id. */
export const blobContentCases: readonly BlobCase[] = [
  {
    title: 'a blob of any size is read back as it was written',
    run: async ({ store }) => {
      for (const [seed, size] of edgeSizes.entries()) {
        const bytes = sampleBytes(size, seed + 1);
        const { id, sizeBytes } = await writeBytes(store, bytes);
        assert.equal(sizeBytes, size);
        assert.match(id, /^[A-Za-z0-9._-]+$/);
        assert.deepEqual(await readBytes(store, id, whole(size)), bytes);
      }
    },
  },
  {
    title: 'the leaves are the SHA-256 of each frame',
    run: async ({ store }) => {
      for (const size of edgeSizes) {
        const bytes = sampleBytes(size);
        const { id, leaves } = await writeBytes(store, bytes);
        assert.deepEqual(new Uint8Array(leaves), leavesOf(bytes));
        const described = await store.describe(id);
        assert.equal(described.sizeBytes, size);
        assert.deepEqual(new Uint8Array(described.leaves), leavesOf(bytes));
      }
    },
  },
  {
    title: 'any split into chunks stores the same blob',
    run: async ({ store }) => {
      const size = fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ max: 2_500_000 }));
      const cuts = fc.array(
        fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 2_000_000 })),
        { minLength: 1, maxLength: 8 },
      );
      await fc.assert(
        fc.asyncProperty(size.map(Math.abs), cuts, async (sizeBytes, sizes) => {
          // Not below some 500 chunks: a million of one byte prove no more, and take a minute.
          const enough = sizes.map((cut) => Math.max(cut, Math.floor(sizeBytes / 500)));
          const bytes = sampleBytes(sizeBytes % 2_500_000, sizes.length);
          const { id, leaves } = await store.write(chunked(bytes, enough), sampleWriting());
          assert.deepEqual(new Uint8Array(leaves), leavesOf(bytes));
          assert.deepEqual(await readBytes(store, id, whole(bytes.length)), bytes);
        }),
        property,
      );
    },
  },
  {
    title: 'chunks of a single byte, and empty ones, are taken',
    run: async ({ store }) => {
      const bytes = sampleBytes(3000);
      async function* crumbs() {
        for (const byte of bytes) {
          yield new Uint8Array(0);
          yield Uint8Array.of(byte);
        }
      }
      const { id } = await store.write(crumbs(), sampleWriting());
      assert.deepEqual(await readBytes(store, id, whole(3000)), bytes);
    },
  },
  {
    title: 'any range is read, in chunks of at most a frame',
    run: async ({ store }) => {
      for (const size of [1000, 200_000, 3 * frameSizeBytes + 17]) {
        const bytes = sampleBytes(size);
        const { id } = await writeBytes(store, bytes);
        const bound = fc.integer({ min: 0, max: size });
        await fc.assert(
          fc.asyncProperty(bound, bound, async (a, b) => {
            const [from, to] = [Math.min(a, b), Math.max(a, b)];
            const range = { offsetBytes: from, lengthBytes: to - from };
            const read = await readBytes(store, id, range, (chunk) => {
              assert.ok(chunk.length > 0 && chunk.length <= frameSizeBytes);
            });
            assert.deepEqual(read, bytes.slice(from, to));
          }),
          property,
        );
      }
    },
  },
  {
    title: 'a range beyond the blob is a defect of the caller',
    run: async ({ store }) => {
      for (const size of [0, 10, 300_000]) {
        const { id } = await writeBytes(store, sampleBytes(size));
        const beyond = [
          { offsetBytes: 0, lengthBytes: size + 1 },
          { offsetBytes: size + 1, lengthBytes: 0 },
          { offsetBytes: -1, lengthBytes: 1 },
          { offsetBytes: 0, lengthBytes: -1 },
          { offsetBytes: 0.5, lengthBytes: 0 },
        ];
        for (const range of beyond) {
          await assert.rejects(readBytes(store, id, range), { name: 'AssertionFailed' });
        }
      }
    },
  },
  {
    title: 'many writers at once each get their own blob',
    run: async ({ store }) => {
      const blobs = Array.from({ length: 60 }, (_, index) =>
        sampleBytes(index % 10 === 0 ? 700_000 + index : index * 997, index + 1),
      );
      const stored = await Promise.all(blobs.map((bytes) => writeBytes(store, bytes)));
      assert.equal(new Set(stored.map(({ id }) => id)).size, blobs.length);
      await Promise.all(
        stored.map(async ({ id, sizeBytes }, index) => {
          assert.deepEqual(await readBytes(store, id, whole(sizeBytes)), blobs[index]);
        }),
      );
    },
  },
  {
    title: 'equal bytes written twice are two blobs',
    run: async ({ store }) => {
      const first = await writeBytes(store, sampleBytes(100));
      const second = await writeBytes(store, sampleBytes(100));
      await store.remove(first.id);
      assert.deepEqual(await readBytes(store, second.id, whole(100)), sampleBytes(100));
    },
  },
  {
    title: 'an id that names no blob finds nothing, and removing it is fine',
    run: async ({ store }) => {
      const sizes = [500, 400_000];
      const stored = await Promise.all(sizes.map((size) => writeBytes(store, sampleBytes(size))));
      const ids = stored.map(({ id }) => id);
      for (const id of [...strangeIds, ...ids.flatMap(nearMisses)] as BlobId[]) {
        await assert.rejects(readBytes(store, id, whole(0)), notFound, id);
        await assert.rejects(store.describe(id), notFound, id);
        await store.remove(id);
      }
      assert.deepEqual(await listIds(store), [...ids].sort());
      for (const { id, sizeBytes } of stored) {
        const read = await readBytes(store, id, whole(sizeBytes));
        assert.deepEqual(read, sampleBytes(sizeBytes));
      }
    },
  },
  {
    title: 'a removed blob is gone, and may be removed again',
    run: async ({ store }) => {
      for (const size of [0, 500, 400_000]) {
        const { id } = await writeBytes(store, sampleBytes(size));
        const kept = await writeBytes(store, sampleBytes(size));
        await Promise.all([store.remove(id), store.remove(id)]);
        await store.remove(id);
        await assert.rejects(readBytes(store, id, whole(size)), notFound);
        await assert.rejects(store.describe(id), notFound);
        assert.deepEqual(await readBytes(store, kept.id, whole(size)), sampleBytes(size));
        await store.remove(kept.id);
      }
      assert.deepEqual(await listIds(store), []);
    },
  },
  {
    title: 'a list tells every blob, its size, and when its write began',
    run: async ({ store, clock }) => {
      const expected = new Map<BlobId, { sizeBytes: number; writtenAtMs: number }>();
      for (const sizeBytes of edgeSizes) {
        clock.advance(1000);
        const { id } = await writeBytes(store, sampleBytes(sizeBytes));
        expected.set(id, { sizeBytes, writtenAtMs: clock.now() });
      }
      clock.advance(1000);
      for await (const { id, ...listed } of store.list()) {
        assert.deepEqual(listed, expected.get(id));
        assert.equal((await store.describe(id)).writtenAtMs, listed.writtenAtMs);
        expected.delete(id);
      }
      assert.deepEqual([...expected], []);
    },
  },
  {
    title: 'a blob removed while it is read gives its own bytes or BlobNotFound',
    run: async ({ store }) => {
      const bytes = sampleBytes(6 * frameSizeBytes);
      const { id } = await writeBytes(store, bytes);
      let atBytes = 0;
      try {
        for await (const chunk of store.read(id, whole(bytes.length))) {
          assert.deepEqual(new Uint8Array(chunk), bytes.slice(atBytes, atBytes + chunk.length));
          atBytes += chunk.length;
          await store.remove(id);
        }
        assert.equal(atBytes, bytes.length);
      } catch (error) {
        assert.ok(notFound(error), String(error));
      }
    },
  },
];

const strangeIds = ['', '.', '..', '../../x', 'a/b', '/etc/passwd', 'a\0b', '%2e', 'é', 's.', 'l.'];

/** Ids that differ from `id` by little. */
function nearMisses(id: BlobId): string[] {
  const misses = [`${id}0`, id.slice(0, -1), ` ${id}`, `../${id}`];
  for (let at = 0; at < id.length; at++) {
    const other = id[at] === '0' ? '1' : '0';
    misses.push(id.slice(0, at) + other + id.slice(at + 1));
  }
  return misses;
}

function whole(lengthBytes: number) {
  return { offsetBytes: 0, lengthBytes };
}

function notFound(error: unknown): boolean {
  return isStoreError(error, 'BlobNotFound');
}

function leavesOf(bytes: Uint8Array): Uint8Array {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += frameSizeBytes) {
    const frame = bytes.subarray(at, at + frameSizeBytes);
    leaves.push(createHash('sha256').update(frame).digest());
  }
  return new Uint8Array(Buffer.concat(leaves));
}
