import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  listIds,
  readBytes,
  sampleBytes,
  sampleWriting,
  WatchedSource,
  writeBytes,
} from '../blob-specimen.ts';
import { type BlobId, frameSizeBytes } from '../blob-store.ts';
import { isStoreError } from '../errors.ts';
import { DiskSpecimen } from './disk-specimen.ts';
import { fileError } from './faulty-files.ts';
import type { SimulatedFiles } from './simulated-files.ts';

const smallSizes = [10, 3000, 0, 100_000];

describe('DiskBlobStore, its syncs', () => {
  test('1. a small blob is acknowledged after the sync of its segment and of its name', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const deeds = recordDeeds(specimen);
    await writeBytes(specimen.store, sampleBytes(100));
    assert.deepEqual(deeds, ['create', 'write', 'write', 'syncDirectory', 'write', 'sync']);
    deeds.length = 0;
    await writeBytes(specimen.store, sampleBytes(100));
    assert.deepEqual(deeds, ['write', 'sync']);
  });

  test('1. a large blob is synced, then named, then its name is synced', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const deeds = recordDeeds(specimen);
    await writeBytes(specimen.store, sampleBytes(400_000));
    const once = ['create', 'write', 'write', 'write', 'sync', 'rename', 'syncDirectory'];
    assert.deepEqual(deeds, once);
  });

  test('small blobs that arrive together share a write and a sync', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const deeds = recordDeeds(specimen);
    const bytes = Array.from({ length: 100 }, (_, index) => sampleBytes(index * 50, index + 1));
    await Promise.all(bytes.map((each) => writeBytes(specimen.store, each)));
    assert.ok(deeds.filter((deed) => deed === 'sync').length <= 4, deeds.join(' '));
  });

  test('removals that arrive together share a sync', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const bytes = Array.from({ length: 100 }, (_, index) => sampleBytes(index * 50, index + 1));
    const stored = await Promise.all(bytes.map((each) => writeBytes(specimen.store, each)));
    const deeds = recordDeeds(specimen);
    await Promise.all(stored.map(({ id }) => specimen.store.remove(id)));
    assert.ok(deeds.filter((deed) => deed === 'sync').length <= 4, deeds.join(' '));
  });

  test('2. a removal that finds the blob gone syncs nevertheless', async () => {
    for (const size of [100, 400_000]) {
      await using specimen = await DiskSpecimen.simulated();
      const { id } = await writeBytes(specimen.store, sampleBytes(size));
      await specimen.store.remove(id);
      const deeds = recordDeeds(specimen);
      await specimen.store.remove(id);
      assert.match(deeds.at(-1) ?? '', /sync/);
    }
  });

  test('4. no bytes are written after a sync that failed', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const { id } = await writeBytes(specimen.store, sampleBytes(100));
    specimen.setSyncsFail(true);
    await assert.rejects(writeBytes(specimen.store, sampleBytes(100)));
    specimen.setSyncsFail(false);
    const deeds = recordDeeds(specimen);
    await assert.rejects(writeBytes(specimen.store, sampleBytes(100)));
    await assert.rejects(writeBytes(specimen.store, sampleBytes(400_000)));
    await assert.rejects(specimen.store.remove(id));
    assert.deepEqual(deeds, []);
  });

  test('4. a large upload under way fails with the sync of another blob', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const gate = Promise.withResolvers<void>();
    async function* source() {
      yield sampleBytes(2 * frameSizeBytes);
      await gate.promise;
      yield sampleBytes(2 * frameSizeBytes);
    }
    const large = assert.rejects(specimen.store.write(source(), sampleWriting()), isUnavailable);
    specimen.setSyncsFail(true);
    await assert.rejects(writeBytes(specimen.store, sampleBytes(100)), isUnavailable);
    specimen.setSyncsFail(false);
    gate.resolve();
    await large;
    assert.deepEqual(await listIds(specimen.store), []);
  });
});

