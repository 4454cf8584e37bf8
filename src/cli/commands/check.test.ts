import assert from 'node:assert/strict';
import test from 'node:test';
import { damagedArchive, runIn } from '../fake-host.ts';
import type { CheckEvent, CheckReport } from '../reports.ts';

const sound: CheckReport = {
  ...{ archivesChecked: 3, outputsChecked: 1, partsChecked: 0, bytesRead: 2048 },
  ...{ damagedCount: 0, damaged: [], orphans: { count: 0, sizeBytes: 0 } },
  ...{ problems: [], notes: [], durationMs: 61_000 },
  recovery: { snapshotCount: 2, batchCount: 1, problems: [] },
  isSound: true,
};

const damage = 'frame 2 is damaged';
const unsound: CheckReport = {
  ...sound,
  damagedCount: 2,
  damaged: [
    { ...damagedArchive, damage },
    { ...damagedArchive, accountId: null, region: null, vaultName: null, damage },
  ],
  problems: ['A vault counts wrong.'],
  recovery: { snapshotCount: 2, batchCount: 1, problems: ['The journal has a gap.'] },
  isSound: false,
};

test('`firn check` says what it read, with status 0 when all is sound', async () => {
  const { status, out, err } = await runIn({ checkReport: sound }, 'check');
  assert.equal(status, 0);
  assert.equal(
    out,
    `Read      3 archives, 1 output of jobs, 2.0 KiB
Recovery  2 snapshots, 1 batch
Orphans   0 blobs, 0 B
Took      1 min 1 s
Damaged   none
`,
  );
  assert.equal(err, '');
  const withParts = await runIn({ checkReport: { ...sound, partsChecked: 5 } }, 'check');
  assert.match(withParts.out, /1 output of jobs, 5 parts of open uploads, 2\.0 KiB\n/);
});

test('`firn check` names each damaged archive and problem, with status 1', async () => {
  const { status, out, err } = await runIn({ checkReport: unsound }, 'check');
  assert.equal(status, 1);
  assert.match(out, /^000000000001 +us-east-1 +photos +archive-2 +frame 2 is damaged$/m);
  assert.match(out, /^- +- +\(deleted\) +archive-2 +frame 2 is damaged$/m);
  assert.match(out, /^A vault counts wrong\.\nThe journal has a gap\.$/m);
  assert.equal(err, 'firn: Not all is sound: 2 of 3 archives damaged, 2 other problems found.\n');
});

test('`firn check --json` prints the report, and the verdict as an error', async () => {
  const { status, out, err } = await runIn({ checkReport: unsound }, 'check', '--json');
  assert.equal(status, 1);
  const { isSound, damaged } = JSON.parse(out);
  assert.equal(isSound, false);
  assert.equal(damaged[0].createdAt, '1970-01-01T00:00:01.000Z');
  assert.match(JSON.parse(err).error.message, /^Not all is sound/);
});

test('`firn check` tells how far it has come', async () => {
  const checkEvents: CheckEvent[] = [
    { kind: 'phase', phase: 'archives' },
    { kind: 'problem' },
    ...[0, 512, 1024].map((bytesRead) => ({
      ...{ kind: 'progress' as const, archivesChecked: 1, archivesTotal: 3 },
      ...{ bytesRead, bytesTotal: 2048 },
    })),
    { kind: 'phase', phase: 'orphans' },
  ];
  const given = { checkReport: sound, checkEvents };
  const { err } = await runIn(given, 'check');
  assert.equal(
    err,
    '0 %: 1 of 3 archives, 0 B of 2.0 KiB\n50 %: 1 of 3 archives, 1.0 KiB of 2.0 KiB\n',
  );
  const watched = await runIn({ ...given, isTerminal: true }, 'check');
  assert.ok(watched.err.startsWith('\r\x1b[Kreading archives\r\x1b[K0 %'));
  assert.ok(watched.err.endsWith('looking for blobs that no row names\r\x1b[K'));
});

test('`firn check` of a directory that was never used fails', async () => {
  const { status, err } = await runIn({}, 'check', '--data-dir', '/new');
  assert.equal(status, 1);
  assert.match(err, /There is no Firn data in \/new/);
});
