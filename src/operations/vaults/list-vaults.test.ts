import assert from 'node:assert/strict';
import test from 'node:test';
import {
  accountId,
  goingOn,
  openDomain,
  photos,
  region,
  videos,
} from '../../../tests/support/domain.ts';
import { GlacierError } from '../../protocol/errors.ts';
import { listVaults } from './list-vaults.ts';

const call = { region, signal: goingOn };

test('ListVaults answers the vaults as they are described', async () => {
  await using domain = await openDomain();
  const { vaultList, marker } = await listVaults({ accountId }, domain, call);
  assert.deepEqual(vaultList, [await domain.vaults.describe(photos)]);
  assert.equal(marker, null);
});

test('ListVaults goes on after its marker, with as many as were asked for', async () => {
  await using domain = await openDomain();
  await domain.vaults.create(videos);
  const first = await listVaults({ accountId, limit: 1 }, domain, call);
  assert.equal(first.marker, 'arn:aws:glacier:us-east-1:012345678901:vaults/photos');
  const second = await listVaults({ accountId, limit: 1, marker: first.marker }, domain, call);
  assert.deepEqual(second.vaultList, [await domain.vaults.describe(videos)]);
  assert.equal(second.marker, null);
});

test('ListVaults shows nothing of other regions and accounts', async () => {
  await using domain = await openDomain();
  const none = { marker: null, vaultList: [] };
  assert.deepEqual(await listVaults({ accountId }, domain, { ...call, region: 'eu-west-1' }), none);
  assert.deepEqual(await listVaults({ accountId: '210987654321' }, domain, call), none);
});

test('ListVaults refuses a marker that is no vault', async () => {
  await using domain = await openDomain();
  await assert.rejects(
    listVaults({ accountId, marker: 'photos' }, domain, call),
    new GlacierError('InvalidParameterValueException', 'Invalid marker: photos'),
  );
});
