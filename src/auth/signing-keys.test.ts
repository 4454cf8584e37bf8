import assert from 'node:assert/strict';
import test from 'node:test';
import { deriveSigningKey } from '../protocol/sigv4.ts';
import { nodeHashes, SigningKeys } from './signing-keys.ts';

const owner = { accessKeyId: 'AK', secretAccessKey: 'secret' };
const scope = { date: '20120525', region: 'r', service: 'glacier', terminator: 'aws4_request' };

test('a kept key is the derived key', () => {
  const keys = new SigningKeys(10);
  const derived = deriveSigningKey('secret', scope, nodeHashes);
  assert.deepEqual(keys.get(owner, scope), derived);
  assert.equal(keys.get(owner, scope), keys.get(owner, scope));
  assert.equal(keys.size, 1);
});

test('another secret, day, region or service has another key', () => {
  const keys = new SigningKeys(10);
  const first = keys.get(owner, scope);
  assert.notDeepEqual(keys.get({ ...owner, secretAccessKey: 'new' }, scope), first);
  assert.notDeepEqual(keys.get(owner, { ...scope, date: '20120526' }), first);
  assert.notDeepEqual(keys.get(owner, { ...scope, region: 's' }), first);
  assert.notDeepEqual(keys.get(owner, { ...scope, service: 'iam' }), first);
  assert.equal(keys.size, 5);
});

test('no more keys are kept than allowed, and the one longest unused goes first', () => {
  const keys = new SigningKeys(3);
  const inRegion = (region: string) => keys.get(owner, { ...scope, region });
  const [a, b] = ['a', 'b', 'c'].map(inRegion);
  assert.equal(inRegion('a'), a);
  inRegion('d');
  assert.equal(keys.size, 3);
  assert.equal(inRegion('a'), a, 'used again, hence kept');
  assert.notEqual(inRegion('b'), b, 'dropped, hence derived again');
  for (let region = 0; region < 100; region++) inRegion(String(region));
  assert.equal(keys.size, 3);
});
