import assert from 'node:assert/strict';
import {
  type BlobSpecimen,
  listIds,
  readBytes,
  type SampleBlob,
  sampleBytes,
  writeBytes,
} from './blob-specimen.ts';
import type { BlobId, BlobStore } from './blob-store.ts';
import type { Compaction, SegmentUse } from './compaction.ts';
import { type ContractCase, type ContractSubject, declareContract } from './contract-suite.ts';
import { isStoreError } from './errors.ts';

/**
 * A store that packs blobs together, as the contract suite sees it. `reopen` ends the segment that
 * was appended to; all that is written between two calls of it lies in one segment, if it is small.
 */
export interface CompactionSpecimen extends BlobSpecimen {
  /** Of the store as it is open now. */
  readonly compaction: Compaction;
}

const cases: readonly ContractCase<CompactionSpecimen>[] = [
  {
    title: 'a copy has the bytes, the label and the time of what it was made of',
    run: async ({ store, compaction, clock }) => {
      const samples = await writeSamples(store, [0, 1, 1000, 4095, 60_000]);
      clock.advance(3_600_000);
      for (const sample of samples) {
        const before = await store.describe(sample.id);
        const copy = { ...sample, id: await compaction.copy(sample.id) };
        assert.notEqual(copy.id, sample.id);
        await assertThere(store, [sample, copy]);
        assert.equal((await store.describe(copy.id)).writtenAtMs, before.writtenAtMs);
      }
      for await (const { writtenAtMs } of store.list()) {
        assert.equal(writtenAtMs, clock.now() - 3_600_000);
      }
    },
  },
  {
    title: 'a segment of which less than half is needed is wasteful once nothing is appended to it',
    run: async (specimen) => {
      const samples = await writeSamples(specimen.store, twenty);
      const kept = await removeAllBut(specimen.store, samples, 8);
      assert.deepEqual(await specimen.compaction.wasteful(), [], 'it is still appended to');
      const [use, ...others] = await afterReopening(specimen);
      assert.ok(use);
      assert.equal(others.length, 0);
      assert.ok(use.liveBytes >= 8 * 4000 && use.liveBytes * 2 < use.sizeBytes);
      const blobs = await specimen.compaction.blobsIn(use.segment);
      assert.deepEqual(blobs.map(({ id }) => id).sort(), idsOf(kept));
      for (const { sizeBytes, writtenAtMs } of blobs) {
        assert.deepEqual([sizeBytes, writtenAtMs], [4000, specimen.clock.now()]);
      }
    },
  },
  {
    title: 'a segment of which more than half is needed is not wasteful',
    run: async (specimen) => {
      const samples = await writeSamples(specimen.store, twenty);
      const kept = await removeAllBut(specimen.store, samples, 12);
      assert.deepEqual(await afterReopening(specimen), []);
      await removeAllBut(specimen.store, kept, 8);
      assert.equal((await specimen.compaction.wasteful()).length, 1);
    },
  },
  {
    title: 'what was retired is gone and its copies live, whatever crashes',
    run: async (specimen) => {
      assert.ok(specimen.crash, 'needs crash');
      const { segment, kept } = await wastefulSegment(specimen);
      const copies = await copyAll(specimen.compaction, kept);
      await specimen.crash();
      await assertThere(specimen.store, [...kept, ...copies]);
      await specimen.compaction.retire(segment, idsOf(kept));
      await specimen.crash();
      await assertThere(specimen.store, copies);
      for (const { id } of kept) await assert.rejects(specimen.store.describe(id), isNotFound);
      assert.deepEqual(await listIds(specimen.store), idsOf(copies));
      assert.deepEqual(await specimen.compaction.blobsIn(segment), []);
      const left = await specimen.compaction.wasteful();
      assert.ok(left.every((use) => use.segment !== segment));
    },
  },
  {
    title: 'what was retired is gone and its copies live',
    run: async (specimen) => {
      const { store, compaction } = specimen;
      const samples = await writeSamples(store, twenty);
      const copies = await copyAll(compaction, samples);
      const { segment, kept } = await wastefulSegment(specimen);
      const others = await copyAll(specimen.compaction, kept);
      await specimen.compaction.retire(segment, idsOf(kept));
      for (const { id } of kept) await assert.rejects(specimen.store.describe(id), isNotFound);
      await assertThere(specimen.store, [...samples, ...copies, ...others]);
      assert.deepEqual(await specimen.compaction.blobsIn(segment), []);
    },
  },
  {
    title: 'a segment stays as long as a blob in it was not retired',
    run: async (specimen) => {
      const { segment, kept } = await wastefulSegment(specimen);
      const [first, second, ...others] = kept;
      assert.ok(first && second);
      await specimen.compaction.retire(segment, idsOf(others));
      await assertThere(specimen.store, [first, second]);
      await afterReopening(specimen);
      await assertThere(specimen.store, [first, second]);
      const blobs = await specimen.compaction.blobsIn(segment);
      assert.deepEqual(blobs.map(({ id }) => id).sort(), idsOf([first, second]));
      // One of them goes in another way meanwhile, and what is retired twice was retired once.
      await specimen.store.remove(first.id);
      await specimen.compaction.retire(segment, idsOf([first, second]));
      await specimen.compaction.retire(segment, idsOf(kept));
      assert.deepEqual(await listIds(specimen.store), []);
    },
  },
  {
    title: 'a blob that is gone is not copied',
    run: async ({ store, compaction }) => {
      const [sample] = await writeSamples(store, [1000]);
      assert.ok(sample);
      await store.remove(sample.id);
      await assert.rejects(compaction.copy(sample.id), isNotFound);
      assert.deepEqual(await listIds(store), []);
    },
  },
  {
    title: 'a damaged blob is not copied, and not lost by what happens to the others',
    run: async (specimen) => {
      assert.ok(specimen.damages, 'needs damages');
      const { segment, kept } = await wastefulSegment(specimen);
      const [victim, ...others] = kept;
      assert.ok(victim);
      const damages = await specimen.damages(victim);
      for (const damage of damages.filter(({ isHarmless }) => isHarmless !== true)) {
        const repair = await damage.apply();
        await assert.rejects(specimen.compaction.copy(victim.id), isDamageReport, damage.what);
        await repair();
      }
      const repair = await damages[0]?.apply();
      const copies = await copyAll(specimen.compaction, others);
      await specimen.compaction.retire(segment, idsOf(others));
      await assertThere(specimen.store, copies);
      await repair?.();
      await assertThere(specimen.store, [victim, ...copies]);
      await afterReopening(specimen);
      await assertThere(specimen.store, [victim, ...copies]);
    },
  },
  {
    title: 'a full store refuses copies, and retires',
    run: async (specimen) => {
      assert.ok(specimen.setRoom, 'needs setRoom');
      const { segment, kept } = await wastefulSegment(specimen);
      const [first, ...others] = kept;
      assert.ok(first);
      const copies = await copyAll(specimen.compaction, others);
      specimen.setRoom(0);
      await assert.rejects(specimen.compaction.copy(first.id), (error) =>
        isStoreError(error, 'StoreFull'),
      );
      await specimen.compaction.retire(segment, idsOf(others));
      await assertThere(specimen.store, [first, ...copies]);
      assert.deepEqual(await listIds(specimen.store), idsOf([first, ...copies]));
    },
  },
  {
    title: 'writes and reads go on while a segment is emptied',
    run: async (specimen) => {
      const { segment, kept } = await wastefulSegment(specimen);
      const { store } = specimen;
      const [copies, written] = await Promise.all([
        copyAll(specimen.compaction, kept),
        writeSamples(store, twenty),
        assertThere(store, kept),
      ]);
      const [more] = await Promise.all([
        writeSamples(store, twenty),
        specimen.compaction.retire(segment, idsOf(kept)),
        assertThere(store, [...copies, ...written]),
      ]);
      await assertThere(store, [...copies, ...written, ...more]);
      assert.deepEqual(await listIds(store), idsOf([...copies, ...written, ...more]));
    },
  },
];

