import assert from 'node:assert/strict';
import test from 'node:test';
import { runIn } from '../fake-host.ts';
import type { RepairReport } from '../reports.ts';

const rebuilt: RepairReport = {
  setAside: '/srv/metadata.sqlite.damaged-1',
  snapshot: { name: '42', takenAtMs: Date.UTC(2026, 0, 1) },
  batchCount: 7,
  lost: [],
  salvage: null,
};

const salvaged: RepairReport = {
  setAside: null,
  snapshot: null,
  batchCount: 12,
  lost: ['Batches 8 to 12 are lost.'],
  salvage: {
    ...{ vaultsMade: 1, archivesMade: 2, archivesRepointed: 0, blobsUnreadableCount: 3 },
    ...{ archivesOfDeletedVaults: 0, accountsWithoutRow: ['111122223333'] },
    ...{ partsRepointed: 0, archivesIncompleteCount: 0, archivesIncomplete: [], partsLeftAlone: 0 },
  },
};

test('`firn repair --rebuild` says of what the database was made', async () => {
  const { status, out, err } = await runIn({ repairReport: rebuilt }, 'repair', '--rebuild');
  assert.equal(status, 0);
  assert.equal(
    out,
    `Set aside  /srv/metadata.sqlite.damaged-1
Made from  the snapshot of 2026-01-01T00:00:00.000Z and the journal after it
Salvaged   nothing, since no row was lost
`,
  );
  assert.equal(err, '');
});

test('`firn repair --rebuild` that leaves something out says what, with status 1', async () => {
  const { status, out, err } = await runIn({ repairReport: salvaged }, 'repair', '--rebuild');
  assert.equal(status, 1);
  assert.equal(
    out,
    `Set aside  nothing: there was no database
Made from  the journal alone
Salvaged   2 archives and 1 vault made of their blobs, 0 archives given other copies of theirs

Batches 8 to 12 are lost.
3 blobs without a row cannot be read.
Tags, access policies, vault locks, notification settings, data retrieval policies and \
provisioned capacity cannot be made again from blobs: see whether each vault and account has its own.
The account 111122223333 owns vaults and has no access key: make it again with \
\`firn account create --account-id 111122223333 --name NAME\`.
`,
  );
  assert.match(err, /^firn: The database was made again, and not all that was in it is back/);
});

test('`firn repair --rebuild` names archives whose parts are missing, and counts parts', async () => {
  const archive = {
    ...{ accountId: '111122223333', region: 'us-east-1', vaultName: 'photos', archiveId: 'a1' },
    ...{ description: '', sizeBytes: 30, createdAtMs: Date.UTC(2026, 0, 1) },
    problem: 'Of its 3 parts these are missing: 2.',
  };
  const salvage = {
    ...{ vaultsMade: 0, archivesMade: 0, archivesRepointed: 1, blobsUnreadableCount: 0 },
    ...{ archivesOfDeletedVaults: 0, accountsWithoutRow: [], partsRepointed: 2 },
    ...{ archivesIncompleteCount: 3, archivesIncomplete: [archive], partsLeftAlone: 4 },
  };
  const report = { ...rebuilt, salvage };
  const { status, out } = await runIn({ repairReport: report }, 'repair', '--rebuild');
  assert.equal(status, 1);
  assert.match(out, /, 1 archive and 2 parts given other copies of theirs\n/);
  const [, doubts] = out.split('\n\n');
  assert.deepEqual(doubts?.split('\n').slice(0, 3), [
    'The archive a1 of vault photos of account 111122223333 in us-east-1 was uploaded in parts, ' +
      'and could not be made of them. Of its 3 parts these are missing: 2.',
    'So it is with 2 other archives.',
    '4 parts of uploads that were not completed, or whose row is lost, were left alone: the server ' +
      'removes them after a week.',
  ]);
  const json = await runIn({ repairReport: report }, 'repair', '--rebuild', '--json');
  assert.equal(
    JSON.parse(json.out).salvage.archivesIncomplete[0].createdAt,
    '2026-01-01T00:00:00.000Z',
  );
});

test('`firn repair --rebuild --json` prints the report', async () => {
  const sound = await runIn({ repairReport: rebuilt }, 'repair', '--rebuild', '--json');
  assert.equal(sound.status, 0);
  const { snapshot, ...rest } = JSON.parse(sound.out);
  assert.deepEqual(snapshot, { name: '42', takenAt: '2026-01-01T00:00:00.000Z' });
  assert.deepEqual(rest, { setAside: rebuilt.setAside, batchCount: 7, lost: [], salvage: null });
  const lossy = await runIn({ repairReport: salvaged }, 'repair', '--rebuild', '--json');
  assert.equal(lossy.status, 1);
  assert.deepEqual(JSON.parse(lossy.out), salvaged);
});

test('`firn repair` alone does nothing and says what it could do', async () => {
  const { status, err } = await runIn({}, 'repair');
  assert.equal(status, 2);
  assert.match(err, /--rebuild/);
});

test('`firn repair --rebuild` of a directory that was never used fails', async () => {
  assert.equal((await runIn({}, 'repair', '--rebuild', '--data-dir', '/new')).status, 1);
});
