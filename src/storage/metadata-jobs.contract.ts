import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  blobId,
  type MetadataCase,
  sampleInventoryJob,
  sampleRetrieval,
  sampleVault,
  succeeded,
  withVault,
} from './metadata-specimen.ts';
import type { MetadataStore } from './metadata-store.ts';
import type { JobPosition, JobQuery, JobRow, JobStatus } from './rows.ts';

const ids = (jobs: readonly JobRow[]) => jobs.map(({ jobId }) => jobId);

export const jobCases: readonly MetadataCase[] = [
  {
    title: 'a job is read as it was inserted, then as it was updated, until it is removed',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      const jobs = [
        sampleRetrieval('1', { description: 'Ünïcode', snsTopic: null }),
        sampleInventoryJob('2'),
        succeeded(sampleInventoryJob('3', { output: { blobId: blobId('output'), sizeBytes: 0 } })),
      ];
      await store.write(async (rows) => {
        for (const job of jobs) await rows.jobs.insert(job);
      });
      for (const job of jobs) assert.deepEqual(await get(store, job.jobId), job);
      const changed = succeeded(sampleRetrieval('1', { createdAtMs: 9 }));
      await store.write((rows) => rows.jobs.update(changed));
      assert.deepEqual(await get(store, '1'), changed);
      assert.deepEqual(await get(store, '2'), jobs[1]);
      await store.write(async (rows) => {
        await rows.jobs.remove('1');
        await rows.jobs.remove('absent');
      });
      assert.equal(await get(store, '1'), undefined);
      const again = store.write((rows) => rows.jobs.insert(sampleRetrieval('2')));
      await assert.rejects(again, { code: 'Conflict' });
      const absent = store.write((rows) => rows.jobs.update(sampleRetrieval('absent')));
      await assert.rejects(absent, { name: 'AssertionFailed' });
    },
  },
  {
    title: 'pages of jobs make up the whole list, newest first, whatever is asked for',
    run: async (specimen) => {
      const { store } = specimen;
      await store.write(({ vaults }) => vaults.insert(sampleVault('other')));
      await withVault(specimen);
      const statuses: readonly JobStatus[] = ['InProgress', 'Succeeded', 'Failed'];
      const made: JobRow[] = [];
      for (let index = 0; index < 60; index++) {
        const status = statuses[index % 3] ?? 'Failed';
        const job = sampleRetrieval(`job ${(index * 37) % 60}`, {
          vaultId: index % 7 === 0 ? 'other' : 'vault',
          status,
          createdAtMs: 3_000 + (index % 5),
          expiresAtMs: status === 'InProgress' ? null : 10_000 + (index % 4),
        });
        made.push(job);
      }
      await store.write(async ({ jobs }) => {
        for (const job of made) await jobs.insert(job);
      });
      const queries = fc.record({
        vaultId: fc.constantFrom('vault', 'other', 'absent'),
        completed: fc.constantFrom(null, true, false),
        status: fc.constantFrom(null, ...statuses),
        nowMs: fc.integer({ min: 9_998, max: 10_005 }),
        limit: fc.integer({ min: 1, max: 30 }),
      });
      await fc.assert(
        fc.asyncProperty(queries, async (query) => {
          assert.deepEqual(await paged(store, query), matching(made, query));
        }),
        { numRuns: 100 },
      );
    },
  },
  {
    title:
      'jobs before, among and behind thousands that expired are listed, page by page, in order',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      const made: JobRow[] = [];
      for (let index = 0; index < 3_000; index++) {
        const isLeft = index < 3 || index === 700 || index === 1_500 || index >= 2_990;
        const job = sampleRetrieval(`job ${index}`, {
          status: index % 8 === 0 ? 'Failed' : 'Succeeded',
          createdAtMs: 3_000 + (index >> 1),
          expiresAtMs: isLeft ? 10_000 + (index % 3) : 9_000,
        });
        made.push(index === 1 ? sampleRetrieval('job 1', { createdAtMs: 3_000 }) : job);
      }
      await store.write(async ({ jobs }) => {
        for (const job of made) await jobs.insert(job);
      });
      for (const status of [null, 'InProgress', 'Succeeded', 'Failed'] as const) {
        for (const limit of [1, 4, 100]) {
          for (const nowMs of [9_999, 10_000, 10_002]) {
            const query = { vaultId: 'vault', completed: null, status, nowMs, limit };
            assert.deepEqual(await paged(store, query), matching(made, query));
          }
        }
      }
    },
  },
  {
    title: 'a lease takes jobs that are due, oldest due first, and only once',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await store.write(async ({ jobs }) => {
        for (const dueAtMs of [300, 100, 200, 400]) {
          await jobs.insert(sampleRetrieval(`due ${dueAtMs}`, { dueAtMs }));
        }
        await jobs.insert(sampleInventoryJob('inventory', { dueAtMs: 50 }));
        await jobs.insert(succeeded(sampleRetrieval('over', { dueAtMs: 60 })));
      });
      assert.deepEqual(ids(await lease(store, { nowMs: 300, limit: 2 })), ['due 100', 'due 200']);
      assert.deepEqual(ids(await lease(store, { nowMs: 300, limit: 2 })), ['due 300']);
      assert.deepEqual(ids(await lease(store, { nowMs: 300, limit: 2 })), []);
      assert.deepEqual(await get(store, 'due 100'), sampleRetrieval('due 100', { dueAtMs: 100 }));
    },
  },
  {
    title: 'a lease ends by itself, with an update, or when all are released',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      const a = sampleRetrieval('a', { dueAtMs: 100 });
      const b = sampleRetrieval('b', { dueAtMs: 101 });
      await store.write(async ({ jobs }) => {
        await jobs.insert(a);
        await jobs.insert(b);
      });
      assert.equal((await lease(store, { nowMs: 200, untilMs: 300 })).length, 2);
      await store.write(({ jobs }) => jobs.extendLease('b', 400));
      assert.deepEqual(ids(await lease(store, { nowMs: 299, untilMs: 500 })), []);
      assert.deepEqual(ids(await lease(store, { nowMs: 300, untilMs: 500 })), ['a']);
      assert.deepEqual(ids(await lease(store, { nowMs: 400, untilMs: 500 })), ['b']);
      await store.write(({ jobs }) => jobs.update(a));
      assert.deepEqual(ids(await lease(store, { nowMs: 401, untilMs: 500 })), ['a']);
      await store.write(({ jobs }) => jobs.releaseLeases());
      assert.deepEqual(ids(await lease(store, { nowMs: 402, untilMs: 500 })), ['a', 'b']);
    },
  },
  {
    title: 'the next due time is that of a free job in progress, or the end of a lease',
    run: async (specimen) => {
      const { store, clock } = specimen;
      await withVault(specimen);
      const nowMs = clock.now();
      const nextDue = () => store.read(({ jobs }) => jobs.nextDueAtMs('ArchiveRetrieval'));
      assert.equal(await nextDue(), null);
      await store.write(async ({ jobs }) => {
        await jobs.insert(sampleInventoryJob('inventory', { dueAtMs: nowMs - 9 }));
        await jobs.insert(succeeded(sampleRetrieval('over', { dueAtMs: nowMs - 8 })));
        await jobs.insert(sampleRetrieval('now', { dueAtMs: nowMs }));
        await jobs.insert(sampleRetrieval('later', { dueAtMs: nowMs + 1_000 }));
      });
      assert.equal(await nextDue(), nowMs);
      await lease(store, { nowMs, untilMs: nowMs + 500 });
      assert.equal(await nextDue(), nowMs + 500);
      await store.write(({ jobs }) => jobs.remove('later'));
      await lease(store, { nowMs: nowMs + 500, untilMs: nowMs + 900 });
      assert.equal(await nextDue(), nowMs + 900);
    },
  },
  {
    title: 'expired jobs are listed, oldest first',
    run: async (specimen) => {
      const { store } = specimen;
      await withVault(specimen);
      await store.write(async ({ jobs }) => {
        await jobs.insert(sampleRetrieval('in progress'));
        await jobs.insert(succeeded(sampleRetrieval('b'), 200));
        await jobs.insert(succeeded(sampleRetrieval('a'), 100));
        await jobs.insert(succeeded(sampleRetrieval('c'), 201));
      });
      const expired = (limit: number) => store.read(({ jobs }) => jobs.listExpired(200, limit));
      assert.deepEqual(ids(await expired(10)), ['a', 'b']);
      assert.deepEqual(ids(await expired(1)), ['a']);
    },
  },
];

