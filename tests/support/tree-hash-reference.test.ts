import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import {
  isNodeOfTree,
  mebibyte,
  nodeHashOf,
  treeHashOf,
  wholeTreeOf,
} from './tree-hash-reference.ts';

// Worked examples: the letter `a`, so many times.
const examples: readonly (readonly [sizeBytes: number, treeHash: string])[] = [
  [0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  [1, 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
  [mebibyte, '9bc1b2a288b26af7257a36277ae3816a7d4f16e89c1e7e77d0a5c48bad62b360'],
  [mebibyte + 1, '8dd49bbc6297567fac3852c2deddcdbc57358bc403c10d4f6dc64b143ad9b27b'],
  [3 * mebibyte, '70239f4f2ead7561f69d48b956b547edef52a1280a93c262c0b582190be7db17'],
  [6.5 * mebibyte, '0dae0a3f606e3eae41361ffc1dc3e1c5311ae06f9c14299ca46052f89947f412'],
];

for (const [sizeBytes, treeHash] of examples) {
  test(`the reference computes the documented tree hash of ${sizeBytes} bytes`, () => {
    assert.equal(treeHashOf(Buffer.alloc(sizeBytes, 'a')), treeHash);
  });
}

test('the tree hash of up to 1 MiB is its SHA-256', () => {
  const data = Buffer.alloc(mebibyte, 'b');
  assert.equal(treeHashOf(data), createHash('sha256').update(data).digest('hex'));
});

test('the reference finds the thirteen documented nodes of the tree over 6.5 MiB', () => {
  const sizeBytes = 6.5 * mebibyte;
  const found: string[] = [];
  for (let from = 0; from < 7; from += 1) {
    for (let to = from + 1; to <= 7; to += 1) {
      const last = Math.min(to * mebibyte, sizeBytes) - 1;
      if (isNodeOfTree(from * mebibyte, last, sizeBytes)) found.push(`${from}-${to}`);
    }
  }
  const documented = '0-1 0-2 0-4 0-7 1-2 2-3 2-4 3-4 4-5 4-6 4-7 5-6 6-7';
  assert.deepEqual(found, documented.split(' '));
});

// A worked example: 6.5 MiB, each MiB filled with the number of its place.
const nodes: readonly (readonly [fromMiB: number, toMiB: number, treeHash: string])[] = [
  [0, 1, '30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58'],
  [1, 2, 'ee78cd29d3a534713b36e6ff6fa3668c8a8f851a542d5eb2401c25ca4e057d02'],
  [6, 6.5, '1fc15a7fa5716499f176527299306aedc7f7ee9c523932efb6da89e71886726d'],
  [2, 4, 'd1d5b496d3337e6a861029592334a156fb35d4236b34377b7fa0d504c9f775b3'],
  [0, 4, '67b4bca77c9935ead8b071feb32ccccc142dfb5a2674650a1320f6fbcef943c6'],
  [4, 6.5, 'ab6d8ef5453c3b378223882314a706ceef45392913a31a8ee404894e8df97d91'],
  [0, 6.5, '1bec740b9e7b5da352a727ef3b50e9b24717450758ec506d3a8d45b59ca4f759'],
];

test('the whole tree over 6.5 MiB has the documented nodes, and none between them', () => {
  const data = Buffer.concat(
    Array.from({ length: 7 }, (_, index) => Buffer.alloc(mebibyte, index)),
  ).subarray(0, 6.5 * mebibyte);
  const tree = wholeTreeOf(data);
  for (const [from, to, treeHash] of nodes) {
    assert.equal(nodeHashOf(tree, from * mebibyte, to * mebibyte - 1), treeHash);
  }
  for (const [from, to] of [
    [1, 3],
    [0, 3],
    [2, 6.5],
    [0, 6],
  ] as const) {
    assert.equal(nodeHashOf(tree, from * mebibyte, to * mebibyte - 1), undefined);
  }
});
