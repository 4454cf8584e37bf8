import assert from 'node:assert/strict';
import test from 'node:test';
import {
  accountId,
  goingOn,
  openDomain,
  region,
  storeText,
} from '../../../tests/support/domain.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { describeVault } from './describe-vault.ts';

const call = { region, signal: goingOn };

test('DescribeVault answers what the vault holds', async () => {
  await using domain = await openDomain();
  await storeText(domain, 'hello');
  assert.deepEqual(await describeVault({ accountId, vaultName: 'photos' }, domain, call), {
    creationDate: '2026-01-31T14:26:33.031Z',
    lastInventoryDate: '2026-01-31T14:26:33.031Z',
    numberOfArchives: 1,
    sizeInBytes: 5,
    vaultARN: 'arn:aws:glacier:us-east-1:012345678901:vaults/photos',
    vaultName: 'photos',
  });
});

test('DescribeVault does not find a vault of another region', async () => {
  await using domain = await openDomain();
  const message = 'Vault not found for ARN: arn:aws:glacier:eu-west-1:012345678901:vaults/photos';
  await assert.rejects(
    describeVault({ accountId, vaultName: 'photos' }, domain, { ...call, region: 'eu-west-1' }),
    new GlacierError('ResourceNotFoundException', message),
  );
});
