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
import { deleteArchive } from './delete-archive.ts';

const call = { region, signal: goingOn };
const input = (archiveId: string) => ({ accountId, vaultName: 'photos', archiveId });

test('DeleteArchive takes the archive out of its vault, and answers the same the next time', async () => {
  await using domain = await openDomain();
  const archiveId = await storeText(domain, 'hello');
  assert.deepEqual(await deleteArchive(input(archiveId), domain, call), {});
  assert.equal((await domain.vaults.describe(photos)).numberOfArchives, 0);
  assert.deepEqual(await deleteArchive(input(archiveId), domain, call), {});
});

test('DeleteArchive does not find what cannot be an archive', async () => {
  await using domain = await openDomain();
  await assert.rejects(
    deleteArchive(input('short'), domain, call),
    new GlacierError('ResourceNotFoundException', 'The archive ID was not found: short'),
  );
});
