import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../lib/log.ts';
import { isStoreError } from '../errors.ts';
import { fileError } from './faulty-files.ts';
import { nodeFiles } from './node-files.ts';
import { WriteGate } from './write-gate.ts';

const isUnavailable = (error: unknown) => isStoreError(error, 'StoreUnavailable');

test('2. after a sync that failed nothing is written', async () => {
  const gate = new WriteGate(silentLog);
  assert.equal(gate.hasFailed, false);
  await assert.rejects(gate.sync(failing(fileError('EIO', 'sync'))), isUnavailable);
  assert.equal(gate.hasFailed, true);
  assert.throws(() => gate.checkOpen(), isUnavailable);
  await assert.rejects(
    gate.sync(async () => {}),
    isUnavailable,
  );
});

test('2. nor when the failure cannot be logged', async () => {
  const log = {
    ...silentLog,
    error: () => {
      throw new Error('no log');
    },
  };
  const gate = new WriteGate(log);
  await assert.rejects(gate.sync(failing(fileError('EIO', 'sync'))));
  assert.throws(() => gate.checkOpen(), isUnavailable);
});

test('a sync that could not begin, for want of a descriptor, closes nothing', async () => {
  const gate = new WriteGate(silentLog);
  await assert.rejects(gate.sync(failing(fileError('EMFILE', 'open'))), { code: 'EMFILE' });
  assert.equal(gate.hasFailed, false);
  gate.checkOpen();
});

test('a real directory that does not open says that it is the opening', async () => {
  const gate = new WriteGate(silentLog);
  const missing = `${import.meta.dirname}/missing`;
  await assert.rejects(
    gate.sync(() => nodeFiles.syncDirectory(missing)),
    { code: 'ENOENT' },
  );
  gate.checkOpen();
});

function failing(error: Error): () => Promise<void> {
  return () => Promise.reject(error);
}