describe('DiskBlobStore, any crash', () => {
  test('acknowledged blobs and removals survive, whatever else does', async () => {
    const aheads = fc.constantFrom(0, 4096, 1_000_000);
    const steps = fc.array(fc.constantFrom('small', 'large', 'remove', 'crash'), {
      minLength: 4,
      maxLength: 14,
    });
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.infiniteStream(fc.boolean()),
        aheads,
        async (plan, coins, ahead) => {
          const survives = () => coins.next().value === true;
          const growth = { segmentAheadBytes: ahead };
          await using specimen = await DiskSpecimen.simulated(survives, growth);
          await runPlan(specimen, [...plan, 'crash']);
        },
      ),
      { seed: 20_260_102, numRuns: 40 },
    );
  });

  test('a store that dies while it opens opens the next time', async () => {
    await using specimen = await DiskSpecimen.simulated(() => true);
    const { id } = await writeBytes(specimen.store, sampleBytes(100));
    const stalled = new WatchedSource([sampleBytes(2 * frameSizeBytes)], 'stall');
    specimen.store.write(stalled, sampleWriting()).catch(() => undefined);
    await stalled.stalled;
    specimen.before = (deed) => {
      if (deed === 'syncDirectory') throw fileError('EIO', deed);
    };
    await assert.rejects(specimen.crash());
    specimen.before = () => {};
    await specimen.crash();
    assert.deepEqual(await listIds(specimen.store), [id]);
    assert.deepEqual(incomingOf(specimen), []);
  });
});

describe('DiskBlobStore, room', () => {
  test('a failed write gives its room back', async () => {
    await using specimen = await DiskSpecimen.simulated();
    await writeBytes(specimen.store, sampleBytes(1000));
    const before = sizesOf(specimen);
    const attempts = [
      specimen.store.write(
        new WatchedSource([sampleBytes(100)], new Error('gone')),
        sampleWriting(),
      ),
      specimen.store.write(
        new WatchedSource([sampleBytes(3_000_000)], new Error('gone')),
        sampleWriting(),
      ),
    ];
    for (const attempt of attempts) await assert.rejects(attempt, { message: 'gone' });
    for (const size of [5000, 400_000, 5 * frameSizeBytes]) {
      specimen.setRoom(4000);
      specimen.clock.advance(1000);
      await assert.rejects(writeBytes(specimen.store, sampleBytes(size)), isFull);
      specimen.setRoom(3 * frameSizeBytes);
      specimen.clock.advance(1000);
      await assert.rejects(writeBytes(specimen.store, sampleBytes(5 * frameSizeBytes)), isFull);
    }
    assert.deepEqual(sizesOf(specimen), before);
  });

  test('when a full disk cannot even be truncated, a new segment goes on', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const first = await writeBytes(specimen.store, sampleBytes(1000));
    specimen.setRoom(100);
    specimen.before = (deed) => {
      if (deed === 'truncate') throw fileError('EIO', deed);
    };
    await assert.rejects(writeBytes(specimen.store, sampleBytes(1000)), isFull);
    specimen.setRoom(Number.POSITIVE_INFINITY);
    specimen.clock.advance(1000);
    const second = await writeBytes(specimen.store, sampleBytes(1000));
    assert.match(second.id, /^s\.2\./);
    assert.deepEqual(await listIds(specimen.store), [first.id, second.id]);
  });

  test('a write that the disk refuses otherwise is StoreUnavailable, and the next succeeds', async () => {
    for (const size of [100, 400_000]) {
      await using specimen = await DiskSpecimen.simulated();
      specimen.before = (deed) => {
        if (deed === 'write') throw fileError('EIO', deed);
      };
      await assert.rejects(writeBytes(specimen.store, sampleBytes(size)), isUnavailable);
      specimen.before = (deed) => {
        if (deed === 'create') throw fileError('EMFILE', deed);
      };
      await assert.rejects(writeBytes(specimen.store, sampleBytes(400_000)), isUnavailable);
      specimen.before = () => {};
      await writeBytes(specimen.store, sampleBytes(size));
    }
  });

  test('many large uploads at once share a limited number of frames', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const bytes = sampleBytes(3 * frameSizeBytes);
    const writes = Array.from({ length: 24 }, () => writeBytes(specimen.store, bytes));
    const [first] = await Promise.all(writes);
    assert.ok(first);
    const range = { offsetBytes: 0, lengthBytes: bytes.length };
    assert.deepEqual(await readBytes(specimen.store, first.id, range), bytes);
  });

  test('a directory that does not open fails what waits for it, and nothing later', async () => {
    await using specimen = await DiskSpecimen.simulated();
    const kept = await writeBytes(specimen.store, sampleBytes(400_000));
    await specimen.reopen();
    specimen.before = (deed) => {
      if (deed === 'syncDirectory') throw fileError('EMFILE', 'open');
    };
    for (const size of [100, 400_000]) {
      await assert.rejects(writeBytes(specimen.store, sampleBytes(size)), isUnavailable);
    }
    await assert.rejects(specimen.store.remove(kept.id), isUnavailable);
    specimen.before = () => {};
    for (const size of [100, 400_000]) await writeBytes(specimen.store, sampleBytes(size));
    await specimen.store.remove(kept.id);
  });

  test('no file stays open', async () => {
    await using specimen = await DiskSpecimen.simulated();
    for (const size of [...smallSizes, 400_000, 2_000_000]) {
      const { id } = await writeBytes(specimen.store, sampleBytes(size));
      const range = { offsetBytes: 0, lengthBytes: size };
      await readBytes(specimen.store, id, range);
      for await (const _ of specimen.store.read(id, range)) break;
      await specimen.store.describe(id);
      await specimen.store.remove(id);
    }
    await listIds(specimen.store);
    await specimen.store[Symbol.asyncDispose]();
    assert.equal(specimen.openFileCount, 0);
  });
});

