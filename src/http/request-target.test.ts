import assert from 'node:assert/strict';
import test from 'node:test';
import { originForm, parseQuery } from './request-target.ts';

for (const [target, expected] of [
  ['/-/vaults?a', '/-/vaults?a'],
  ['http://host/-/vaults?a', '/-/vaults?a'],
  ['HTTPS://host:8480/-/vaults//x/..', '/-/vaults//x/..'],
  ['http://host', '/'],
  ['http://host?a=b', '/?a=b'],
  ['/http://host/x', '/http://host/x'],
  ['*', '*'],
] as const) {
  test(`${target} asks for ${expected}`, () => {
    assert.equal(originForm(target), expected);
  });
}

for (const [target, expected] of [
  ['/x', {}],
  ['/x?', {}],
  ['/x?limit', { limit: '' }],
  ['/x?limit=&marker=', { limit: '', marker: '' }],
  ['/x?a=1&a=2', { a: '1' }],
  ['/x?a=b=c', { a: 'b=c' }],
  ['/x?a=b+c%20%2B', { a: 'b+c +' }],
  ['/x?%61=%c3%a9', { a: 'é' }],
  ['/x?a=%zz&b=%ff', { a: '%zz', b: '%ff' }],
  ['/x?&&a=?', { a: '?' }],
] as const) {
  test(`the query of ${target} is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(Object.fromEntries(parseQuery(target)), expected);
  });
}
