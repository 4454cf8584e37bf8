import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SimulatedFiles } from '../../src/storage/disk/simulated-files.ts';
import { photos } from '../support/domain.ts';
import { mebibyte } from '../support/tree-hash-reference.ts';
import { openStore } from './archive-crashes.ts';
import { assertExplored, type Exploration, explore, type Stage } from './explore.ts';
import {
  abortUpload,
  completeUpload,
  initiateUpload,
  judgeUploads,
  lookAtUploads,
  type PartKey,
  putPart,
  type SeenUploads,
  type UploadNote,
} from './upload-crashes.ts';

const none: SeenUploads = { uploads: new Map(), archives: new Map() };
const full: PartKey = `${mebibyte}-1`;

async function withVault({ files, note }: Pick<Stage<UploadNote>, 'files' | 'note'>) {
  const store = await openStore(files);
  await store.vaults.create(photos);
  note({ created: 'vault' });
  return store;
}

/** Uploads a part into a file of its own and one into a segment, that one twice; makes an archive. */
async function complete({ begin, ...stage }: Stage<UploadNote>): Promise<void> {
  const store = await withVault(stage);
  begin();
  const uploadId = await initiateUpload(store, stage);
  await Promise.all([
    putPart(store, { uploadId, index: 0, key: full }, stage),
    putPart(store, { uploadId, index: 1, key: '70-2' }, stage),
  ]);
  await putPart(store, { uploadId, index: 1, key: '90-3' }, stage);
  const archiveId = await completeUpload(store, { uploadId, keys: [full, '90-3'] }, stage);
  stage.note({ removing: archiveId });
  await store.archives.remove(photos, archiveId);
  stage.note({ removed: archiveId });
}

/** Uploads parts of two uploads, puts one again, and aborts that; the other becomes an archive. */
async function abort({ begin, ...stage }: Stage<UploadNote>): Promise<void> {
  const store = await withVault(stage);
  begin();
  const uploadId = await initiateUpload(store, stage);
  const other = await initiateUpload(store, stage);
  await Promise.all([
    putPart(store, { uploadId, index: 0, key: '300000-4' }, stage),
    putPart(store, { uploadId, index: 3, key: '50-5' }, stage),
    putPart(store, { uploadId: other, index: 0, key: '60-6' }, stage),
  ]);
  await putPart(store, { uploadId, index: 0, key: '40-7' }, stage);
  await Promise.all([
    abortUpload(store, uploadId, stage),
    completeUpload(store, { uploadId: other, keys: ['60-6'] }, stage),
  ]);
}

/** Looks at all that is there, and uploads, completes and removes one more. */
async function observe(files: SimulatedFiles): Promise<SeenUploads | undefined> {
  await using store = await openStore(files);
  const seen = await lookAtUploads(store);
  await store.vaults.create(photos);
  const noting = { note: () => undefined };
  const uploadId = await initiateUpload(store, noting);
  await putPart(store, { uploadId, index: 0, key: '600-9' }, noting);
  const archiveId = await completeUpload(store, { uploadId, keys: ['600-9'] }, noting);
  assert.equal((await lookAtUploads(store))?.archives.get(archiveId), '600-9');
  await store.archives.remove(photos, archiveId);
  assert.deepEqual(await lookAtUploads(store), seen ?? none);
  return seen;
}

/** Notes what is there, which whoever lists it has seen and may count on, and puts one more part. */
async function resume({ files, note }: Stage<UploadNote>): Promise<void> {
  const store = await withVault({ files, note });
  const { uploads, archives } = (await lookAtUploads(store)) ?? none;
  for (const [seen, keys] of archives) note({ seen, keys });
  for (const [uploadId, keys] of uploads) {
    note({ initiated: uploadId });
    for (const [index, key] of keys.entries()) {
      if (key !== undefined) note({ put: key, uploadId, index });
    }
    await putPart(store, { uploadId, index: 1, key: '80-8' }, { note });
  }
}

/** Each look at a state opens everything, and makes all rows again. */
const rarely = { killStride: 32, secondStride: 16, resumeStride: 160 };

const explorationOf = (
  run: (stage: Stage<UploadNote>) => Promise<void>,
): Exploration<UploadNote, SeenUploads | undefined> => ({
  run,
  observe,
  judge: judgeUploads,
  resume,
});

describe('uploads in parts, after a crash at any moment', () => {
  test('one that is completed', async (context) => {
    const floor = { crashPoints: 40, states: 270, verdicts: 290, secondStates: 20 };
    context.diagnostic(assertExplored(await explore(explorationOf(complete), rarely), floor));
  });

  test('one that is aborted beside another', async (context) => {
    const floor = { crashPoints: 42, states: 270, verdicts: 290, secondStates: 20 };
    context.diagnostic(assertExplored(await explore(explorationOf(abort), rarely), floor));
  });
});
