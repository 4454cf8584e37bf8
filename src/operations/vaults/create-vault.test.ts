import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, goingOn, openDomain, region } from '../../../tests/support/domain.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { createVault } from './create-vault.ts';

const call = { region, signal: goingOn };

test('CreateVault makes the vault in the region of the call and answers its path', async () => {
  await using domain = await openDomain();
  const input = { accountId, vaultName: 'new' };
  const eu = { ...call, region: 'eu-west-1' };
  assert.deepEqual(await createVault(input, domain, eu), { location: '/012345678901/vaults/new' });
  const vault = await domain.vaults.describe({ ...input, region: 'eu-west-1' });
  assert.equal(vault.vaultName, 'new');
  await assert.rejects(domain.vaults.describe({ ...input, region }));
});

test('CreateVault answers the same for a vault that is there already', async () => {
  await using domain = await openDomain();
  const input = { accountId, vaultName: 'photos' };
  assert.deepEqual(await createVault(input, domain, call), {
    location: '/012345678901/vaults/photos',
  });
});

test('CreateVault refuses a name that is against the rules', async () => {
  await using domain = await openDomain();
  await assert.rejects(
    createVault({ accountId, vaultName: 'my vault' }, domain, call),
    new GlacierError('InvalidParameterValueException', 'Invalid vault name: my vault'),
  );
});