type Step = 'small' | 'large' | 'remove' | 'crash';

async function runPlan(specimen: DiskSpecimen, plan: readonly Step[]): Promise<void> {
  const kept = new Map<BlobId, Uint8Array>();
  const removed = new Set<BlobId>();
  for (const [turn, step] of plan.entries()) {
    if (step === 'remove') {
      const [id] = kept.keys();
      if (id === undefined) continue;
      await specimen.store.remove(id);
      kept.delete(id);
      removed.add(id);
    } else if (step === 'crash') {
      // Some writes are under way, and nobody will ever know how they end.
      for (const size of [...smallSizes, 1_200_000]) {
        writeBytes(specimen.store, sampleBytes(size)).catch(() => undefined);
      }
      for (let tick = 0; tick < turn * 7; tick++) await Promise.resolve();
      await specimen.crash();
      const listed = new Set(await listIds(specimen.store));
      for (const id of kept.keys()) assert.ok(listed.has(id));
      for (const id of removed) assert.ok(!listed.has(id));
    } else {
      const sizes = step === 'small' ? smallSizes : [400_000, 1_200_000];
      const blobs = sizes.map((size) => sampleBytes(size, turn + 1));
      const stored = await Promise.all(blobs.map((each) => writeBytes(specimen.store, each)));
      for (const [index, { id }] of stored.entries()) {
        kept.set(id, blobs[index] ?? new Uint8Array(0));
      }
    }
    for (const [id, bytes] of kept) {
      const range = { offsetBytes: 0, lengthBytes: bytes.length };
      assert.deepEqual(await readBytes(specimen.store, id, range), bytes);
    }
  }
}

/** What is done to files from now on, but for reads. */
function recordDeeds(specimen: DiskSpecimen): string[] {
  const deeds: string[] = [];
  specimen.before = (deed) => {
    if (deed !== 'read' && deed !== 'open' && deed !== 'room') deeds.push(deed);
  };
  return deeds;
}

function sizesOf({ files }: DiskSpecimen): Map<string, number> {
  return (files as SimulatedFiles).sizes();
}

function incomingOf(specimen: DiskSpecimen): string[] {
  const incoming = join(specimen.directory, 'v2', 'incoming');
  return [...sizesOf(specimen).keys()].filter((path) => path.startsWith(incoming));
}

function isFull(error: unknown): boolean {
  return isStoreError(error, 'StoreFull');
}

function isUnavailable(error: unknown): boolean {
  return isStoreError(error, 'StoreUnavailable');
}
