import assert from 'node:assert/strict';
import {
  type BlobCase,
  listIds,
  readBytes,
  sampleBytes,
  sampleWriting,
  WatchedSource,
  writeBytes,
} from './blob-specimen.ts';
import { type BlobStore, frameSizeBytes } from './blob-store.ts';
import { isStoreError } from './errors.ts';

/** Writes that do not succeed, and reads that are broken off. */
export const blobFailureCases: readonly BlobCase[] = [
  {
    title: 'a source that throws fails the write with what it threw, and leaves nothing',
    run: async ({ store }) => {
      for (const chunks of [[], [sampleBytes(100)], twoAndAHalfFrames()]) {
        const error = new Error('the caller went away');
        await assert.rejects(store.write(new WatchedSource(chunks, error), sampleWriting()), error);
      }
      await assertEmptyAndUsable(store);
    },
  },
  {
    title: 'a signal aborted before the write closes the source unread',
    run: async ({ store }) => {
      const reason = new Error('too late');
      const source = new WatchedSource([sampleBytes(100)], 'end');
      await assert.rejects(
        store.write(source, sampleWriting({ signal: AbortSignal.abort(reason) })),
        reason,
      );
      assert.deepEqual([source.pulls, source.returns], [0, 1]);
      await assertEmptyAndUsable(store);
    },
  },
  {
    title: 'a signal aborted midway ends the write, even if the source does not answer',
    run: async ({ store }) => {
      for (const chunks of [[], [sampleBytes(100)], twoAndAHalfFrames()]) {
        const abort = new AbortController();
        const reason = new Error('timed out');
        const source = new WatchedSource(chunks, 'stall');
        const rejected = assert.rejects(
          store.write(source, sampleWriting({ signal: abort.signal })),
          reason,
        );
        await source.stalled;
        abort.abort(reason);
        await rejected;
        assert.equal(source.returns, 1);
      }
      await assertEmptyAndUsable(store);
    },
  },
  {
    title: 'a generator is closed, whatever becomes of the write',
    run: async ({ store }) => {
      for (const outcome of ['ends', 'throws', 'is aborted']) {
        const abort = new AbortController();
        let isClosed = false;
        async function* source() {
          try {
            yield* twoAndAHalfFrames();
            if (outcome === 'is aborted') abort.abort(new Error(outcome));
            yield sampleBytes(5);
            if (outcome === 'throws') throw new Error(outcome);
          } finally {
            isClosed = true;
          }
        }
        const written = store.write(source(), sampleWriting({ signal: abort.signal }));
        if (outcome === 'ends') await store.remove((await written).id);
        else await assert.rejects(written, { message: outcome });
        assert.ok(isClosed, outcome);
      }
      await assertEmptyAndUsable(store);
    },
  },
  {
    title: 'a failed write does not disturb those beside it',
    run: async ({ store }) => {
      const writes = Array.from({ length: 40 }, async (_, index) => {
        const bytes = sampleBytes(index % 4 === 0 ? 600_000 : 3000, index + 1);
        if (index % 3 !== 0) return { bytes, id: (await writeBytes(store, bytes)).id };
        const error = new Error(`failure ${index}`);
        await assert.rejects(
          store.write(new WatchedSource([bytes], error), sampleWriting()),
          error,
        );
        return undefined;
      });
      const written = (await Promise.all(writes)).filter((blob) => blob !== undefined);
      assert.deepEqual(await listIds(store), written.map(({ id }) => id).sort());
      for (const { id, bytes } of written) {
        const range = { offsetBytes: 0, lengthBytes: bytes.length };
        assert.deepEqual(await readBytes(store, id, range), bytes);
      }
    },
  },
  {
    title: 'a full store refuses writes, keeps what it has, and recovers',
    run: async ({ store, setRoom, clock }) => {
      assert.ok(setRoom, 'needs setRoom');
      const kept = await writeBytes(store, sampleBytes(1000));
      for (const chunks of [[sampleBytes(3000)], twoAndAHalfFrames()]) {
        setRoom(0);
        const source = new WatchedSource(chunks, 'stall');
        if (chunks.length === 1) {
          await assert.rejects(writeBytes(store, sampleBytes(3000)), isFull);
        } else {
          await assert.rejects(store.write(source, sampleWriting()), isFull);
          assert.equal(source.returns, 1);
        }
        setRoom(frameSizeBytes + 1000);
        await assert.rejects(writeBytes(store, sampleBytes(3 * frameSizeBytes)), isFull);
        setRoom(5000);
        clock.advance(recoveryMs);
        await store.remove((await writeBytes(store, sampleBytes(2000))).id);
        setRoom(Number.POSITIVE_INFINITY);
        clock.advance(recoveryMs);
      }
      const range = { offsetBytes: 0, lengthBytes: 1000 };
      assert.deepEqual(await readBytes(store, kept.id, range), sampleBytes(1000));
      assert.deepEqual(await listIds(store), [kept.id]);
      await store.remove(kept.id);
      await assertEmptyAndUsable(store);
    },
  },
  {
    title: 'a full store says so until there is room again',
    run: async ({ store, setRoom, clock }) => {
      assert.ok(setRoom, 'needs setRoom');
      await store.checkRoom();
      assert.equal(store.condition, 'ready');
      for (const size of [3000, 3 * frameSizeBytes]) {
        setRoom(0);
        await assert.rejects(writeBytes(store, sampleBytes(size)), isFull);
        await assert.rejects(store.checkRoom(), isFull);
        assert.equal(store.condition, 'full');
        setRoom(Number.POSITIVE_INFINITY);
        clock.advance(recoveryMs);
        await store.checkRoom();
        assert.equal(store.condition, 'ready');
      }
      await assertEmptyAndUsable(store);
    },
  },
  {
    title: 'a full store still removes',
    run: async ({ store, setRoom, clock }) => {
      assert.ok(setRoom, 'needs setRoom');
      for (const size of [1000, 400_000]) {
        const { id } = await writeBytes(store, sampleBytes(size));
        setRoom(0);
        await store.remove(id);
        setRoom(Number.POSITIVE_INFINITY);
        clock.advance(recoveryMs);
      }
      await assertEmptyAndUsable(store);
    },
  },
  {
    title: 'a failed sync refuses writes until the store is opened again',
    run: async (specimen) => {
      assert.ok(specimen.setSyncsFail && specimen.reopen, 'needs setSyncsFail and reopen');
      for (const size of [100, 2 * frameSizeBytes]) {
        const kept = await writeBytes(specimen.store, sampleBytes(5000));
        specimen.setSyncsFail(true);
        const lost = writeBytes(specimen.store, sampleBytes(size));
        await assert.rejects(lost, isUnavailable);
        specimen.setSyncsFail(false);
        await assertRefusing(specimen.store);
        assert.equal(specimen.store.condition, 'failed');
        const range = { offsetBytes: 0, lengthBytes: 5000 };
        assert.deepEqual(await readBytes(specimen.store, kept.id, range), sampleBytes(5000));
        assert.deepEqual(await listIds(specimen.store), [kept.id]);
        await specimen.reopen();
        assert.deepEqual(await readBytes(specimen.store, kept.id, range), sampleBytes(5000));
        await specimen.store.remove(kept.id);
        await assertEmptyAndUsable(specimen.store);
      }
    },
  },
  {
    title: 'a failed sync of a removal refuses writes until the store is opened again',
    run: async (specimen) => {
      assert.ok(specimen.setSyncsFail && specimen.reopen, 'needs setSyncsFail and reopen');
      for (const size of [100, 2 * frameSizeBytes]) {
        const { id } = await writeBytes(specimen.store, sampleBytes(size));
        specimen.setSyncsFail(true);
        await assert.rejects(specimen.store.remove(id), isUnavailable);
        specimen.setSyncsFail(false);
        await assertRefusing(specimen.store);
        assert.equal(specimen.store.condition, 'failed');
        await specimen.reopen();
        await specimen.store.remove(id);
        await assertEmptyAndUsable(specimen.store);
      }
    },
  },
  {
    title: 'a store that was closed refuses writes',
    run: async ({ store }) => {
      await store[Symbol.asyncDispose]();
      await assertRefusing(store, { removalToo: false });
    },
  },
  {
    title: 'a read may be broken off, by its reader or by a signal',
    run: async ({ store }) => {
      for (const size of [1000, 3 * frameSizeBytes]) {
        const { id } = await writeBytes(store, sampleBytes(size));
        const range = { offsetBytes: 0, lengthBytes: size };
        for await (const _ of store.read(id, range)) break;
        const reason = new Error('enough');
        const aborted = store.read(id, range, AbortSignal.abort(reason));
        await assert.rejects(Array.fromAsync(aborted), reason);
      }
      const { id } = await writeBytes(store, sampleBytes(3 * frameSizeBytes));
      const abort = new AbortController();
      const range = { offsetBytes: 0, lengthBytes: 3 * frameSizeBytes };
      const chunks = store.read(id, range, abort.signal)[Symbol.asyncIterator]();
      assert.equal((await chunks.next()).done, false);
      abort.abort(new Error('midway'));
      await assert.rejects(chunks.next(), { message: 'midway' });
    },
  },
  {
    title: 'a list may be broken off by a signal',
    run: async ({ store }) => {
      await writeBytes(store, sampleBytes(10));
      const reason = new Error('enough');
      await assert.rejects(Array.fromAsync(store.list(AbortSignal.abort(reason))), reason);
    },
  },
];

