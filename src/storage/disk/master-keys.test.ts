import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemRandomBytes } from '../../lib/node/random.ts';
import { isStoreError } from '../errors.ts';
import { MasterKeys, masterKeyId, wrappedKeyBytes } from './master-keys.ts';

const [oldKey, newKey] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const dataKey = systemRandomBytes(32);
const identity = new TextEncoder().encode('the file');

describe('MasterKeys', () => {
  test('a wrapped key opens for its own file, and for no other', () => {
    const keys = new MasterKeys([oldKey]);
    const wrapped = keys.wrap(dataKey, identity, systemRandomBytes);
    assert.deepEqual(new Uint8Array(keys.unwrap(wrapped, identity) ?? []), dataKey);
    assert.equal(keys.unwrap(wrapped, new TextEncoder().encode('another')), undefined);
    assert.equal(wrapped.nonce.length + wrapped.sealed.length, wrappedKeyBytes);
  });

  test('a wrapped key of which a bit was changed does not open', () => {
    const keys = new MasterKeys([oldKey]);
    const wrapped = keys.wrap(dataKey, identity, systemRandomBytes);
    for (const part of ['nonce', 'sealed'] as const) {
      for (let bit = 0; bit < wrapped[part].length * 8; bit++) {
        const changed = Uint8Array.from(wrapped[part]);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.equal(keys.unwrap({ ...wrapped, [part]: changed }, identity), undefined);
      }
    }
  });

  test('the first key wraps, and all of them open', () => {
    const before = new MasterKeys([oldKey]);
    const rotating = new MasterKeys([newKey, oldKey]);
    const old = before.wrap(dataKey, identity, systemRandomBytes);
    assert.deepEqual(new Uint8Array(rotating.unwrap(old, identity) ?? []), dataKey);
    const wrapped = rotating.wrap(dataKey, identity, systemRandomBytes);
    assert.equal(Buffer.from(wrapped.masterKeyId).toString('hex'), masterKeyId(newKey));
    assert.equal(rotating.currentId, masterKeyId(newKey));
    assert.deepEqual(rotating.ids, [masterKeyId(newKey), masterKeyId(oldKey)]);
  });

  test('an unknown key is named, together with those that are known', () => {
    const wrapped = new MasterKeys([newKey]).wrap(dataKey, identity, systemRandomBytes);
    const unwrap = () => new MasterKeys([oldKey]).unwrap(wrapped, identity);
    assert.throws(unwrap, (error) => {
      assert.ok(isStoreError(error, 'StoreUnavailable'));
      assert.ok(error.message.includes(masterKeyId(newKey)));
      assert.ok(error.message.includes(masterKeyId(oldKey)));
      return true;
    });
  });

  test('each wrapping has a nonce of its own', () => {
    const keys = new MasterKeys([oldKey]);
    const wrap = () => keys.wrap(dataKey, identity, systemRandomBytes).nonce.toString();
    assert.notEqual(wrap(), wrap());
  });

  test('a key of another length is a defect of the caller', () => {
    assert.throws(() => new MasterKeys([new Uint8Array(31)]), { name: 'AssertionFailed' });
    const keys = new MasterKeys([oldKey]);
    const short = dataKey.subarray(1);
    const wrap = () => keys.wrap(short, identity, systemRandomBytes);
    assert.throws(wrap, { name: 'AssertionFailed' });
  });
});
