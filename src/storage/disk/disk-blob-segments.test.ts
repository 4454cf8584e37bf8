import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  listIds,
  readBytes,
  type SampleBlob,
  sampleBytes,
  sampleLabel,
  writeBytes,
} from '../blob-specimen.ts';
import type { BlobId, BlobRange } from '../blob-store.ts';
import { isStoreError } from '../errors.ts';
import { parseBlobId } from './disk-blob-id.ts';
import { smallBlobSizeBytesMax } from './disk-blob-store.ts';
import { DiskSpecimen } from './disk-specimen.ts';
import { fileError } from './faulty-files.ts';
import { Layout } from './files.ts';
import { growingContentOffset } from './header-copies.ts';
import type { SimulatedFiles } from './simulated-files.ts';

describe('DiskBlobStore, its segments', () => {
  test('3. a segment that an earlier run began is never appended to', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const first = await writeBytes(specimen.store, sampleBytes(10));
    await specimen.reopen();
    const second = await writeBytes(specimen.store, sampleBytes(10));
    assert.deepEqual([first, second].map(segmentOf), [1, 2]);
    const sizes = new Set(segmentSizes(specimen).values());
    // The headers, and a record: its own header, the leaf, the label, the blob and the tag.
    assert.deepEqual([...sizes], [growingContentOffset + 256]);
  });

  test('a new segment begins when 32 MiB are passed', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const bytes = sampleBytes(smallBlobSizeBytesMax);
    const stored = [];
    for (let count = 0; count < 130; count++) stored.push(await writeBytes(specimen.store, bytes));
    assert.deepEqual([...new Set(stored.map(segmentOf))], [1, 2]);
    assert.equal(segmentOf(stored[127]), 1);
    assert.equal(segmentOf(stored[128]), 2);
    for (const { id } of stored) await specimen.store.remove(id);
    await specimen.reopen();
    assert.deepEqual([...segmentSizes(specimen).keys()], []);
  });

  test('one byte beyond the limit of small blobs gets a file of its own', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const bytes = sampleBytes(smallBlobSizeBytesMax + 1);
    assert.match((await writeBytes(specimen.store, bytes.slice(1))).id, /^s\./);
    assert.match((await writeBytes(specimen.store, bytes)).id, /^l\./);
  });

  test('a sealed segment goes with its last blob, in whatever order they are removed', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const sizes = Array.from({ length: 50 }, (_, index) => index * 20);
    const stored = await Promise.all(
      sizes.map((size) => writeBytes(specimen.store, sampleBytes(size))),
    );
    await specimen.reopen();
    const shuffled = stored.map((blob, index) => ({ blob, at: (index * 37) % 50 }));
    shuffled.sort((a, b) => a.at - b.at);
    for (const [count, { blob }] of shuffled.entries()) {
      assert.deepEqual([...segmentSizes(specimen).keys()].length, 1, `${count}`);
      await specimen.store.remove(blob.id);
    }
    await specimen.store[Symbol.asyncDispose]();
    assert.deepEqual([...segmentSizes(specimen).keys()], []);
  });

  test('a segment in which nothing is left, but which a crash kept, goes with a listing', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(10));
    await specimen.reopen();
    specimen.before = (deed) => {
      if (deed === 'unlink') throw fileError('EIO', deed);
    };
    await specimen.store.remove(id);
    await specimen.reopen();
    // A newer one, so that opening does not look at it.
    await writeBytes(specimen.store, sampleBytes(10));
    specimen.before = () => {};
    await specimen.reopen();
    assert.equal(segmentSizes(specimen).size, 2);
    await listIds(specimen.store);
    await specimen.reopen();
    assert.equal(segmentSizes(specimen).size, 1);
  });

  test('a segment with a damaged header is kept, and its other blobs are listed', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const stored = [];
    for (const size of [100, 5000, 100]) {
      stored.push(await writeBytes(specimen.store, sampleBytes(size)));
    }
    await specimen.reopen();
    const [first, damaged, last] = stored.map(({ id }) => id);
    assert.ok(first && damaged && last);
    const damages = await specimen.damages(sampleBlob(damaged, 5000));
    const damage = damages.find(({ what }) => what === 'size');
    const repair = await damage?.apply();
    assert.deepEqual(await listIds(specimen.store), [first, last].sort());
    await specimen.store.remove(first);
    await specimen.store.remove(last);
    await specimen.reopen();
    await repair?.();
    const range = { offsetBytes: 0, lengthBytes: 5000 };
    assert.deepEqual(await readBytes(specimen.store, damaged, range), sampleBytes(5000));
  });

  test('a blob whose header is damaged can be removed', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(100));
    const damages = await specimen.damages(sampleBlob(id, 100));
    const repair = await damages.find(({ what }) => what === 'checksum')?.apply();
    await specimen.store.remove(id);
    await repair?.();
    await assert.rejects(specimen.store.describe(id), (error) =>
      isStoreError(error, 'BlobNotFound'),
    );
  });

  test('any byte of a segment changed gives no wrong bytes, and costs one blob at most', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const stored = [];
    for (const size of [70, 50, 0]) {
      const bytes = sampleBytes(size, size + 1);
      stored.push({ ...(await writeBytes(specimen.store, bytes)), bytes });
    }
    const path = new Layout(specimen.directory).segment(1);
    const file = await specimen.files.open(path, 'read and write');
    const byte = new Uint8Array(1);
    for (let at = growingContentOffset; at < (await file.size()); at++) {
      await file.read(byte, at);
      await file.write(Uint8Array.of((byte[0] ?? 0) ^ 0x10), at);
      let lostCount = 0;
      for (const { id, bytes } of stored) {
        const range: BlobRange = { offsetBytes: 0, lengthBytes: bytes.length };
        const read: Uint8Array | undefined = await readBytes(specimen.store, id, range).catch(
          () => undefined,
        );
        if (read === undefined) lostCount++;
        else assert.deepEqual(read, bytes, `byte ${at}`);
      }
      assert.ok(lostCount <= 1, `byte ${at} costs ${lostCount} blobs`);
      await file.write(byte, at);
    }
  });

  test('no changed bit of its mark brings a removed blob back', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(100));
    await specimen.store.remove(id);
    const file = await specimen.files.open(
      new Layout(specimen.directory).segment(1),
      'read and write',
    );
    const mark = new Uint8Array(8);
    await file.read(mark, growingContentOffset + 8);
    for (let bit = 0; bit < 64; bit++) {
      const changed = mark.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await file.write(changed, growingContentOffset + 8);
      await assert.rejects(specimen.store.describe(id), (error) =>
        isStoreError(error, 'BlobCorrupt'),
      );
    }
  });

  test('a blob that the disk cannot read back is corrupt, and the others are read', async () => {
    for (const size of [100, 400_000]) {
      await using specimen = await DiskSpecimen.simulated();
      const { id } = await writeBytes(specimen.store, sampleBytes(size));
      const range = { offsetBytes: 0, lengthBytes: size };
      for (const [code, expected] of [
        ['EIO', 'BlobCorrupt'],
        ['EMFILE', 'StoreUnavailable'],
      ] as const) {
        specimen.before = (deed) => {
          if (deed === 'read') throw fileError(code, deed);
        };
        await assert.rejects(readBytes(specimen.store, id, range), (error) =>
          isStoreError(error, expected),
        );
      }
      specimen.before = () => {};
      assert.deepEqual(await readBytes(specimen.store, id, range), sampleBytes(size));
    }
  });

  test('a record that was copied to another place is not taken for a blob', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(100));
    const layout = new Layout(specimen.directory);
    const file = await specimen.files.open(layout.segment(1), 'read');
    const record = new Uint8Array(320);
    await file.read(record, growingContentOffset);
    const name = parseBlobId(id);
    assert.ok(name?.kind === 'small');
    // Over the record of another blob, of the same size: a place that is not its own.
    const other = await writeBytes(specimen.store, sampleBytes(100, 2));
    const writing = await specimen.files.open(layout.segment(1), 'read and write');
    await writing.write(record, growingContentOffset + 320);
    assert.deepEqual(await listIds(specimen.store), [id]);
    const guessed = id.replace('s.1.65536.', 's.1.65856.') as typeof id;
    const range = { offsetBytes: 0, lengthBytes: 100 };
    for (const gone of [guessed, other.id]) {
      await assert.rejects(readBytes(specimen.store, gone, range), isGone);
      await specimen.store.remove(gone);
    }
    assert.deepEqual(await readBytes(specimen.store, id, range), sampleBytes(100));
  });
});

test('a directory of another version of the format is refused by name', async () => {
  await using specimen = await DiskSpecimen.simulated();
  for (const version of ['v1', 'v3']) {
    await specimen.files.makeDirectory(`${specimen.directory}/${version}`);
    await assert.rejects(specimen.reopen(), (error) => {
      assert.ok(isStoreError(error, 'StoreUnavailable'));
      assert.match(error.message, /format v[13], and this program knows v2/);
      return true;
    });
  }
});

function sampleBlob(id: BlobId, sizeBytes: number): SampleBlob {
  return { id, sizeBytes, labelSizeBytes: Buffer.byteLength(sampleLabel) };
}

function isGone(error: unknown): boolean {
  return isStoreError(error, 'BlobNotFound');
}

function segmentOf(blob: { readonly id: string } | undefined): number | undefined {
  const name = parseBlobId(blob?.id ?? '');
  return name?.kind === 'small' ? name.segment : undefined;
}

function segmentSizes(specimen: DiskSpecimen): Map<string, number> {
  const sizes = (specimen.files as SimulatedFiles).sizes();
  return new Map([...sizes].filter(([path]) => path.includes('/segments/')));
}
