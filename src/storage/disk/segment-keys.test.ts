import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { silentLog } from '../../lib/log.ts';
import type { OpenFile } from './files.ts';
import { Layout } from './files.ts';
import { HeaderReader } from './header-reader.ts';
import { MasterKeys } from './master-keys.ts';
import { SegmentKeys, segmentKeysMax } from './segment-keys.ts';
import { SimulatedFiles } from './simulated-files.ts';
import { WriteGate } from './write-gate.ts';

test('as many keys are kept as there is room for, those used last', async () => {
  const keys = newKeys();
  const file = await emptyFile();
  for (let segment = 1; segment <= segmentKeysMax; segment++) keys.put(segment, keyOf(segment));
  // The first is used again, so that the second is the one used longest ago.
  assert.deepEqual(await keys.of(1, file), keyOf(1));
  keys.put(segmentKeysMax + 1, keyOf(segmentKeysMax + 1));
  assert.deepEqual(await keys.of(1, file), keyOf(1));
  assert.equal(await keys.of(2, file), 'the file ends within a header');
  assert.deepEqual(await keys.of(3, file), keyOf(3));
});

test('that there is none is not remembered: the file may be repaired', async () => {
  const keys = newKeys();
  const file = await emptyFile();
  assert.equal(typeof (await keys.of(1, file)), 'string');
  keys.put(1, keyOf(1));
  assert.deepEqual(await keys.of(1, file), keyOf(1));
});

function newKeys(): SegmentKeys {
  return new SegmentKeys({
    layout: new Layout('/store'),
    storeId: '0'.repeat(32),
    masterKeys: new MasterKeys([new Uint8Array(32)]),
    headers: new HeaderReader({
      files: new SimulatedFiles('/'),
      gate: new WriteGate(silentLog),
      log: silentLog,
    }),
  });
}

function keyOf(segment: number) {
  return createSecretKey(new Uint8Array(32).fill(segment % 256));
}

function emptyFile(): Promise<OpenFile> {
  return new SimulatedFiles('/').create('/file');
}
