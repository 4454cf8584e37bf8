import assert from 'node:assert/strict';
import test from 'node:test';
import { accountId, openDomain } from '../../tests/support/domain.ts';
import { AssertionFailed } from '../lib/assert.ts';
import { Accounts } from './accounts.ts';

const rootKey = { accessKeyId: 'AKIAFROMTHESETTINGS', secretAccessKey: 'given' };

test('the first start makes an account and shows its key; later ones show none', async () => {
  await using domain = await openDomain();
  const first = await domain.accounts.ensureFirst(null);
  assert.match(first.accountId, /^\d{12}$/);
  assert.match(first.unseenKey?.accessKeyId ?? '', /^AKIA[A-Z2-7]{16}$/);
  assert.match(first.unseenKey?.secretAccessKey ?? '', /^[A-Za-z0-9][A-Za-z0-9_-]{39}$/);

  const restarted = new Accounts(domain);
  assert.deepEqual(await restarted.ensureFirst(null), first, 'it was not shown yet');
  await restarted.noteShown(first);
  const third = await restarted.ensureFirst(null);
  assert.deepEqual(third, { accountId: first.accountId, isNew: false, unseenKey: null });
  assert.deepEqual(await restarted.list(), [
    { accountId: first.accountId, name: 'root', createdAtMs: domain.clock.now() },
  ]);
});

test('the first account has the id that the settings say, and keeps it without them', async () => {
  await using domain = await openDomain();
  assert.equal((await domain.accounts.ensureFirst(accountId)).accountId, accountId);
  assert.equal((await domain.accounts.ensureFirst(accountId)).accountId, accountId);
  assert.equal((await domain.accounts.ensureFirst(null)).accountId, accountId);
});

test('settings that name another first account than the data directory has are refused', async () => {
  await using domain = await openDomain();
  await domain.accounts.ensureFirst(accountId);
  await assert.rejects(domain.accounts.ensureFirst('210987654321'), {
    message:
      'The first account of this data directory is 012345678901, and FIRN_ACCOUNT_ID says ' +
      '210987654321: leave the setting out, or use another data directory.',
  });
  assert.equal((await domain.accounts.list()).length, 1);
});

test('an account that was made before the first start can be the first one, with its key', async () => {
  await using domain = await openDomain();
  const made = await domain.accounts.create({ name: 'archive', accountId });
  const { accessKeyId, secretAccessKey } = made;
  assert.deepEqual(await domain.accounts.ensureFirst(accountId), {
    accountId,
    isNew: true,
    unseenKey: { accessKeyId, secretAccessKey },
  });
  assert.deepEqual(
    (await domain.accounts.list()).map(({ name }) => name),
    ['archive'],
  );
  assert.equal((await domain.accounts.credential(made.accessKeyId))?.isActive, true);
});

test('a key made at the first start signs for the root of its account', async () => {
  await using domain = await openDomain();
  const { unseenKey } = await domain.accounts.ensureFirst(accountId);
  assert.deepEqual(await domain.accounts.credential(unseenKey?.accessKeyId ?? ''), {
    ...unseenKey,
    accountId,
    principalArn: 'arn:aws:iam::012345678901:root',
    isActive: true,
  });
  assert.equal(await domain.accounts.credential('AKIANOBODY'), undefined);
});

test('a key of the settings is the first account’s, and no other is made', async () => {
  await using domain = await openDomain();
  const accounts = new Accounts({ ...domain, rootKey });
  const first = await accounts.ensureFirst(accountId);
  assert.deepEqual(first, { accountId, isNew: true, unseenKey: null });
  await accounts.noteShown(first);
  assert.equal((await accounts.ensureFirst(accountId)).isNew, false);
  assert.deepEqual(await accounts.credential(rootKey.accessKeyId), {
    ...rootKey,
    accountId,
    principalArn: 'arn:aws:iam::012345678901:root',
    isActive: true,
  });
});

test('while the settings give a key, the first account’s other keys are inactive', async () => {
  await using domain = await openDomain();
  const { unseenKey } = await domain.accounts.ensureFirst(accountId);
  const other = await domain.accounts.create({ name: 'other' });

  const accounts = new Accounts({ ...domain, rootKey });
  await accounts.ensureFirst(null);
  assert.equal((await accounts.credential(unseenKey?.accessKeyId ?? ''))?.isActive, false);
  assert.equal((await accounts.credential(other.accessKeyId))?.isActive, true);

  const without = new Accounts(domain);
  await without.ensureFirst(null);
  assert.equal((await without.credential(unseenKey?.accessKeyId ?? ''))?.isActive, true);
  assert.equal(await without.credential(rootKey.accessKeyId), undefined);
});

test('a first account that never had a key of its own gets one when the settings give none', async () => {
  await using domain = await openDomain();
  await new Accounts({ ...domain, rootKey }).ensureFirst(accountId);
  const { unseenKey } = await domain.accounts.ensureFirst(null);
  assert.ok(unseenKey !== null);
  assert.equal((await domain.accounts.credential(unseenKey.accessKeyId))?.accountId, accountId);
});

test('a key of the settings belongs to nobody before the first account is known', async () => {
  await using domain = await openDomain();
  const accounts = new Accounts({ ...domain, rootKey });
  await assert.rejects(accounts.credential(rootKey.accessKeyId), AssertionFailed);
});

test('another account has an id, a name and a key of its own', async () => {
  await using domain = await openDomain();
  await domain.accounts.ensureFirst(accountId);
  const made = await domain.accounts.create({ name: 'Bücher' });
  assert.match(made.accountId, /^\d{12}$/);
  assert.notEqual(made.accountId, accountId);
  assert.equal(made.name, 'Bücher');
  assert.equal(await domain.accounts.exists(made.accountId), true);
  assert.equal(await domain.accounts.exists('210987654321'), false);
  const credential = await domain.accounts.credential(made.accessKeyId);
  assert.equal(credential?.secretAccessKey, made.secretAccessKey);
  assert.equal(credential?.principalArn, `arn:aws:iam::${made.accountId}:root`);
  assert.equal((await domain.accounts.list()).length, 2);
});

test('an account id is taken once, and has 12 digits', async () => {
  await using domain = await openDomain();
  await domain.accounts.create({ name: 'one', accountId });
  await assert.rejects(domain.accounts.create({ name: 'two', accountId }), {
    message: 'There is an account 012345678901 already.',
  });
  await assert.rejects(domain.accounts.create({ name: 'two', accountId: '12345' }), {
    message: '12345 is not an account id: it has 12 digits.',
  });
});

test('an account has a name, of up to 128 characters', async () => {
  await using domain = await openDomain();
  await domain.accounts.create({ name: 'x'.repeat(128) });
  for (const name of ['', 'x'.repeat(129)]) {
    await assert.rejects(domain.accounts.create({ name }), {
      message: 'The name of an account has 1 to 128 characters.',
    });
  }
});

test('an id that chance draws twice is drawn again', async () => {
  await using domain = await openDomain();
  const draws = [1, 1, 2];
  const randomBytes = (length: number) => new Uint8Array(length).fill(draws.shift() ?? 9);
  await domain.store.write(({ accounts }) =>
    accounts.insert({ accountId: '111111111111', name: 'taken', createdAtMs: 0 }),
  );
  const made = await new Accounts({ ...domain, randomBytes }).create({ name: 'drawn' });
  assert.equal(made.accountId, '222222222222');
});
