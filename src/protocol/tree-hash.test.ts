import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { sha256 } from '../lib/node/sha256.ts';
import {
  digestSizeBytes,
  fromHex,
  leafSizeBytes,
  leavesOf,
  RunningTreeHash,
  toHex,
  treeHash,
} from './tree-hash.ts';

const MiB = 2 ** 20;

const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** The definition, word for word, level by level. */
function slowTreeHash(level: readonly Uint8Array[]): Uint8Array {
  const [first, second] = level;
  if (first === undefined) return sha256(new Uint8Array(0));
  if (second === undefined) return first;
  const above: Uint8Array[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const pair = level.slice(at, at + 2);
    above.push(pair.length === 2 ? sha256(Buffer.concat(pair)) : Buffer.from(pair[0] ?? []));
  }
  return slowTreeHash(above);
}

function hashHex(data: Uint8Array): string {
  return toHex(treeHash(leavesOf(data, sha256), sha256));
}

const digest = fc.uint8Array({ minLength: digestSizeBytes, maxLength: digestSizeBytes });

// biome-ignore format: a table reads best as a table
const examples: readonly [name: string, sizeBytes: number, hash: string][] = [
  ['no bytes',   0,            emptySha256],
  ['1 byte',     1,            'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
  ['1 MiB - 1',  MiB - 1,      '3311ea1faad557de3899e89a39076c69d9d0cc5b4cff56a0b61339f487395d56'],
  ['1 MiB',      MiB,          '9bc1b2a288b26af7257a36277ae3816a7d4f16e89c1e7e77d0a5c48bad62b360'],
  ['1 MiB + 1',  MiB + 1,      '8dd49bbc6297567fac3852c2deddcdbc57358bc403c10d4f6dc64b143ad9b27b'],
  ['2 MiB',      2 * MiB,      '560c2c9333c719cb00cfdffee3ba293db17f58743cdd1f7e4055373ae6300afa'],
  ['3 MiB',      3 * MiB,      '70239f4f2ead7561f69d48b956b547edef52a1280a93c262c0b582190be7db17'],
  ['4 MiB',      4 * MiB,      '9491cb2ed1d4e7cd53215f4017c23ec4ad21d7050a1e6bb636c4f67e8cddb844'],
  ['4 MiB + 20', 4 * MiB + 20, '12f3cbd6101b981cde074039f6f728071da8879d6f632de8afc7cdf00661b08f'],
  ['5.5 MiB',    5.5 * MiB,    '6fe91a2459edf2f97c31f3533905d61bcb91b434c244c5146fb2d92330db76ea'],
  ['6.5 MiB',    6.5 * MiB,    '0dae0a3f606e3eae41361ffc1dc3e1c5311ae06f9c14299ca46052f89947f412'],
  ['7 MiB',      7 * MiB,      '97c5b900ef1ea71da2b168cbc9a5ca42130bae27ca3ef3277983bc069acaba16'],
];

for (const [name, sizeBytes, hash] of examples) {
  test(`the letter a, ${name}, has the known tree hash`, () => {
    assert.equal(hashHex(new Uint8Array(sizeBytes).fill(0x61)), hash);
  });
}

test('6.5 MiB of distinct chunks have the known hash at every node', () => {
  const data = new Uint8Array(6.5 * MiB);
  for (let chunk = 0; chunk < 7; chunk++) data.fill(chunk, chunk * MiB, (chunk + 1) * MiB);
  const leaves = leavesOf(data, sha256);
  const node = (from: number, to: number) =>
    toHex(treeHash(leaves.subarray(from * digestSizeBytes, to * digestSizeBytes), sha256));

  // biome-ignore format: a table reads best as a table
  const nodes: readonly [from: number, to: number, hash: string][] = [
    [0, 1, '30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58'],
    [1, 2, 'ee78cd29d3a534713b36e6ff6fa3668c8a8f851a542d5eb2401c25ca4e057d02'],
    [2, 3, '2fa4430272111c7854b204001461e16f2c73725b07dde2b6d1dc4f2aa8fe18da'],
    [3, 4, '9ed3b916b5b6b1dbe61b8844c8130657b9bc4f7ff80a07c7835989c911ad430a'],
    [4, 5, 'ef53809b40b5c00c6941da77ffbc903b1c152119d6648d2935ee7da7e1c53a5d'],
    [5, 6, '653186269c00c0561bfcc636c14a56a857f4b9e0e27a560e5745a83c99d7ecd6'],
    [6, 7, '1fc15a7fa5716499f176527299306aedc7f7ee9c523932efb6da89e71886726d'],
    [0, 2, '56000aae067539dced6beb96e22a17d7a596e8824a93fc35dd06c13fba9e9a1b'],
    [2, 4, 'd1d5b496d3337e6a861029592334a156fb35d4236b34377b7fa0d504c9f775b3'],
    [4, 6, 'd640872142ee0da7d1e4d1313d6ebb8087d5a2b1ff89dd954434ffde001fa769'],
    [0, 4, '67b4bca77c9935ead8b071feb32ccccc142dfb5a2674650a1320f6fbcef943c6'],
    [4, 7, 'ab6d8ef5453c3b378223882314a706ceef45392913a31a8ee404894e8df97d91'],
    [0, 7, '1bec740b9e7b5da352a727ef3b50e9b24717450758ec506d3a8d45b59ca4f759'],
  ];
  for (const [from, to, hash] of nodes) assert.equal(node(from, to), hash, `${from}-${to} MiB`);
});

test('up to one MiB, the tree hash is the plain SHA-256', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), (data) => {
      assert.equal(hashHex(data), toHex(sha256(data)));
    }),
  );
});

