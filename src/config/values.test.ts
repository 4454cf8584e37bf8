import assert from 'node:assert/strict';
import test from 'node:test';
import {
  BadValue,
  isLoopback,
  parseAcceptance,
  parseAccessKeyId,
  parseAddress,
  parseDuration,
  parseHostNames,
  parseSecretAccessKey,
  parseSize,
  parseStoreUrl,
  parseWholeNumber,
  parseYesOrNo,
} from './values.ts';

test('durations have a number and a unit', () => {
  const good = { '0s': 0, '90s': 90_000, '4h': 14_400_000, '1500ms': 1500, '2d': 172_800_000 };
  for (const [text, ms] of Object.entries(good)) assert.equal(parseDuration(text), ms);
  assert.equal(parseDuration('1.5m'), 90_000);
  for (const text of ['', '5', 's', '-1s', '1 h', '1w', '9999d']) {
    assert.throws(() => parseDuration(text), BadValue, text);
  }
});

test('whole numbers are digits, up to a thousand million', () => {
  const good = { '0': 0, '50': 50, '007': 7, '1000000000': 1_000_000_000 };
  for (const [text, number] of Object.entries(good)) assert.equal(parseWholeNumber(text), number);
  for (const text of ['', '-1', '+1', '1.5', '1e3', '0x10', ' 1', '1,000', '1000000001']) {
    assert.throws(() => parseWholeNumber(text), BadValue, text);
  }
});

test('what is accepted without a limit is so by that word only', () => {
  assert.equal(parseAcceptance('accept'), Infinity);
  assert.equal(parseAcceptance('3'), 3);
  for (const text of ['', 'Accept', 'yes', 'null', 'Infinity', '-1', '1000000001']) {
    assert.throws(() => parseAcceptance(text), BadValue, text);
  }
});

test('addresses have a host and a port', () => {
  assert.deepEqual(parseAddress('127.0.0.1:8480'), { host: '127.0.0.1', port: 8480 });
  assert.deepEqual(parseAddress('[::1]:8480'), { host: '::1', port: 8480 });
  assert.deepEqual(parseAddress('localhost:0'), { host: 'localhost', port: 0 });
  for (const text of ['', '8480', ':8480', '::1:8480', 'a:b', '1.2.3.4:65536', 'http://a:1']) {
    assert.throws(() => parseAddress(text), BadValue, text);
  }
});

test('only loopback addresses are loopback', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost', '::ffff:127.0.0.1']) {
    assert.ok(isLoopback(host), host);
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'localhost.example.org', '127.example.org']) {
    assert.ok(!isLoopback(host), host);
  }
});

test('yes and no are written as these two words, and not as anything that may mean them', () => {
  assert.equal(parseYesOrNo('yes'), true);
  assert.equal(parseYesOrNo('no'), false);
  for (const text of ['', 'YES', 'true', 'on', '1', 'false', '0', 'maybe']) {
    assert.throws(() => parseYesOrNo(text), BadValue, text);
  }
});

test('sizes have a number and a unit', () => {
  const good = { '1B': 1, '64KiB': 65_536, '32MiB': 33_554_432, '1.5GiB': 1_610_612_736 };
  for (const [text, bytes] of Object.entries(good)) assert.equal(parseSize(text), bytes);
  for (const text of ['', '5', '5MB', '32 MiB', '-1B', '0B', '0.1B', '2000GiB', '1TiB']) {
    assert.throws(() => parseSize(text), BadValue, text);
  }
});

test('key pairs look as those of Amazon’s examples, or shorter', () => {
  assert.equal(parseAccessKeyId('AKIAIOSFODNN7EXAMPLE'), 'AKIAIOSFODNN7EXAMPLE');
  assert.equal(parseAccessKeyId('dev'), 'dev');
  assert.throws(() => parseAccessKeyId('a/b'), BadValue);
  assert.equal(
    parseSecretAccessKey('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
    'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  );
  assert.throws(() => parseSecretAccessKey('short'), BadValue);
});

test('public names are host names, perhaps with ports', () => {
  assert.deepEqual(parseHostNames(' A.example , [::1]:8480,'), ['a.example', '[::1]:8480']);
  assert.throws(() => parseHostNames('https://a.example'), BadValue);
});

test('a store’s URL gives its path and refuses other schemes', () => {
  assert.equal(parseStoreUrl('sqlite:', 'sqlite', 'rows'), '');
  assert.equal(parseStoreUrl('sqlite:/a/b', 'sqlite', 'rows'), '/a/b');
  assert.equal(parseStoreUrl('disk:///a/b', 'disk', 'archives'), '/a/b');
  assert.throws(() => parseStoreUrl('/a/b', 'disk', 'archives'), /is not a URL/);
  assert.throws(() => parseStoreUrl('s3://b', 'disk', 'archives'), /begins with s3:/);
});
