import assert from 'node:assert/strict';
import test from 'node:test';
import { Authorizer, resourceArnOf } from './authorize.ts';

const caller = {
  accountId: '111122223333',
  accessKeyId: 'AKIDTRIAL',
  principalArn: 'arn:aws:iam::111122223333:root',
  isRoot: true,
  region: 'us-east-1',
  service: 'glacier',
};
const known = [caller.accountId, '444455556666'];
const authorizer = new Authorizer({ accounts: { exists: async (id) => known.includes(id) } });

test('a hyphen and the caller’s own id are the caller’s account', async () => {
  assert.equal(await authorizer.resolveAccount('-', caller), caller.accountId);
  assert.equal(await authorizer.resolveAccount(caller.accountId, caller), caller.accountId);
});

test('another account of this server is denied', async () => {
  await assert.rejects(authorizer.resolveAccount('444455556666', caller), {
    code: 'AccessDeniedException',
    message: 'Access denied for account ID: 444455556666',
  });
});

for (const segment of ['', 'asdf', '1111-2222-3333', '999999999999', '11112222333', ' -']) {
  test(`${JSON.stringify(segment)} is no account`, async () => {
    await assert.rejects(authorizer.resolveAccount(segment, caller), {
      code: 'UnrecognizedClientException',
      message: 'No account found for the given parameters',
    });
  });
}

test('what has a vault is judged by the vault’s ARN, and what has none by a star', () => {
  const place = { accountId: '111122223333', region: 'eu-west-1', vaultName: 'photos' };
  const arn = 'arn:aws:glacier:eu-west-1:111122223333:vaults/photos';
  assert.equal(resourceArnOf('CreateVault', place), arn);
  assert.equal(resourceArnOf('GetJobOutput', place), arn);
  assert.equal(resourceArnOf('ListVaults', { ...place, vaultName: undefined }), '*');
});

test('an account’s root may do everything, and nobody else anything', () => {
  const intent = { operation: 'DeleteArchive', resourceArn: 'arn:x' } as const;
  authorizer.authorize({ caller, ...intent });
  const user = { ...caller, isRoot: false, principalArn: 'arn:aws:iam::111122223333:user/ann' };
  assert.throws(() => authorizer.authorize({ caller: user, ...intent }), {
    code: 'AccessDeniedException',
    message:
      'User: arn:aws:iam::111122223333:user/ann is not authorized to perform: ' +
      'glacier:DeleteArchive on resource: arn:x',
  });
});
