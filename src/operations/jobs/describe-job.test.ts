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
import { describeJob } from './describe-job.ts';

const call = { region, signal: goingOn };
const input = (jobId: string) => ({ accountId, vaultName: 'photos', jobId });

test('DescribeJob answers the job', async () => {
  await using domain = await openDomain();
  const jobId = await inventory(domain);
  const described = await describeJob(input(jobId), domain, call);
  assert.deepEqual(described, await domain.jobs.describe(photos, jobId));
  assert.equal(described.jobId, jobId);
});

test('DescribeJob does not find a job that is not there', async () => {
  await using domain = await openDomain();
  await assert.rejects(
    describeJob(input('none'), domain, call),
    new GlacierError('ResourceNotFoundException', 'The job ID was not found: none'),
  );
});
