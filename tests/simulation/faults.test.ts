import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { SimulatedClock } from '../../src/lib/clock.ts';
import { isStoreError } from '../../src/storage/errors.ts';
import { blobExploration, removeAll, writeAll } from './blob-crashes.ts';
import type { BlobNote } from './blob-history.ts';
import { type Exploration, isThorough, type Stage } from './explore.ts';
import { injectFaults } from './faults.ts';
import { appendBatches, journalExploration, openJournal } from './journal-crashes.ts';
import { type OpenVolume, openVolume } from './volume.ts';

/** Injects every fault, prints how many that were, and fails when they were fewer than before. */
async function tryAll<Note, Seen>(
  context: TestContext,
  exploration: Exploration<Note, Seen>,
  floor: number,
): Promise<void> {
  const { deeds, faults, states } = await injectFaults(exploration, { isThorough: isThorough() });
  context.diagnostic(`${deeds} deeds, ${faults} faults, ${states} states of the disk`);
  assert.ok(faults >= floor, `${faults} faults were tried, and they were ${floor} at least`);
}

/** Work on an open volume, after which it must work again unless a sync has failed. */
function onFailingDisk(
  work: (volume: OpenVolume, stage: Stage<BlobNote>) => Promise<void>,
): Exploration<BlobNote, unknown> {
  return blobExploration(async (stage) => {
    const clock = new SimulatedClock();
    const volume = await openVolume(stage.files, { clock });
    stage.begin();
    await work(volume, stage);
    const isSound = stage.calm?.() ?? true;
    // That the disk was full is believed for a second.
    clock.advance(2000);
    if (isSound) {
      await writeAll(volume.blobs, ['77-90', '270000-91'], { note: stage.note });
    } else {
      assert.equal(volume.blobs.condition, 'failed');
      const writing = writeAll(volume.blobs, ['77-92'], { note: stage.note });
      await assert.rejects(writing, (error) => isStoreError(error, 'StoreUnavailable'));
    }
    await volume[Symbol.asyncDispose]();
  });
}

describe('a disk that fails, or is full, at any moment', () => {
  test('of small uploads and removals', async (context) => {
    const exploration = onFailingDisk(async ({ blobs }, stage) => {
      const ids = await writeAll(blobs, ['100-1', '700-2'], stage);
      await removeAll(blobs, ids.slice(0, 1), stage);
      await writeAll(blobs, ['3000-3'], stage);
    });
    await tryAll(context, exploration, 125);
  });

  test('of a large upload and its removal', async (context) => {
    const exploration = onFailingDisk(async ({ blobs }, stage) => {
      const ids = await writeAll(blobs, ['270000-1', '270000-2'], stage);
      await removeAll(blobs, ids.slice(0, 1), stage);
    });
    await tryAll(context, exploration, 150);
  });

  test('of a compaction', async (context) => {
    const exploration = blobExploration(async (stage) => {
      const before = await openVolume(stage.files);
      const ids = await writeAll(before.blobs, ['2000-1', '2000-2', '900-3'], stage);
      await removeAll(before.blobs, ids.slice(0, 2), stage);
      await before[Symbol.asyncDispose]();
      const { blobs, ...volume } = await openVolume(stage.files);
      stage.begin();
      const attempt = stage.attempt ?? (async (work) => await work);
      for (const { segment } of (await attempt(blobs.wasteful())) ?? []) {
        const old = (await attempt(blobs.blobsIn(segment))) ?? [];
        for (const { id } of old) {
          stage.note({ deed: 'writing', key: '900-3' });
          const copy = await attempt(blobs.copy(id));
          if (copy === undefined) continue;
          stage.note({ deed: 'written', key: '900-3', id: copy });
          stage.note({ deed: 'removing', ids: [id] });
          const retiring = blobs.retire(segment, [id]).then(() => true);
          if (await attempt(retiring)) stage.note({ deed: 'removed', ids: [id] });
        }
      }
      await volume[Symbol.asyncDispose]();
    });
    await tryAll(context, exploration, 210);
  });

  test('of appending to a journal and forgetting', async (context) => {
    const exploration = journalExploration(async (stage) => {
      const journal = await openJournal(stage.files);
      stage.begin();
      await appendBatches(journal, 5, stage);
      stage.note({ forgetting: 3 });
      await stage.attempt?.(journal.forget(3));
      await appendBatches(journal, 1, stage);
      if (stage.calm?.() ?? true) await appendBatches(journal, 1, { note: stage.note });
      await journal[Symbol.asyncDispose]();
    });
    await tryAll(context, exploration, 140);
  });
});
