import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { systemRandomBytes } from '../../lib/node/random.ts';
import { nonceOf, openSealed, type SealedPlace, SealingKey, tagBytes } from './data-key.ts';

const place = { kind: 1, position: 4096 };

describe('SealingKey', () => {
  test('what was sealed opens, in however many parts it came', () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 });
    fc.assert(
      fc.property(parts, fc.uint8Array({ maxLength: 40 }), (each, context) => {
        const key = new SealingKey(systemRandomBytes(32));
        const plain = Buffer.concat(each);
        const sealed = new Uint8Array(plain.length + tagBytes);
        const count = key.seal(each, { ...place, context }, sealed);
        for (const opener of [key.bytes, key.keyObject]) {
          const opened = openSealed(opener, { sealed, count, place: { ...place, context } });
          assert.deepEqual(opened, plain);
        }
      }),
      { seed: 20_260_301 },
    );
  });

  test('a part may lie where its sealed bytes go', () => {
    const key = new SealingKey(systemRandomBytes(32));
    const sealed = Buffer.from(`what is kept${'\0'.repeat(tagBytes)}`);
    const count = key.seal([sealed.subarray(0, -tagBytes)], place, sealed);
    assert.equal(openSealed(key.bytes, { sealed, count, place })?.toString(), 'what is kept');
  });

  test('no count is given twice', () => {
    const key = new SealingKey(systemRandomBytes(32));
    const counts = [key.nextCount, key.nextCount, key.takeCount(), key.nextCount];
    counts.push(key.seal([], place, new Uint8Array(tagBytes)), key.takeCount());
    assert.deepEqual(counts, [0, 0, 0, 1, 1, 2]);
    // Not even by a sealing that fails.
    assert.throws(() => key.seal([], place, new Uint8Array(tagBytes + 1)));
    assert.equal(key.nextCount, 4);
  });

  test('sealed bytes do not open elsewhere, under another count, or with a bit changed', () => {
    const key = new SealingKey(systemRandomBytes(32));
    const sealed = new Uint8Array(4 + tagBytes);
    const context = Uint8Array.of(1, 2);
    const right = { ...place, context };
    const count = key.seal([Uint8Array.of(1, 2, 3, 4)], right, sealed);
    const wrong: SealedPlace[] = [
      { ...right, kind: 2 },
      { ...right, position: 4160 },
      { ...right, context: Uint8Array.of(1, 3) },
      place,
    ];
    for (const each of wrong) {
      assert.equal(openSealed(key.bytes, { sealed, count, place: each }), undefined);
    }
    const other = { sealed, count: count + 1, place: right };
    assert.equal(openSealed(key.bytes, other), undefined);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(openSealed(key.bytes, { sealed: changed, count, place: right }), undefined);
    }
    const short = { sealed: sealed.subarray(0, tagBytes - 1), count, place: right };
    assert.equal(openSealed(key.bytes, short), undefined);
  });

  test('a nonce is the count, in its last eight bytes', () => {
    assert.equal(nonceOf(0x0102_0304_0506).toString('hex'), '000000000000010203040506');
  });

  test('a key of another length is a defect of the caller', () => {
    assert.throws(() => new SealingKey(new Uint8Array(16)), { name: 'AssertionFailed' });
  });
});
