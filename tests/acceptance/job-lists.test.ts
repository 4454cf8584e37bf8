import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Api } from '../support/api.ts';
import {
  bytesOf,
  completedJob,
  createVault,
  describeJob,
  freshName,
  initiateJob,
  type JobDescription,
  jsonOf,
  upload,
} from '../support/deeds.ts';
import { assertDocument, assertError } from '../support/expectations.ts';
import { SimulatedClock, startServer } from '../support/start-server.ts';
import { onlyOwnServer } from '../support/target.ts';

describe('lists of jobs', { skip: onlyOwnServer }, async () => {
  if (onlyOwnServer !== false) return;
  const clock = new SimulatedClock();
  const server = await startServer({ clock, env: { FIRN_STANDARD_DELAY: '5h' } });
  after(() => server[Symbol.asyncDispose]());
  const { url, account } = server;
  const api = new Api({ url, credentials: account.credentials, now: () => clock.now() });
  after(() => api[Symbol.dispose]());

  interface Page {
    readonly JobList: readonly JobDescription[];
    readonly Marker: string | null;
  }

  async function list(vault: string, query = ''): Promise<Page> {
    return jsonOf<Page>(await api.call('GET', `/-/vaults/${vault}/jobs${query}`));
  }

  const idsOf = ({ JobList }: Page) => JobList.map(({ JobId }) => JobId);

  /** A vault with a completed retrieval and an inventory job in progress, the older one first. */
  async function vaultWithTwoJobs() {
    const vault = await createVault(api);
    const ArchiveId = await upload(api, vault, bytesOf(5));
    const parameters = { Type: 'archive-retrieval', ArchiveId, Tier: 'Expedited' };
    const done = await initiateJob(api, vault, parameters);
    await completedJob(api, vault, done, clock);
    clock.advance(1000);
    const inProgress = await initiateJob(api, vault, { Type: 'inventory-retrieval' });
    return { vault, done, inProgress };
  }

  test('a vault without jobs lists none, and no marker', async () => {
    const vault = await createVault(api);
    const answer = await api.call('GET', `/-/vaults/${vault}/jobs`);
    assertDocument(answer, { JobList: [], Marker: null });
  });

  test('a list holds what describing each job says, the newest first', async () => {
    const { vault, done, inProgress } = await vaultWithTwoJobs();
    assertDocument(await api.call('GET', `/-/vaults/${vault}/jobs`), {
      JobList: [await describeJob(api, vault, inProgress), await describeJob(api, vault, done)],
      Marker: null,
    });
  });

  test('filters by completion and by status hold together', async () => {
    const { vault, done, inProgress } = await vaultWithTwoJobs();
    const both = [inProgress, done];
    const expected: Readonly<Record<string, readonly string[]>> = {
      'completed=true': [done],
      'completed=false': [inProgress],
      'statuscode=InProgress': [inProgress],
      'statuscode=Succeeded': [done],
      'statuscode=Failed': [],
      'completed=true&statuscode=Succeeded': [done],
      'completed=true&statuscode=InProgress': [],
      'completed=&statuscode=&marker=': both,
      'limit=1000': both,
    };
    for (const [query, ids] of Object.entries(expected)) {
      assert.deepEqual(idsOf(await list(vault, `?${query}`)), ids, query);
    }
  });

  test('fifty jobs are a page, and the marker leads through all of them', async () => {
    const vault = await createVault(api);
    const started: string[] = [];
    for (let index = 0; index < 103; index += 1) {
      started.push(await initiateJob(api, vault, { Type: 'inventory-retrieval' }));
      if (index % 3 === 0) clock.advance(1);
    }
    const pages: string[][] = [];
    let query = '';
    for (;;) {
      const page = await list(vault, query);
      pages.push(idsOf(page));
      if (page.Marker === null) break;
      query = `?marker=${encodeURIComponent(page.Marker)}`;
    }
    assert.deepEqual(
      pages.map((page) => page.length),
      [50, 50, 3],
    );
    assert.deepEqual(new Set(pages.flat()), new Set(started));
    const dates = (await list(vault)).JobList.map(({ CreationDate }) => CreationDate);
    assert.deepEqual(dates, [...dates].sort().reverse());
  });

  test('a limit is kept, and more than 50 is reduced to 50', async () => {
    const vault = await createVault(api);
    for (let index = 0; index < 52; index += 1) {
      await initiateJob(api, vault, { Type: 'inventory-retrieval' });
    }
    for (const [limit, length] of [
      [1, 1],
      [49, 49],
      [50, 50],
      [51, 50],
      [1000, 50],
    ]) {
      const page = await list(vault, `?limit=${limit}`);
      assert.equal(page.JobList.length, length);
      assert.notEqual(page.Marker, null);
    }
  });

  test('jobs that are started between two pages do not disturb the listing', async () => {
    const vault = await createVault(api);
    const started: string[] = [];
    for (let index = 0; index < 4; index += 1) {
      started.unshift(await initiateJob(api, vault, { Type: 'inventory-retrieval' }));
      clock.advance(1);
    }
    const first = await list(vault, '?limit=2');
    await initiateJob(api, vault, { Type: 'inventory-retrieval' });
    const second = await list(vault, `?limit=2&marker=${first.Marker}`);
    assert.deepEqual([...idsOf(first), ...idsOf(second)], started);
    assert.equal(second.Marker, null);
  });

  test('a marker goes with the filters', async () => {
    const vault = await createVault(api);
    const ArchiveId = await upload(api, vault, bytesOf(5));
    const done: string[] = [];
    for (let index = 0; index < 3; index += 1) {
      const parameters = { Type: 'archive-retrieval', ArchiveId, Tier: 'Expedited' };
      const jobId = await initiateJob(api, vault, parameters);
      await completedJob(api, vault, jobId, clock);
      done.unshift(jobId);
      await initiateJob(api, vault, { Type: 'inventory-retrieval' });
      clock.advance(1);
    }
    const first = await list(vault, '?completed=true&limit=2');
    assert.deepEqual(idsOf(first), done.slice(0, 2));
    const second = await list(vault, `?completed=true&limit=2&marker=${first.Marker}`);
    assert.deepEqual(idsOf(second), done.slice(2));
    assert.equal(second.Marker, null);
  });

  const wrong: readonly (readonly [query: string, message: string])[] = [
    ['limit=0', 'Invalid limit: 0'],
    ['limit=', 'Invalid limit: '],
    ['limit=-5', 'Invalid limit: -5'],
    ['limit=many', 'Invalid limit: many'],
    ['completed=yes', 'The completed parameter is not valid: yes'],
    ['completed=True', 'The completed parameter is not valid: True'],
    ['statuscode=Done', 'The job status code is not valid: Done'],
    ['statuscode=succeeded', 'The job status code is not valid: succeeded'],
    ['marker=made-up', 'Invalid marker: made-up'],
  ];

  for (const [query, message] of wrong) {
    test(`a list asked for with ${query} answers 400`, async () => {
      const vault = await createVault(api);
      const answer = await api.call('GET', `/-/vaults/${vault}/jobs?${query}`);
      assertError(answer, 400, 'InvalidParameterValueException', message);
    });
  }

  test('the marker of another vault answers 400', async () => {
    const [vault, another] = [await createVault(api), await createVault(api)];
    for (let index = 0; index < 2; index += 1) {
      await initiateJob(api, vault, { Type: 'inventory-retrieval' });
    }
    const { Marker } = await list(vault, '?limit=1');
    const answer = await api.call('GET', `/-/vaults/${another}/jobs?marker=${Marker}`);
    assertError(answer, 400, 'InvalidParameterValueException', `Invalid marker: ${Marker}`);
  });

  test('listing and describing jobs of an unknown vault answers 404 with the ARN', async () => {
    const name = freshName();
    const arn = `arn:aws:glacier:${api.region}:${account.accountId}:vaults/${name}`;
    for (const path of ['jobs', `jobs/${'A'.repeat(92)}`]) {
      const answer = await api.call('GET', `/-/vaults/${name}/${path}`);
      assertError(answer, 404, 'ResourceNotFoundException', `Vault not found for ARN: ${arn}`);
    }
  });

  test('describing an unknown job, or one of another vault, answers 404', async () => {
    const { done } = await vaultWithTwoJobs();
    const vault = await createVault(api);
    for (const id of ['A'.repeat(92), 'no-such-job', done]) {
      const answer = await api.call('GET', `/-/vaults/${vault}/jobs/${id}`);
      assertError(answer, 404, 'ResourceNotFoundException', `The job ID was not found: ${id}`);
    }
  });
});
