import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, region } from '../../../tests/support/domain.ts';
import { initiate } from '../../../tests/support/domain-uploads.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { listMultipartUploads } from './list-multipart-uploads.ts';

const call = { region, signal: goingOn };
const vault = { accountId, vaultName: 'photos' };

test('ListMultipartUploads answers the open uploads, and goes on after its marker', async () => {
  await using domain = await openDomain();
  const older = await initiate(domain);
  domain.clock.advance(1);
  const newer = await initiate(domain);
  const first = await listMultipartUploads({ ...vault, limit: 1 }, domain, call);
  assert.deepEqual(
    first.uploadsList.map(({ multipartUploadId }) => multipartUploadId),
    [older],
  );
  const marker = first.marker ?? '';
  const second = await listMultipartUploads({ ...vault, limit: 1, marker }, domain, call);
  assert.deepEqual(
    second.uploadsList.map(({ multipartUploadId }) => multipartUploadId),
    [newer],
  );
  assert.equal(second.marker, null);
});

test('ListMultipartUploads refuses a marker that nobody gave out', async () => {
  await using domain = await openDomain();
  await assert.rejects(
    listMultipartUploads({ ...vault, marker: 'made up' }, domain, call),
    new GlacierError('InvalidParameterValueException', 'Invalid marker: made up'),
  );
});
