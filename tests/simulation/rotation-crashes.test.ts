import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLog } from '../../src/lib/log.ts';
import { chunked, sampleBytes } from '../../src/storage/blob-specimen.ts';
import type { Files } from '../../src/storage/disk/files.ts';
import { growingContentOffset } from '../../src/storage/disk/header-copies.ts';
import {
  type Permissions,
  readMasterKeyFile,
  writeMasterKeyFile,
} from '../../src/storage/disk/master-key-file.ts';
import { MasterKeys } from '../../src/storage/disk/master-keys.ts';
import { rotateMasterKey } from '../../src/storage/disk/rotate-master-key.ts';
import { seededRandomBytes } from '../support/seeded-random.ts';
import { lookAtAll, writeAll } from './blob-crashes.ts';
import type { BlobKey } from './blob-history.ts';
import { assertExplored, type Exploration, explore } from './explore.ts';
import { appendBatches, readJournal } from './journal-crashes.ts';
import { firstKey, layout, type OpenVolume, openVolume } from './volume.ts';

const path = '/keys/master.key';
const permissions: Permissions = { restrict: async () => {}, isExposed: async () => false };
const keys: BlobKey[] = ['100-1', '5000-2', '262145-3'];

async function openWithKeyFile(files: Files): Promise<OpenVolume> {
  const found = await readMasterKeyFile({ path, files, permissions });
  assert.ok(found, 'the master key file is there');
  return await openVolume(files, { masterKeys: new MasterKeys(found.keys) });
}

let rotations = 0;

async function rotate(files: Files): Promise<void> {
  rotations += 1;
  const randomBytes = seededRandomBytes(`rotation ${rotations}`);
  const report = await rotateMasterKey({
    ...{ layout, files, path, permissions, randomBytes, log: silentLog },
  });
  assert.equal(report.failedCount, 0);
}

async function spoil(files: Files, damagedPath: string, offset: number): Promise<void> {
  const file = await files.open(damagedPath, 'read and write');
  await file.write(Buffer.alloc(100, 'damaged'), offset);
  await file.sync();
  await file.close();
}

/** Everything is there, whatever happened: nothing that was kept depends on a rotation's end. */
async function assertAllThere(files: Files): Promise<void> {
  const { blobs, journal, snapshots, ...volume } = await openWithKeyFile(files);
  const seen = await lookAtAll(blobs);
  assert.deepEqual(
    [...seen.listed.values()],
    [{ key: keys[2] }, { key: keys[0] }, { key: keys[1] }],
  );
  const { sequences, damages } = await readJournal(journal);
  assert.deepEqual([sequences, damages], [[1, 2], []]);
  const [snapshot] = await snapshots.list();
  const chunks = await Array.fromAsync(snapshots.read(snapshot?.name ?? ''), (chunk) =>
    Buffer.from(chunk),
  );
  assert.ok(Buffer.concat(chunks).equals(sampleBytes(30_000)));
  await volume[Symbol.asyncDispose]();
}

const exploration: Exploration<never, undefined> = {
  run: async (stage) => {
    const { files } = stage;
    await files.makeDirectory('/keys');
    await files.syncDirectory('/');
    await writeMasterKeyFile({ path, files, permissions }, [firstKey]);
    const { blobs, journal, snapshots, ...volume } = await openWithKeyFile(files);
    const noting = { note: () => undefined };
    await writeAll(blobs, keys, noting);
    await appendBatches(journal, 2, noting);
    await snapshots.write(chunked(sampleBytes(30_000)), 2);
    await volume[Symbol.asyncDispose]();
    // Of these files one copy of the header is all that there is.
    await spoil(files, layout.segment(1), 0);
    await spoil(files, layout.journalFile(1), growingContentOffset - 4096);
    stage.begin();
    await rotate(files);
  },
  observe: async (files) => {
    await assertAllThere(files);
    await rotate(files);
    await assertAllThere(files);
    return undefined;
  },
  // All is judged where it is looked at: whatever was noted, all must be there.
  judge: () => undefined,
  resume: ({ files }) => rotate(files),
};

/** Each look at a state opens and rotates everything twice. */
const rarely = { killStride: 6, secondStride: 8, resumeStride: 80 };
const floor = { crashPoints: 20, states: 150, verdicts: 150, secondStates: 60 };

describe('the rotation of the master key, after a crash at any moment', () => {
  test('leaves everything readable, and can be done to its end', async (context) => {
    context.diagnostic(assertExplored(await explore(exploration, rarely), floor));
  });
});
