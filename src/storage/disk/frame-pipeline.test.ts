import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { frameSizeBytes } from '../blob-store.ts';
import { SealingKey } from './data-key.ts';
import type { OpenFile } from './files.ts';
import { inlineFrameCiphers } from './frame-ciphers.ts';
import { FramePipeline, FramePool } from './frame-pipeline.ts';
import { Room } from './room.ts';
import { SimulatedFiles } from './simulated-files.ts';
import { WriteGate } from './write-gate.ts';

test('nothing uses the file any more once all is written, not even an early sync', async () => {
  let underWay = 0;
  const file: OpenFile = {
    read: async () => 0,
    write: async () => {},
    truncate: async () => {},
    size: async () => 0,
    close: async () => {},
    sync: async () => {
      underWay += 1;
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
    },
  };
  const files = new SimulatedFiles('/');
  const parts = {
    gate: new WriteGate(silentLog),
    pool: new FramePool(),
    room: new Room('/', { files, clock: new SimulatedClock() }),
    ciphers: inlineFrameCiphers,
  };
  const key = new SealingKey(new Uint8Array(32));
  const pipeline = new FramePipeline({ file, key }, parts, () => {});
  // The last of so many has the disk set to work.
  for (let count = 0; count < 32; count += 1) await pipeline.add(new Uint8Array(frameSizeBytes));
  await pipeline.end();
  assert.equal(underWay, 0);
});
