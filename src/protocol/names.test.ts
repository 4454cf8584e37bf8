import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  idLengths,
  isAccountId,
  isArchiveId,
  isVaultName,
  parseTopicArn,
  parseVaultArn,
  toTimestamp,
  toTimestampSeconds,
  vaultArn,
  vaultPath,
} from './names.ts';

fc.configureGlobal({ seed: 20_260_131 });

const letters = (characters: string) => fc.constantFrom(...characters);
const vaultNames = fc
  .string({ unit: letters('azAZ09_.-'), minLength: 1, maxLength: 255 })
  .filter(isVaultName);
const accountIds = fc.string({ unit: letters('0123456789'), minLength: 12, maxLength: 12 });
const regions = fc.constantFrom('us-east-1', 'cn-north-1', 'us-gov-west-1', 'local');

test('a vault name has 1 to 255 letters, digits, dots, dashes and underscores', () => {
  for (const name of ['a', 'My_vault-1.old', '...', '.a', 'x'.repeat(255)]) {
    assert.equal(isVaultName(name), true, name);
  }
  for (const name of ['', 'x'.repeat(256), 'a b', 'a/b', 'ä', 'a\n', '%41', 'a:b']) {
    assert.equal(isVaultName(name), false, name);
  }
});

test('dot segments, which clients take out of paths, are no vault names', () => {
  assert.equal(isVaultName('.'), false);
  assert.equal(isVaultName('..'), false);
});

test('an account id has 12 digits', () => {
  assert.equal(isAccountId('012345678901'), true);
  for (const id of ['', '-', '12345678901', '0123456789012', '01234567890a', '012345678901\n']) {
    assert.equal(isAccountId(id), false, id);
  }
});

test('an archive id has 138 letters that are safe in URLs', () => {
  assert.equal(isArchiveId('a'.repeat(idLengths.archive)), true);
  assert.equal(isArchiveId(`-_${'Z'.repeat(136)}`), true);
  for (const id of ['', 'a'.repeat(137), 'a'.repeat(139), `${'a'.repeat(137)}+`]) {
    assert.equal(isArchiveId(id), false, id);
  }
});

test('an ARN names the vault that it was made of', () => {
  fc.assert(
    fc.property(accountIds, regions, vaultNames, (accountId, region, vaultName) => {
      const vault = { accountId, region, vaultName };
      assert.deepEqual(parseVaultArn(vaultArn(vault)), vault);
    }),
  );
});

test('an ARN has the partition of its region', () => {
  const of = (region: string) => vaultArn({ accountId: '012345678901', region, vaultName: 'v' });
  assert.equal(of('us-west-2'), 'arn:aws:glacier:us-west-2:012345678901:vaults/v');
  assert.match(of('cn-northwest-1'), /^arn:aws-cn:/);
  assert.match(of('us-gov-east-1'), /^arn:aws-us-gov:/);
});

for (const arn of [
  '',
  'photos',
  'arn:aws:glacier:us-east-1:012345678901:vaults/',
  'arn:aws:glacier:us-east-1:012345678901:vaults/..',
  'arn:aws:glacier:us-east-1:012345678901:vaults/a/b',
  'arn:aws:glacier:us-east-1:1234:vaults/photos',
  'arn:aws-cn:glacier:us-east-1:012345678901:vaults/photos',
  'arn:aws:s3:us-east-1:012345678901:vaults/photos',
  ' arn:aws:glacier:us-east-1:012345678901:vaults/photos',
]) {
  test(`"${arn}" names no vault`, () => {
    assert.equal(parseVaultArn(arn), undefined);
  });
}

test('no text makes the parsers of ARNs throw', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.equal(parseVaultArn(text), undefined);
      assert.equal(parseTopicArn(text), undefined);
    }),
  );
});

test('the path of a vault has the account’s number', () => {
  const vault = { accountId: '012345678901', region: 'us-east-1', vaultName: 'photos' };
  assert.equal(vaultPath(vault), '/012345678901/vaults/photos');
});

test('dates have milliseconds in JSON bodies and whole seconds, cut, in inventories', () => {
  const ms = Date.UTC(2026, 0, 31, 14, 26, 33, 999);
  assert.equal(toTimestamp(ms), '2026-01-31T14:26:33.999Z');
  assert.equal(toTimestampSeconds(ms), '2026-01-31T14:26:33Z');
});

test('a topic’s ARN tells its region', () => {
  const arn = 'arn:aws:sns:eu-west-1:012345678901:done';
  assert.deepEqual(parseTopicArn(arn), { region: 'eu-west-1' });
  assert.deepEqual(parseTopicArn(`${arn}.fifo`), { region: 'eu-west-1' });
  const china = 'arn:aws-cn:sns:cn-north-1:012345678901:done';
  assert.deepEqual(parseTopicArn(china), { region: 'cn-north-1' });
  const withoutName = 'arn:aws:sns:eu-west-1:012345678901:';
  for (const wrong of ['done', withoutName, `${arn}:5c1f8c2e`, arn.replace('sns', 'sqs')]) {
    assert.equal(parseTopicArn(wrong), undefined, wrong);
  }
});

test('a topic’s ARN whose partition is not its region’s names no topic', () => {
  for (const [partition, region] of [
    ['aws-cn', 'eu-west-1'],
    ['aws-us-gov', 'us-east-1'],
    ['aws', 'cn-north-1'],
    ['aws', 'us-gov-west-1'],
    ['other', 'eu-west-1'],
  ]) {
    const arn = `arn:${partition}:sns:${region}:012345678901:done`;
    assert.equal(parseTopicArn(arn), undefined, arn);
  }
});
