import assert from 'node:assert/strict';
import test from 'node:test';
import {
  accountId,
  goingOn,
  inventory,
  openDomain,
  photos,
  region,
} from '../../../tests/support/domain.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { listJobs } from './list-jobs.ts';

const call = { region, signal: goingOn };
const vault = { accountId, vaultName: 'photos' };

test('ListJobs answers the jobs as they are described, newest first', async () => {
  await using domain = await openDomain();
  const older = await inventory(domain);
  domain.clock.advance(1);
  const newer = await inventory(domain);
  assert.deepEqual(await listJobs(vault, domain, call), {
    jobList: [await domain.jobs.describe(photos, newer), await domain.jobs.describe(photos, older)],
    marker: null,
  });
});

test('ListJobs filters, and goes on after its marker', async () => {
  await using domain = await openDomain();
  const jobIds = [await inventory(domain), await inventory(domain), await inventory(domain)];
  await domain.jobs.fail(jobIds[1] ?? '');
  const ids = async (more: object) => {
    const { jobList, marker } = await listJobs({ ...vault, ...more }, domain, call);
    return { ids: jobList.map(({ jobId }) => jobId), marker };
  };
  assert.deepEqual((await ids({ statuscode: 'Failed' })).ids, [jobIds[1]]);
  assert.deepEqual((await ids({ completed: 'true' })).ids, [jobIds[1]]);
  const first = await ids({ completed: 'false', limit: 1 });
  const second = await ids({ completed: 'false', limit: 1, marker: first.marker });
  assert.deepEqual([...first.ids, ...second.ids].sort(), [jobIds[0], jobIds[2]].sort());
  assert.equal(second.marker, null);
});

test('ListJobs refuses a marker that nobody gave out', async () => {
  await using domain = await openDomain();
  await assert.rejects(
    listJobs({ ...vault, marker: 'made up' }, domain, call),
    new GlacierError('InvalidParameterValueException', 'Invalid marker: made up'),
  );
});
