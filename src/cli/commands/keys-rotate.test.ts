import assert from 'node:assert/strict';
import test from 'node:test';
import { runIn } from '../fake-host.ts';

const rotated = {
  ...{ keyId: 'aabb', rewrapped: 12, skipped: 1, failed: [], removedKeyIds: ['0011'] },
};

test('`firn keys rotate` says what it did, and asks for a backup of the key', async () => {
  const { status, out } = await runIn({ rotationReport: rotated }, 'keys', 'rotate');
  assert.equal(status, 0);
  assert.equal(
    out,
    `Master key      aabb
Wrapped anew    12 files
Had it already  1 file
Keys removed    0011

Back up /srv/firn-data/master.key now, away from the data: without it nothing can be read.
`,
  );
});

test('`firn keys rotate --json` prints the report and the file to back up', async () => {
  const args = ['keys', 'rotate', '--json', '--master-key-file', '/keys/firn'];
  const { status, out } = await runIn({ rotationReport: rotated }, ...args);
  assert.equal(status, 0);
  assert.deepEqual(JSON.parse(out), { ...rotated, masterKeyFile: '/keys/firn' });
});

test('`firn keys rotate` that left a file out ends with status 1 and names it', async () => {
  const failed = [{ path: '/srv/large/7', reason: 'both headers are damaged' }];
  const rotationReport = { ...rotated, failed, removedKeyIds: [] };
  const { status, out, err } = await runIn({ rotationReport }, 'keys', 'rotate');
  assert.equal(status, 1);
  assert.match(out, /^\/srv\/large\/7: both headers are damaged$/m);
  assert.match(err, /1 file could not be put under the new key, so the old one is kept/);
});
