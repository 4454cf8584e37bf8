import assert from 'node:assert/strict';
import test from 'node:test';
import { SampleServer } from './status-sample.ts';

const right = { verifiedAtMs: 7_000, damage: null };
const wrong = { verifiedAtMs: 9_000, damage: 'frame 2 is damaged' };

test('a report says what is kept, how the store is, and which archives are damaged', async () => {
  const server = new SampleServer();
  server.rows.addVault('a');
  server.rows.addVault('b');
  server.rows.addArchive('a', right);
  server.rows.addArchive('b', wrong);
  server.rows.addArchive('b');
  server.rows.addArchive('b', wrong, { isRemoved: true });
  assert.deepEqual(await server.status.report(), {
    version: '1.2.3',
    startedAtMs: 500,
    url: 'http://127.0.0.1:8480',
    store: { id: 'the store', format: 2, condition: 'ready', freeBytes: 700, sizeBytes: 1000 },
    masterKeyId: '00112233aabbccdd',
    vaults: { count: 2 },
    archives: { count: 3, bytes: 30 },
    metadata: { sequence: 42, journalBytes: 4096, lastSnapshotAtMs: 4_000 },
    scrub: server.scrub,
    verification: {
      unverifiedCount: 1,
      damagedCount: 1,
      oldestVerifiedAtMs: 7_000,
      damaged: [
        {
          ...{ accountId: '123456789012', region: 'us-east-1', vaultName: 'name-b' },
          ...{ archiveId: 'archive-2', description: 'ours', sizeBytes: 10, createdAtMs: 2 },
          ...{ verifiedAtMs: 9_000, damage: 'frame 2 is damaged' },
        },
      ],
    },
    workers: server.workers,
  });
});

test('a report counts vaults and archives as they are now, and damage too', async () => {
  const server = new SampleServer();
  server.rows.addVault('a');
  await server.status.report();
  server.rows.addArchive('a', wrong);
  const { archives, verification } = await server.status.report();
  assert.deepEqual(archives, { count: 1, bytes: 10 });
  assert.equal(verification.damagedCount, 1);
  assert.equal(server.rows.summaryCount, 1, 'what looks at all archives is asked once a minute');
});

test('a report names a hundred damaged archives, and counts all', async () => {
  const server = new SampleServer();
  server.rows.addVault('a');
  for (let count = 0; count < 130; count++) server.rows.addArchive('a', wrong);
  const { verification } = await server.status.report();
  assert.equal(verification.damaged.length, 100);
  assert.equal(verification.damagedCount, 130);
});

test('vaults beyond a page are counted', async () => {
  const server = new SampleServer();
  for (let count = 0; count < 2001; count++) server.rows.addVault(String(10_000 + count));
  assert.equal((await server.status.report()).vaults.count, 2001);
});

test('facts for a scrape ask for all rows once a minute', async () => {
  const server = new SampleServer();
  server.rows.addVault('a');
  assert.equal((await server.status.facts()).totals.archiveCount, 0);
  server.rows.addArchive('a');
  assert.equal((await server.status.facts()).totals.archiveCount, 0);
  assert.equal(server.rows.summaryCount, 1);
  server.clock.advance(60_000);
  const { totals, verification } = await server.status.facts();
  assert.equal(totals.archiveCount, 1);
  assert.equal(verification.unverifiedCount, 1);
});

test('of many archives all rows are asked for once in ten minutes', async () => {
  const server = new SampleServer();
  server.rows.addVault('a');
  for (let count = 0; count < 100_000; count++) server.rows.addArchive('a', right);
  await server.status.facts();
  server.clock.advance(10 * 60_000 - 1);
  await server.status.facts();
  assert.equal(server.rows.summaryCount, 1);
  server.clock.advance(1);
  await server.status.facts();
  assert.equal(server.rows.summaryCount, 2);
});

test('archives are listed in pages, without those that were removed', async () => {
  const { rows, status } = new SampleServer();
  rows.addVault('a');
  rows.addVault('b');
  rows.addArchive('a', right);
  rows.addArchive('b', null, { isRemoved: true });
  rows.addArchive('b', wrong);
  rows.addArchive('a');
  const page = async (after: number, limit: number, vaultName: string | null = null) => {
    const found = await status.archives({ after, limit, vaultName });
    return { ids: found.archives.map(({ archiveId }) => archiveId), after: found.after };
  };
  assert.deepEqual(await page(0, 2), { ids: ['archive-1'], after: 2 });
  assert.deepEqual(await page(2, 2), { ids: ['archive-3', 'archive-4'], after: 4 });
  assert.deepEqual(await page(4, 2), { ids: [], after: null });
  assert.deepEqual(await page(0, 10), {
    ids: ['archive-1', 'archive-3', 'archive-4'],
    after: null,
  });
  assert.deepEqual(await page(0, 2, 'name-b'), { ids: [], after: 2 });
  assert.deepEqual(await page(2, 3, 'name-b'), { ids: ['archive-3'], after: null });
});

test('a page that is short, since its archives have many blobs, is not taken for the last', async () => {
  const { rows, status } = new SampleServer();
  rows.addVault('a');
  for (let count = 0; count < 3; count++) rows.addArchive('a');
  rows.listedMax = 2;
  const page = async (after: number) => {
    const found = await status.archives({ after, limit: 10, vaultName: null });
    return { ids: found.archives.map(({ archiveId }) => archiveId), after: found.after };
  };
  assert.deepEqual(await page(0), { ids: ['archive-1', 'archive-2'], after: 2 });
  assert.deepEqual(await page(2), { ids: ['archive-3'], after: null });
});
