import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { isNodeOfTree, mebibyte, treeHashOf } from './tree-hash-reference.ts';

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
