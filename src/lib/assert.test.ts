import assert from 'node:assert/strict';
import test from 'node:test';
import { AssertionFailed, defined, assert as holds } from './assert.ts';

test('what holds passes, and what does not is a failed assertion with its message', () => {
  holds(true, 'one is one');
  assert.throws(() => holds(false, 'one is two'), new AssertionFailed('one is two'));
});

test('a value that is there is returned as it is, also when it is falsy', () => {
  for (const value of [0, '', false, Number.NaN]) assert.equal(defined(value, 'it'), value);
});

test('a value that is missing is a failed assertion that names it', () => {
  for (const value of [null, undefined]) {
    assert.throws(() => defined(value, 'the key'), new AssertionFailed('the key is missing'));
  }
});
