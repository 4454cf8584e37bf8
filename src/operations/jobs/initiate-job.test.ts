import assert from 'node:assert/strict';
import test from 'node:test';
import {
  accountId,
  goingOn,
  openDomain,
  photos,
  region,
  storeText,
} from '../../../tests/support/domain.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { initiateJob } from './initiate-job.ts';

const call = { region, signal: goingOn };
const vault = { accountId, vaultName: 'photos' };

test('InitiateJob starts the job and answers its id and path', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  for (const [asked, action] of [
    [{ type: 'archive-retrieval', archiveId }, 'ArchiveRetrieval'],
    [{ type: 'inventory-retrieval' }, 'InventoryRetrieval'],
  ] as const) {
    const reply = await initiateJob({ ...vault, ...asked }, domain, call);
    const { jobId } = reply;
    assert.deepEqual(reply, { location: `/012345678901/vaults/photos/jobs/${jobId}`, jobId });
    assert.equal((await domain.jobs.describe(photos, jobId)).action, action);
  }
});

test('InitiateJob says what is missing', async () => {
  await using domain = await openDomain();
  await assert.rejects(
    initiateJob({ ...vault, type: 'archive-retrieval' }, domain, call),
    new GlacierError('MissingParameterValueException', 'Required parameter missing: archiveId'),
  );
});