function get(store: MetadataStore, jobId: string): Promise<JobRow | undefined> {
  return store.read(({ jobs }) => jobs.get(jobId));
}

function lease(
  store: MetadataStore,
  { nowMs, untilMs = 10_000, limit = 10 }: { nowMs: number; untilMs?: number; limit?: number },
): Promise<JobRow[]> {
  return store.write(({ jobs }) =>
    jobs.lease({ action: 'ArchiveRetrieval', nowMs, untilMs, limit }),
  );
}

/** Every job that a listing shows, page by page. */
async function paged(store: MetadataStore, query: Omit<JobQuery, 'after'>): Promise<string[]> {
  const listed: string[] = [];
  for (let after: JobPosition | null = null; ; ) {
    const page: JobRow[] = await store.read(({ jobs }) => jobs.list({ ...query, after }));
    listed.push(...ids(page));
    const last = page.at(-1);
    if (last === undefined || page.length < query.limit) return listed;
    after = last;
  }
}

/** What a listing shows, the long way. */
function matching(jobs: readonly JobRow[], query: Omit<JobQuery, 'after'>): string[] {
  const shown = jobs.filter(
    (job) =>
      job.vaultId === query.vaultId &&
      (query.status === null || job.status === query.status) &&
      (query.completed === null || query.completed === (job.status !== 'InProgress')) &&
      (job.expiresAtMs === null || job.expiresAtMs > query.nowMs),
  );
  return ids(shown.sort((a, b) => b.createdAtMs - a.createdAtMs || (a.jobId < b.jobId ? 1 : -1)));
}
