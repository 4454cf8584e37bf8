import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { isStoreError } from '../errors.ts';
import { createDirectory } from './create-directory.ts';
import { fileError } from './faulty-files.ts';

test('directories are made with those above them, for the owner alone', async (context) => {
  const base = mkdtempSync(join(tmpdir(), 'firn-directory-'));
  context.after(() => rmSync(base, { recursive: true }));
  const path = join(base, 'a/b/c');
  await createDirectory(path);
  await createDirectory(path);
  assert.equal(statSync(join(base, 'a')).mode & 0o777, 0o700);
  assert.ok(statSync(path).isDirectory());
});

test('a directory is made durable, new or not, and so is the way to it', async (context) => {
  const base = mkdtempSync(join(tmpdir(), 'firn-directory-'));
  context.after(() => rmSync(base, { recursive: true }));
  const path = join(base, 'a/b');
  for (let time = 0; time < 2; time += 1) {
    const synced: string[] = [];
    await createDirectory(path, async (each) => void synced.push(each));
    assert.deepEqual(synced.slice(-3), [base, join(base, 'a'), path]);
  }
});

test('a directory that may not be synced is passed over, and not one whose disk fails', async (context) => {
  const base = mkdtempSync(join(tmpdir(), 'firn-directory-'));
  context.after(() => rmSync(base, { recursive: true }));
  const failing = (code: string) => async () => {
    throw fileError(code, 'syncDirectory');
  };
  for (const code of ['EACCES', 'EPERM', 'EINVAL', 'EROFS']) {
    await createDirectory(join(base, 'a'), failing(code));
  }
  await assert.rejects(createDirectory(join(base, 'a'), failing('EIO')), /EIO/);
});

test('a file where a directory should be is named', async (context) => {
  const base = mkdtempSync(join(tmpdir(), 'firn-directory-'));
  context.after(() => rmSync(base, { recursive: true }));
  const path = join(base, 'file');
  writeFileSync(path, '');
  const isNamed = (error: unknown) =>
    isStoreError(error, 'StoreUnavailable') && error.message.startsWith(`${path} is a file`);
  await assert.rejects(createDirectory(path), isNamed);
});

const hasProc = process.platform === 'linux';
const skip = hasProc ? false : 'only Linux has /proc';

test('a file system that makes no directories is refused at once', { skip }, async () => {
  await assert.rejects(createDirectory('/proc/firn/data'), (error) =>
    isStoreError(error, 'StoreUnavailable'),
  );
});
