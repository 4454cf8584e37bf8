import assert from 'node:assert/strict';
import {
  type BlobCase,
  chunked,
  edgeSizes,
  listIds,
  sampleBytes,
  WatchedSource,
  writeBytes,
} from './blob-specimen.ts';
import { type BlobContent, frameSizeBytes, labelBytesMax } from './blob-store.ts';

const sizes = [0, 100, 300_000, 2 * frameSizeBytes + 5] as const;

/** What is kept with a blob's bytes, and when it is asked for. */
export const blobLabelCases: readonly BlobCase[] = [
  {
    title: 'a label is kept as it was given, whatever its length and letters',
    run: async ({ store }) => {
      for (const size of sizes) {
        for (const label of someLabels()) {
          const { id } = await writeBytes(store, sampleBytes(size), label);
          assert.equal((await store.describe(id)).label, label);
        }
      }
    },
  },
  {
    title: 'a label is asked for once, when the source has ended and before the blob exists',
    run: async ({ store }) => {
      for (const size of edgeSizes) {
        const source = new WatchedSource([sampleBytes(size)], 'end');
        const calls: BlobContent[] = [];
        let isWritten = false;
        const label = (content: BlobContent) => {
          assert.equal(source.pulls, 2, 'the source has ended');
          assert.equal(isWritten, false);
          calls.push(content);
          return `${content.sizeBytes} bytes`;
        };
        const stored = await store.write(source, { label });
        isWritten = true;
        const { id, sizeBytes, leaves } = stored;
        assert.deepEqual(calls.map(plain), [plain({ sizeBytes, leaves })]);
        assert.equal((await store.describe(id)).label, `${size} bytes`);
      }
    },
  },
  {
    title: 'a label that throws fails the write with what it threw, and leaves nothing',
    run: async ({ store }) => {
      for (const size of sizes) {
        const error = new Error('not what was announced');
        const label = () => {
          throw error;
        };
        const beside = writeBytes(store, sampleBytes(size, 2));
        await assert.rejects(store.write(chunked(sampleBytes(size)), { label }), error);
        const { id } = await beside;
        assert.deepEqual(await listIds(store), [id]);
        await store.remove(id);
      }
    },
  },
  {
    title: 'a label one byte too long is a defect of the caller, and leaves nothing',
    run: async ({ store }) => {
      for (const size of sizes) {
        for (const label of ['x'.repeat(labelBytesMax + 1), `x${'é'.repeat(labelBytesMax / 2)}`]) {
          const written = writeBytes(store, sampleBytes(size), label);
          await assert.rejects(written, { name: 'AssertionFailed' });
        }
      }
      assert.deepEqual(await listIds(store), []);
      const { id } = await writeBytes(store, sampleBytes(100));
      await store.remove(id);
    },
  },
];

function someLabels(): string[] {
  return ['', '\0', 'é', '見本 🧊 "\\\n', 'x'.repeat(labelBytesMax), 'é'.repeat(labelBytesMax / 2)];
}

function plain({ sizeBytes, leaves }: BlobContent) {
  return { sizeBytes, leaves: new Uint8Array(leaves) };
}
