import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isStoreError } from '../errors.ts';
import { holdDirectories } from './directory-hold.ts';

test('each of the directories is held, and let go of', async () => {
  await inDirectories((one, two) => {
    {
      using _hold = holdDirectories([one, two]);
      for (const each of [one, two]) {
        assert.throws(() => holdDirectories([each]), isHeldBy(process.pid, each));
      }
    }
    using _hold = holdDirectories([two]);
  });
});

test('a hold that fails for one directory lets go of the others', async () => {
  await inDirectories((one, two) => {
    using _hold = holdDirectories([two]);
    assert.throws(() => holdDirectories([one, two]), isHeldBy(process.pid, two));
    using _other = holdDirectories([one]);
  });
});

test('a directory that is named twice, by a link too, is held once', async () => {
  await inDirectories(async (one) => {
    const link = `${one}-link`;
    await symlink(one, link);
    using _hold = holdDirectories([one, link, one]);
    assert.throws(() => holdDirectories([link]), isHeldBy(process.pid, link));
  });
});

test('a hold writes nothing but the number of its process, and needs not even that', async () => {
  await inDirectories(async (one, two) => {
    await mkdir(join(two, 'server.pid'));
    using _hold = holdDirectories([one, two]);
    for (const each of [one, two]) {
      assert.deepEqual((await readdir(each)).sort(), ['server.lock', 'server.pid']);
    }
    assert.throws(() => holdDirectories([two]), isUnavailable);
  });
});

test('a directory that cannot be locked is named', async () => {
  await inDirectories(async (one) => {
    await mkdir(join(one, 'server.lock'));
    assert.throws(
      () => holdDirectories([one]),
      (error) => isUnavailable(error) && error.message.includes(one),
    );
  });
});

function isHeldBy(pid: number, directory: string): (error: unknown) => boolean {
  return (error) =>
    isUnavailable(error) && error.message.includes(`runs on ${directory} (process ${pid})`);
}

function isUnavailable(error: unknown): error is Error {
  return isStoreError(error, 'StoreUnavailable');
}

async function inDirectories(
  work: (one: string, two: string) => Promise<void> | void,
): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), 'firn-hold-'));
  try {
    const [one, two] = [join(parent, 'one'), join(parent, 'two')];
    for (const each of [one, two]) await mkdir(each);
    await work(one, two);
  } finally {
    await rm(parent, { recursive: true });
  }
}
