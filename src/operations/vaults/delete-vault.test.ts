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
import { deleteVault } from './delete-vault.ts';

const call = { region, signal: goingOn };
const input = { accountId, vaultName: 'photos' };

test('DeleteVault removes an empty vault, and answers the same when it is gone', async () => {
  await using domain = await openDomain();
  assert.deepEqual(await deleteVault(input, domain, call), {});
  await assert.rejects(domain.vaults.describe(photos));
  assert.deepEqual(await deleteVault(input, domain, call), {});
});

test('DeleteVault refuses a vault that holds an archive', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  const message =
    'Vault not empty or recently written to: ' +
    'arn:aws:glacier:us-east-1:012345678901:vaults/photos';
  await assert.rejects(
    deleteVault(input, domain, call),
    new GlacierError('InvalidParameterValueException', message),
  );
});