/** What every store promises that packs blobs together. Declares one test for each promise. */
export function compactionContract(
  name: string,
  subject: ContractSubject<CompactionSpecimen>,
): void {
  declareContract(name, cases, subject);
}

const twenty: readonly number[] = Array.from({ length: 20 }, () => 4000);

interface Sample extends SampleBlob {
  readonly bytes: Uint8Array;
  readonly label: string;
}

let seed = 0;

async function writeSamples(store: BlobStore, sizes: readonly number[]): Promise<Sample[]> {
  const written = sizes.map(async (size) => {
    const bytes = sampleBytes(size, ++seed);
    const label = `{"sample":${seed},"text":"schön"}`;
    const { id } = await writeBytes(store, bytes, label);
    return { id, bytes, label, sizeBytes: size, labelSizeBytes: Buffer.byteLength(label) };
  });
  return await Promise.all(written);
}

/** Removes all but `count`, spread over the segment, and answers those. */
async function removeAllBut(store: BlobStore, samples: readonly Sample[], count: number) {
  const isKept = (_: Sample, index: number) =>
    Math.floor((index * count) / samples.length) !==
    Math.floor(((index + 1) * count) / samples.length);
  for (const { id } of samples.filter((sample, index) => !isKept(sample, index))) {
    await store.remove(id);
  }
  return samples.filter(isKept);
}

async function afterReopening(specimen: CompactionSpecimen): Promise<SegmentUse[]> {
  assert.ok(specimen.reopen, 'needs reopen');
  await specimen.reopen();
  return await specimen.compaction.wasteful();
}

/** A segment of twenty blobs of which six are left. */
async function wastefulSegment(specimen: CompactionSpecimen) {
  const before = await afterReopening(specimen);
  const samples = await writeSamples(specimen.store, twenty);
  const kept = await removeAllBut(specimen.store, samples, 6);
  const isNew = ({ segment }: SegmentUse) => before.every((use) => use.segment !== segment);
  const use = (await afterReopening(specimen)).find(isNew);
  assert.ok(use, 'a segment is wasteful');
  return { segment: use.segment, kept };
}

async function copyAll(compaction: Compaction, samples: readonly Sample[]): Promise<Sample[]> {
  const copied = samples.map(async (sample) => ({
    ...sample,
    id: await compaction.copy(sample.id),
  }));
  return await Promise.all(copied);
}

async function assertThere(store: BlobStore, samples: readonly Sample[]): Promise<void> {
  for (const { id, bytes, label } of samples) {
    const range = { offsetBytes: 0, lengthBytes: bytes.length };
    assert.deepEqual(await readBytes(store, id, range), bytes);
    assert.equal((await store.describe(id)).label, label);
  }
}

function idsOf(samples: readonly Sample[]): BlobId[] {
  return samples.map(({ id }) => id).sort();
}

function isNotFound(error: unknown): boolean {
  return isStoreError(error, 'BlobNotFound');
}

function isDamageReport(error: unknown): boolean {
  return isStoreError(error, 'BlobCorrupt') || isStoreError(error, 'BlobNotFound');
}
