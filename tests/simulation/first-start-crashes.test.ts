import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLog } from '../../src/lib/log.ts';
import { isEmptyVolume } from '../../src/storage/disk/disk-volume.ts';
import type { Files } from '../../src/storage/disk/files.ts';
import { loadMasterKeys, type Permissions } from '../../src/storage/disk/master-key-file.ts';
import { readStoreId, writeStoreId } from '../../src/storage/disk/store-id.ts';
import { seededRandomBytes } from '../support/seeded-random.ts';
import { lookAtAll, writeAll } from './blob-crashes.ts';
import { BlobExpectation, type BlobNote, type SeenBlobs } from './blob-history.ts';
import { assertExplored, type Exploration, explore } from './explore.ts';
import { directory, type OpenVolume, openVolume } from './volume.ts';

const path = '/keys/master.key';
const permissions: Permissions = { restrict: async () => {}, isExposed: async () => false };

let starts = 0;

/** Starts as a server does: with an id and a master key that are made when there are none. */
async function start(files: Files): Promise<OpenVolume> {
  starts += 1;
  const randomBytes = seededRandomBytes(`start ${starts}`);
  for (const each of ['/keys', directory]) await files.makeDirectory(each);
  await files.syncDirectory('/');
  const mayCreate = await isEmptyVolume(directory, files);
  let storeId = await readStoreId(directory, files);
  if (storeId === undefined) {
    assert.ok(mayCreate, 'what is stored belongs to a store');
    storeId = Buffer.from(randomBytes(16)).toString('hex');
    await writeStoreId(directory, storeId, files);
  }
  const options = { path, files, permissions, isGenerated: true, randomBytes, log: silentLog };
  const masterKeys = await loadMasterKeys({ ...options, mayCreate });
  return await openVolume(files, { masterKeys, storeId });
}

const exploration: Exploration<BlobNote, SeenBlobs> = {
  run: async ({ files, note }) => {
    const { blobs } = await start(files);
    await writeAll(blobs, ['200-1'], { note });
  },
  observe: async (files) => {
    const volume = await start(files);
    const seen = await lookAtAll(volume.blobs);
    await writeAll(volume.blobs, ['300-2'], { note: () => undefined });
    await volume[Symbol.asyncDispose]();
    const again = await start(files);
    assert.equal((await lookAtAll(again.blobs)).listed.size, seen.listed.size + 1);
    return seen;
  },
  judge: (seen, notes) => new BlobExpectation(notes).judge(seen),
  resume: async ({ files, note }) => {
    const { blobs } = await start(files);
    await writeAll(blobs, ['400-3'], { note });
  },
};

describe('the first start of a server, after a crash at any moment', () => {
  test('ends in a store with one id, one key, and all that was acknowledged', async (context) => {
    const floor = { crashPoints: 30, states: 150, verdicts: 150, secondStates: 300 };
    const explored = await explore(exploration, { killStride: 2 });
    context.diagnostic(assertExplored(explored, floor));
  });
});
