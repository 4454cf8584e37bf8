import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { systemRandomBytes } from './node/random.ts';
import { AscendingIds, datedId, randomId } from './random.ts';

fc.configureGlobal({ seed: 20_260_131 });

test('an id has its length, is safe in URLs and does not begin with a dash', () => {
  const drawn = fc.integer({ min: 1, max: 200 }).chain((length) =>
    fc.record({
      length: fc.constant(length),
      bytes: fc.uint8Array({ minLength: length, maxLength: length }),
    }),
  );
  fc.assert(
    fc.property(drawn, ({ length, bytes }) => {
      const id = randomId(() => bytes, length);
      assert.match(id, /^[A-Za-z0-9][A-Za-z0-9_-]*$/);
      assert.equal(id.length, length);
    }),
  );
});

test('every letter of an id depends on its own byte', () => {
  const one = randomId(() => new Uint8Array([1, 2, 3, 4]), 4);
  const other = randomId(() => new Uint8Array([1, 2, 9, 4]), 4);
  assert.equal(one.slice(0, 2), other.slice(0, 2));
  assert.notEqual(one[2], other[2]);
  assert.equal(one[3], other[3]);
});

test('each of the 64 letters stands for four of the 256 bytes', () => {
  const counts = new Map<string, number>();
  for (let byte = 0; byte < 256; byte += 1) {
    const letter = randomId(() => new Uint8Array([0, byte]), 2)[1] ?? '';
    counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  assert.equal(counts.size, 64);
  assert.deepEqual([...new Set(counts.values())], [4]);
});

test('the operating system fills as many bytes as it is asked for, each time with others', () => {
  const [one, other] = [systemRandomBytes(32), systemRandomBytes(32)];
  assert.equal(one.length, 32);
  assert.notDeepEqual(one, other);
});

test('a dated id has its length, is safe in URLs, and sorts by its date', () => {
  const times = fc.tuple(fc.nat({ max: 2 ** 47 }), fc.nat({ max: 2 ** 47 }));
  fc.assert(
    fc.property(times, fc.integer({ min: 32, max: 200 }), ([one, other], length) => {
      const [earlier, later] = [one, other].sort((a, b) => a - b) as [number, number];
      const ids = [earlier, later].map((atMs) => datedId(systemRandomBytes, { atMs, length }));
      for (const id of ids) {
        assert.match(id, /^[A-Za-z0-9][A-Za-z0-9_-]*$/);
        assert.equal(id.length, length);
      }
      const [first = '', second = ''] = ids;
      assert.ok(earlier === later || Buffer.compare(Buffer.from(first), Buffer.from(second)) < 0);
    }),
  );
});

test('two dated ids of one moment differ in what is random', () => {
  const [one = '', other = ''] = [1, 2].map(() =>
    datedId(systemRandomBytes, { atMs: 1_800_000_000_000, length: 138 }),
  );
  assert.equal(one.slice(0, 9), other.slice(0, 9));
  assert.notEqual(one.slice(9), other.slice(9));
});

test('ascending ids sort as they were made, also within a millisecond', () => {
  const ids = new AscendingIds(systemRandomBytes, 92);
  const times = [...Array<number>(5000).fill(1_800_000_000_000), 1_800_000_000_001];
  const made = times.map((atMs) => ids.next(atMs));
  assert.deepEqual(made, [...made].sort());
  assert.equal(new Set(made).size, made.length);
  for (const id of made) assert.match(id, /^[A-Za-z0-9][A-Za-z0-9_-]{91}$/);
});
