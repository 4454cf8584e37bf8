import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { AssertionFailed } from '../lib/assert.ts';
import type { BlobId } from '../storage/blob-store.ts';
import type { JobRow } from '../storage/rows.ts';
import { fail, isExpired, succeed } from './job-states.ts';

fc.configureGlobal({ seed: 20_260_131 });

const end = { nowMs: 5000, expiryMs: 1000 };
const output = { blobId: 'blob' as BlobId, sizeBytes: 7 };

const common = {
  jobId: 'job',
  vaultId: 'vault',
  description: null,
  snsTopic: null,
  status: 'InProgress',
  createdAtMs: 1000,
  dueAtMs: 2000,
  completedAtMs: null,
  expiresAtMs: null,
  output: null,
} as const;

const retrieval: JobRow = {
  ...common,
  action: 'ArchiveRetrieval',
  inventory: null,
  retrieval: {
    archiveId: 'archive',
    archiveSizeBytes: 10,
    archiveTreeHash: 'hash',
    firstByte: 0,
    lastByte: 9,
    treeHash: 'hash',
    tier: 'Standard',
  },
};

const inventory: JobRow = {
  ...common,
  action: 'InventoryRetrieval',
  retrieval: null,
  inventory: {
    format: 'JSON',
    asOfChange: 3,
    inventoryDateMs: 1000,
    startDate: null,
    endDate: null,
    limit: '2',
    after: null,
    nextMarker: null,
  },
};

test('a retrieval that succeeds is completed now, and expires when its time is over', () => {
  assert.deepEqual(succeed(retrieval, end), {
    ...retrieval,
    status: 'Succeeded',
    completedAtMs: 5000,
    expiresAtMs: 6000,
  });
});

test('an inventory that succeeds gets its output and the place where the next goes on', () => {
  const done = succeed(inventory, end, { output, nextMarker: 'marker' });
  assert.equal(done.status, 'Succeeded');
  assert.deepEqual(done.output, output);
  assert.deepEqual(done.inventory, { ...inventory.inventory, nextMarker: 'marker' });
});

test('a job that fails keeps what it was asked for, and nothing else comes to it', () => {
  for (const job of [retrieval, inventory]) {
    const failed = { ...job, status: 'Failed', completedAtMs: 5000, expiresAtMs: 6000 };
    assert.deepEqual(fail(job, end), failed);
  }
});

test('an inventory never succeeds without an output, nor a retrieval with one', () => {
  assert.throws(() => succeed(inventory, end), AssertionFailed);
  assert.throws(() => succeed(retrieval, end, { output, nextMarker: null }), AssertionFailed);
});

test('a job that ended takes no other state: it never moves backwards', () => {
  const arrows = {
    succeed: (job: JobRow) =>
      job.inventory === null ? succeed(job, end) : succeed(job, end, { output, nextMarker: null }),
    fail: (job: JobRow) => fail(job, end),
  };
  const arrow = fc.constantFrom(...Object.values(arrows));
  fc.assert(
    fc.property(fc.constantFrom(retrieval, inventory), fc.array(arrow), (start, path) => {
      let job = start;
      for (const [index, next] of path.entries()) {
        if (index === 0) job = next(job);
        else assert.throws(() => next(job), new AssertionFailed('job job has ended before'));
      }
    }),
  );
});

test('the row that a state is computed from stays as it is', () => {
  const before = structuredClone(inventory);
  succeed(inventory, end, { output, nextMarker: 'marker' });
  fail(inventory, end);
  assert.deepEqual(inventory, before);
});

test('a job expires at its time, and never while it is in progress', () => {
  const done = succeed(retrieval, end);
  assert.equal(isExpired(done, 5999), false);
  assert.equal(isExpired(done, 6000), true);
  assert.equal(isExpired(retrieval, Number.MAX_SAFE_INTEGER), false);
});