test('the tree hash of any leaves is what the definition says', () => {
  fc.assert(
    fc.property(fc.array(digest, { maxLength: 300 }), (leaves) => {
      const fast = treeHash(Buffer.concat(leaves), sha256);
      assert.equal(toHex(fast), toHex(slowTreeHash(leaves)));
    }),
  );
});

test('every count of leaves from 0 to 130 hashes as the definition says', () => {
  const leaves: Uint8Array[] = [];
  const running = new RunningTreeHash(sha256);
  for (let count = 0; count <= 130; count++) {
    const expected = toHex(slowTreeHash(leaves));
    assert.equal(toHex(running.digest()), expected, `${count} leaves, running`);
    assert.equal(toHex(treeHash(Buffer.concat(leaves), sha256)), expected, `${count} leaves`);
    const leaf = sha256(Buffer.from([count]));
    leaves.push(leaf);
    running.add(leaf);
  }
});

test('the tree hashes of parts of 2^k MiB combine to the tree hash of the whole', () => {
  fc.assert(
    fc.property(
      fc.array(digest, { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 0, max: 8 }),
      (leaves, k) => {
        const parts: Uint8Array[] = [];
        for (let at = 0; at < leaves.length; at += 2 ** k) {
          parts.push(treeHash(Buffer.concat(leaves.slice(at, at + 2 ** k)), sha256));
        }
        const whole = treeHash(Buffer.concat(leaves), sha256);
        assert.equal(toHex(treeHash(Buffer.concat(parts), sha256)), toHex(whole));
      },
    ),
  );
});

test('parts of 3 MiB do not combine to the tree hash of the whole', () => {
  const leaves = [1, 2, 3, 4, 5, 6].map((byte) => sha256(Buffer.from([byte])));
  const parts = [leaves.slice(0, 3), leaves.slice(3)].map((part) =>
    treeHash(Buffer.concat(part), sha256),
  );
  const whole = treeHash(Buffer.concat(leaves), sha256);
  assert.notEqual(toHex(treeHash(Buffer.concat(parts), sha256)), toHex(whole));
});

test('a leaf is copied, so that its array can be used again', () => {
  const leaf = sha256(Buffer.from('first'));
  const expected = toHex(leaf);
  const running = new RunningTreeHash(sha256);
  running.add(leaf);
  leaf.fill(0);
  assert.equal(toHex(running.digest()), expected);
  running.digest().fill(0);
  assert.equal(toHex(running.digest()), expected);
});

test('leaves that are not whole digests are a defect', () => {
  assert.throws(() => treeHash(new Uint8Array(33), sha256), { name: 'AssertionFailed' });
  assert.throws(() => new RunningTreeHash(sha256).add(new Uint8Array(31)), {
    name: 'AssertionFailed',
  });
});

test('a leaf is one MiB', () => {
  assert.equal(leafSizeBytes, MiB);
  assert.equal(leavesOf(new Uint8Array(MiB + 1), sha256).length, 2 * digestSizeBytes);
});

test('bytes survive the way to hexadecimal digits and back, in either case', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const hex = toHex(bytes);
      assert.equal(hex, Buffer.from(bytes).toString('hex'));
      assert.deepEqual(fromHex(hex), bytes);
      assert.deepEqual(fromHex(hex.toUpperCase()), bytes);
    }),
  );
});

for (const text of ['0', '000', 'zz', '0x', ' 00', '00\n', '٠٠', 'é0']) {
  test(`${JSON.stringify(text)} is not hexadecimal`, () => {
    assert.equal(fromHex(text), undefined);
  });
}
