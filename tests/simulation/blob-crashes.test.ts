import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { BlobId } from '../../src/storage/blob-store.ts';
import { blobExploration, onVolume, removeAll, uploadAndAbort, writeAll } from './blob-crashes.ts';
import type { BlobKey, BlobNote } from './blob-history.ts';
import { assertExplored, type Effort, type Explored, explore, type Stage } from './explore.ts';
import { openVolume } from './volume.ts';

type BlobStage = Stage<BlobNote>;

/** Explores a workload, prints how much that was, and fails when it was less than before. */
async function tryAll(
  context: TestContext,
  work: (stage: BlobStage) => Promise<void>,
  floor: Partial<Explored>,
  change: Partial<Effort> = {},
): Promise<void> {
  const explored = await explore(blobExploration(work), change);
  context.diagnostic(assertExplored(explored, floor));
}

describe('blobs, after a crash at any moment', () => {
  test('of the first opening of a store', async (context) => {
    const work = async ({ files }: BlobStage) => {
      await openVolume(files);
    };
    await tryAll(context, work, { crashPoints: 10, states: 30, verdicts: 30, secondStates: 18 });
  });

  test('of small uploads, alone and together', async (context) => {
    const work = (stage: BlobStage) =>
      onVolume(stage.files, async ({ blobs }) => {
        stage.begin();
        await writeAll(blobs, ['100-1'], stage);
        await writeAll(blobs, ['0-2', '700-3', '1500-4'], stage);
      });
    await tryAll(context, work, { crashPoints: 18, states: 85, verdicts: 90, secondStates: 60 });
  });

  test('of small uploads that go on after a restart', async (context) => {
    const work = async (stage: BlobStage) => {
      await onVolume(stage.files, async ({ blobs }) => {
        await writeAll(blobs, ['100-1'], stage);
      });
      stage.begin();
      await onVolume(stage.files, async ({ blobs }) => {
        await writeAll(blobs, ['200-2', '600-3'], stage);
      });
    };
    await tryAll(context, work, { crashPoints: 14, states: 85, verdicts: 90, secondStates: 140 });
  });

  test('of uploads that fill a segment and begin the next', async (context) => {
    const work = (stage: BlobStage) =>
      onVolume(stage.files, async ({ blobs }) => {
        await writeAll(blobs, ['5000-1'], stage);
        stage.begin();
        await writeAll(blobs, ['5000-2'], stage);
        const [id] = await writeAll(blobs, ['5000-3'], stage);
        assert.match(id ?? '', /^s\.2\./, 'a second segment was begun');
      });
    await tryAll(context, work, { crashPoints: 12, states: 95, verdicts: 100, secondStates: 110 });
  });

  test('of a large upload', async (context) => {
    const work = (stage: BlobStage) =>
      onVolume(stage.files, async ({ blobs }) => {
        stage.begin();
        await writeAll(blobs, ['262145-1'], stage);
      });
    await tryAll(context, work, { crashPoints: 10, states: 90, verdicts: 90, secondStates: 40 });
  });

  test('of an upload of several frames beside a small one', async (context) => {
    const work = (stage: BlobStage) =>
      onVolume(stage.files, async ({ blobs }) => {
        stage.begin();
        await writeAll(blobs, ['1100000-1', '50-2'], stage);
      });
    await tryAll(
      context,
      work,
      { crashPoints: 18, states: 250, verdicts: 260, secondStates: 110 },
      { killStride: 9 },
    );
  });

  test('of a large upload that is aborted', async (context) => {
    const work = (stage: BlobStage) =>
      onVolume(stage.files, async ({ blobs }) => {
        stage.begin();
        await uploadAndAbort(blobs, '1100000-1', stage);
        await uploadAndAbort(blobs, '2000-2', stage);
        await writeAll(blobs, ['50-3'], stage);
      });
    await tryAll(context, work, { crashPoints: 12, states: 130, verdicts: 160, secondStates: 100 });
  });

  test('of a removal of small blobs, one by one and together', async (context) => {
    const work = (stage: BlobStage) =>
      onVolume(stage.files, async ({ blobs }) => {
        const ids = await writeAll(blobs, ['100-1', '200-2', '300-3', '400-4'], stage);
        stage.begin();
        await removeAll(blobs, ids.slice(0, 1), stage);
        await removeAll(blobs, ids.slice(1, 3), stage);
      });
    await tryAll(context, work, { crashPoints: 12, states: 4, verdicts: 9, secondStates: 25 });
  });

  test('of a removal of the last blobs of a segment, which goes with them', async (context) => {
    const work = async (stage: BlobStage) => {
      let ids: BlobId[] = [];
      await onVolume(stage.files, async ({ blobs }) => {
        ids = await writeAll(blobs, ['100-1', '200-2', '262145-3'], stage);
      });
      stage.begin();
      await onVolume(stage.files, async ({ blobs }) => {
        await writeAll(blobs, ['300-4'], stage);
        await removeAll(blobs, ids, stage);
      });
    };
    await tryAll(context, work, { crashPoints: 24, states: 90, verdicts: 100, secondStates: 110 });
  });

  test('of a compaction', async (context) => {
    const keys: BlobKey[] = ['2000-1', '2000-2', '900-3', '2000-4', '2000-5'];
    const work = async (stage: BlobStage) => {
      await onVolume(stage.files, async ({ blobs }) => {
        const ids = await writeAll(blobs, keys, stage);
        await removeAll(
          blobs,
          ids.filter((_, index) => index !== 1 && index !== 2),
          stage,
        );
      });
      stage.begin();
      await onVolume(stage.files, async ({ blobs }) => {
        const [use] = await blobs.wasteful();
        assert.ok(use, 'there is something to compact');
        const old = (await blobs.blobsIn(use.segment)).map(({ id }) => id);
        for (const id of old) {
          const key = (await blobs.describe(id)).label as BlobKey;
          stage.note({ deed: 'writing', key });
          stage.note({ deed: 'written', key, id: await blobs.copy(id) });
        }
        // The rows are repointed here: from now on nobody needs the old ones.
        stage.note({ deed: 'removing', ids: old });
        await blobs.retire(use.segment, old);
        stage.note({ deed: 'removed', ids: old });
        await writeAll(blobs, ['100-6'], stage);
      });
    };
    await tryAll(context, work, { crashPoints: 22, states: 95, verdicts: 100, secondStates: 80 });
  });
});
