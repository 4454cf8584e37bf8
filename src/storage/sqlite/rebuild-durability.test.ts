import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { rebuildDatabase } from './rebuild.ts';
import { inHouse } from './recovery-specimen.ts';

// Windows syncs no directories: NTFS journals what happens in them.
const skip = process.platform === 'win32';

test('a database made again is durable before it takes its place, and marked meanwhile', {
  skip,
}, async (context) => {
  await inHouse(async (house) => {
    await house.fill('snapshot');
    await writeFile(house.path, 'no database');
    const old = statSync(house.path).ino;
    const syncs = await watchSyncs(context, house.directory, old);
    await rebuildDatabase({ ...house, loss: 'refuse' });
    assert.deepEqual(syncs, [
      { what: 'firn.db.rebuilt', isMarked: false, place: 'old' },
      { what: '.', isMarked: true, place: 'old' },
      { what: '.', isMarked: true, place: 'new' },
      { what: '.', isMarked: false, place: 'new' },
    ]);
  });
});

/** One sync, and how things stood when it was asked for. */
interface SeenSync {
  /** The name of what was synced: `.` for the directory itself. */
  readonly what: string;
  readonly isMarked: boolean;
  /** Which database is in its place. */
  readonly place: 'old' | 'new' | 'none';
}

/** Fills the answer with each sync of a file in the directory, and of the directory, from now on. */
async function watchSyncs(
  { mock }: TestContext,
  directory: string,
  oldInode: number,
): Promise<readonly SeenSync[]> {
  const seen: SeenSync[] = [];
  await using handle = await open(directory, 'r');
  const handles: FileHandle = Object.getPrototypeOf(handle);
  const { sync } = handles;
  mock.method(handles, 'sync', async function (this: FileHandle) {
    const { ino } = await this.stat();
    const names = readdirSync(directory);
    const inodeOf = (name: string) => statSync(join(directory, name)).ino;
    const isThere = names.includes('firn.db');
    seen.push({
      what: ['.', ...names].find((name) => inodeOf(name) === ino) ?? 'something else',
      isMarked: names.includes('firn.db.damaged'),
      place: !isThere ? 'none' : inodeOf('firn.db') === oldInode ? 'old' : 'new',
    });
    await sync.call(this);
  });
  return seen;
}
