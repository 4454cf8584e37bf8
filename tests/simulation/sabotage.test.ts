import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chunked, sampleBytes } from '../../src/storage/blob-specimen.ts';
import type { Files, OpenFile } from '../../src/storage/disk/files.ts';
import { blobExploration, onVolume, removeAll, writeAll } from './blob-crashes.ts';
import { type Exploration, explore } from './explore.ts';
import { appendBatches, journalExploration, openJournal } from './journal-crashes.ts';
import { directory, layout, openVolume } from './volume.ts';

/**
 * Each sync of the store is left out in turn, and the exploration must notice: what it does not find
 * wrong is right, and not just unseen.
 */
type Sync = 'sync' | 'syncDirectory';

/** The same files, but for syncs of what begins with `path`: they do nothing, and say that it is done. */
function withoutSync(files: Files, sync: Sync, path: string): Files {
  const isLeftOut = (deed: Sync, at: string) =>
    deed === sync && (deed === 'sync' ? at.startsWith(`${path}/`) : at === path);
  const opened = (file: OpenFile, at: string): OpenFile => ({
    read: (buffer, offset) => file.read(buffer, offset),
    write: (bytes, offset) => file.write(bytes, offset),
    sync: async () => {
      if (!isLeftOut('sync', at)) await file.sync();
    },
    truncate: (size) => file.truncate(size),
    size: () => file.size(),
    close: () => file.close(),
  });
  return {
    create: async (at) => opened(await files.create(at), at),
    open: async (at, access) => opened(await files.open(at, access), at),
    rename: (from, to) => files.rename(from, to),
    unlink: (at) => files.unlink(at),
    list: (at) => files.list(at),
    makeDirectory: (at) => files.makeDirectory(at),
    syncDirectory: async (at) => {
      if (!isLeftOut('syncDirectory', at)) await files.syncDirectory(at);
    },
    room: (at) => files.room(at),
  };
}

/** Leaves out a sync in all that is done, though not in what is done after the crash. */
async function assertNoticed<Note, Seen>(
  { run, observe, judge }: Exploration<Note, Seen>,
  sync: Sync,
  path: string,
): Promise<void> {
  const exploring = explore({
    run: (stage) => run({ ...stage, files: withoutSync(stage.files, sync, path) }),
    ...{ observe, judge },
  });
  await assert.rejects(exploring, /breaks a promise/);
}

describe('a sync that is left out is noticed', () => {
  const small = blobExploration((stage) =>
    onVolume(stage.files, async ({ blobs }) => {
      await writeAll(blobs, ['100-1', '700-2'], stage);
    }),
  );
  const removal = blobExploration(async (stage) => {
    const { blobs } = await openVolume(stage.files);
    const ids = await writeAll(blobs, ['100-1', '700-2'], stage);
    stage.begin();
    const files = withoutSync(stage.files, 'sync', layout.segments);
    await onVolume(files, (volume) => removeAll(volume.blobs, ids.slice(0, 1), stage));
  });
  const large = blobExploration((stage) =>
    onVolume(stage.files, async ({ blobs }) => {
      const ids = await writeAll(blobs, ['270000-1'], stage);
      await removeAll(blobs, ids, stage);
    }),
  );
  const journal = journalExploration(async (stage) => {
    await appendBatches(await openJournal(stage.files), 4, stage);
  });

  for (const [sync, path] of [
    ['sync', layout.segments],
    ['syncDirectory', layout.segments],
    ['syncDirectory', layout.version],
    ['syncDirectory', directory],
    ['syncDirectory', '/'],
  ] as const) {
    test(`by small uploads: ${sync} of ${path}`, () => assertNoticed(small, sync, path));
  }

  test('by removals: sync of segments', async () => {
    await assert.rejects(explore(removal), /breaks a promise/);
  });

  for (const [sync, path] of [
    ['sync', layout.incoming],
    ['syncDirectory', layout.large],
  ] as const) {
    test(`by large uploads: ${sync} of ${path}`, () => assertNoticed(large, sync, path));
  }

  for (const [sync, path] of [
    ['sync', layout.journal],
    ['syncDirectory', layout.journal],
  ] as const) {
    test(`by a journal: ${sync} of ${path}`, () => assertNoticed(journal, sync, path));
  }

  test('by snapshots: syncDirectory of snapshots', async () => {
    const exploration: Exploration<string, string[]> = {
      run: async ({ files, note }) => {
        const { snapshots } = await openVolume(files);
        note((await snapshots.write(chunked(sampleBytes(3000)), 1)).name);
      },
      observe: async (files) => {
        const { snapshots } = await openVolume(files);
        return (await snapshots.list()).map(({ name }) => name);
      },
      judge: (seen, notes) => {
        for (const name of notes) assert.ok(seen.includes(name), 'it is lost');
      },
    };
    await assertNoticed(exploration, 'syncDirectory', layout.snapshots);
  });
});
