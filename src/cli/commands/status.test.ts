import assert from 'node:assert/strict';
import test from 'node:test';
import { damagedArchive, runIn, soundArchive, soundStatus } from '../fake-host.ts';

test('`firn status` shows what the running server says', async () => {
  const { status, out, err, host } = await runIn({ isServerRunning: true }, 'status');
  assert.equal(status, 0);
  assert.equal(err, '');
  assert.equal(
    out,
    `Server      Firn 1.2.3 at http://127.0.0.1:8480, since 2026-01-01T00:00:00.000Z
Store       ready, 3.0 GiB of 4.0 GiB free; abcd, format 2
Master key  00112233aabbccdd
Vaults      2
Archives    1,234, 1.5 KiB
Journal     4.0 KiB, to batch 42; last snapshot: never
Scrub       round 3: 4 of 1,234 archives read to the end, 1.0 KiB of 1.5 KiB read, 32.0 MiB/s; last complete: \
2026-01-02T00:00:00.000Z
Verified    longest ago: 2026-01-03T00:00:00.000Z; never: 1 archive
Damaged     none
Workers     1, none failing
`,
  );
  assert.deepEqual(host.asked, ['server: report']);
  assert.ok(host.isClosed);
});

test('`firn status` without a server opens what is there, and says so', async () => {
  const store = { ...soundStatus.store, condition: null };
  const statusReport = { ...soundStatus, store, url: null, startedAtMs: null, scrub: null };
  const offline = { ...statusReport, workers: [] };
  const { status, out, host } = await runIn({ statusReport: offline }, 'status');
  assert.equal(status, 0);
  assert.match(out, /^Server +no server runs; this is what the data directory holds$/m);
  assert.match(out, /^Store +closed, /m);
  assert.match(out, /^Scrub +stands still$/m);
  assert.match(out, /^Workers +none run$/m);
  assert.deepEqual(host.asked, ['stores: report']);
});

test('`firn status --json` prints the report with dates as texts', async () => {
  const { out } = await runIn({ isServerRunning: true }, 'status', '--json');
  const { startedAt, scrub, store } = JSON.parse(out);
  assert.equal(startedAt, '2026-01-01T00:00:00.000Z');
  assert.equal(scrub.lastCompletedAt, '2026-01-02T00:00:00.000Z');
  assert.deepEqual(store, soundStatus.store);
});

test('`firn status` names damaged archives and failing workers, with status 1', async () => {
  const verification = {
    ...{ unverifiedCount: 0, oldestVerifiedAtMs: null, damagedCount: 2 },
    damaged: [damagedArchive],
  };
  const failure = { state: 'failing', lastError: 'The disk is slow.', lastErrorAtMs: 1 };
  const workers = [{ name: 'scrub-archives', ...failure }];
  const statusReport = { ...soundStatus, verification, workers };
  const { status, out, err } = await runIn({ statusReport }, 'status');
  assert.equal(status, 1);
  assert.match(out, /^Damaged +2$/m);
  assert.match(out, /^000000000001 .* archive-2 +frame 2 is damaged$/m);
  assert.match(out, /^Workers +scrub-archives is failing: The disk is slow\.$/m);
  assert.equal(err, 'firn: 2 archives are damaged.\n');
});

test('`firn status` of a store that has failed ends with status 1', async () => {
  const store = { ...soundStatus.store, condition: 'failed' as const };
  const { status, err } = await runIn({ statusReport: { ...soundStatus, store } }, 'status');
  assert.equal(status, 1);
  assert.match(err, /A write was lost/);
});

test('`firn status --archives` lists archives page by page', async () => {
  const archives = [soundArchive, { ...soundArchive, verifiedAtMs: null }, soundArchive];
  const given = { archives, isServerRunning: true };
  const { status, out, host } = await runIn(given, 'status', '--archives');
  assert.equal(status, 0);
  assert.deepEqual(out.split('\n'), [
    'photos\tarchive-1\t10\t2026-02-01T00:00:00.000Z\tok',
    'photos\tarchive-1\t10\tnever\tok',
    'photos\tarchive-1\t10\t2026-02-01T00:00:00.000Z\tok',
    '',
  ]);
  assert.deepEqual(host.asked, ['server: archives after 0', 'server: archives after 2']);
});

test('`firn status --archives --json` prints a line for each, and status 1 for damage', async () => {
  const archives = [soundArchive, { ...damagedArchive, vaultName: 'films' }];
  const { status, out, err } = await runIn({ archives }, 'status', '--archives', '--json');
  assert.equal(status, 1);
  const lines = out.trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).archiveId),
    ['archive-1', 'archive-2'],
  );
  assert.equal(JSON.parse(err).error.message, 'One archive is damaged.');
  const args = ['status', '--archives', '--vault', 'photos'];
  const photos = await runIn({ archives }, ...args);
  assert.equal(photos.status, 0);
  assert.equal(photos.out.split('\n').length, 2);
});

test('`firn status --vault` without --archives is refused', async () => {
  assert.equal((await runIn({}, 'status', '--vault', 'photos')).status, 2);
});

test('`firn status` of a directory that was never used fails', async () => {
  const { status, err } = await runIn({}, 'status', '--data-dir', '/new');
  assert.equal(status, 1);
  assert.match(err, /There is no Firn data in \/new/);
});