/** Within this time a store that was full takes note that there is room again. */
const recoveryMs = 10_000;

function twoAndAHalfFrames(): Uint8Array[] {
  return [sampleBytes(frameSizeBytes), sampleBytes(frameSizeBytes), sampleBytes(500_000)];
}

async function assertEmptyAndUsable(store: BlobStore): Promise<void> {
  assert.deepEqual(await listIds(store), []);
  for (const size of [300, frameSizeBytes + 3]) {
    const { id } = await writeBytes(store, sampleBytes(size));
    const range = { offsetBytes: 0, lengthBytes: size };
    assert.deepEqual(await readBytes(store, id, range), sampleBytes(size));
    await store.remove(id);
  }
}

async function assertRefusing(store: BlobStore, { removalToo = true } = {}): Promise<void> {
  for (const chunks of [[sampleBytes(100)], twoAndAHalfFrames()]) {
    const source = new WatchedSource(chunks, 'stall');
    await assert.rejects(store.write(source, sampleWriting()), isUnavailable);
    assert.equal(source.returns, 1);
  }
  await assert.rejects(store.checkRoom(), isUnavailable);
  if (!removalToo) return;
  const [id] = await listIds(store);
  if (id !== undefined) await assert.rejects(store.remove(id), isUnavailable);
}

function isFull(error: unknown): boolean {
  return isStoreError(error, 'StoreFull');
}

function isUnavailable(error: unknown): boolean {
  return isStoreError(error, 'StoreUnavailable');
}
