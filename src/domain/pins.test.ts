import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { BlobId } from '../storage/blob-store.ts';
import { Pins } from './pins.ts';

fc.configureGlobal({ seed: 20_260_131 });

const [one, other] = ['one', 'other'] as BlobId[] as [BlobId, BlobId];

test('a blob is held until its holder lets go, and no longer', () => {
  const pins = new Pins();
  {
    using _pin = pins.hold([one]);
    assert.equal(pins.isHeld(one), true);
    assert.equal(pins.isHeld(other), false);
  }
  assert.equal(pins.isHeld(one), false);
});

test('letting go twice frees nothing that somebody else holds', () => {
  const pins = new Pins();
  const first = pins.hold([one]);
  const second = pins.hold([one]);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assert.equal(pins.isHeld(one), true);
  second[Symbol.dispose]();
  assert.equal(pins.isHeld(one), false);
});

test('a blob that stands twice in a list is held until the list is let go', () => {
  const pins = new Pins();
  const pin = pins.hold([one, other, one]);
  assert.equal(pins.isHeld(one), true);
  pin[Symbol.dispose]();
  assert.equal(pins.isHeld(one), false);
  assert.equal(pins.isHeld(other), false);
});

test('a blob is held as long as any of its holders is', () => {
  const ids = ['a', 'b', 'c'] as BlobId[];
  const lists = fc.array(fc.subarray(ids), { maxLength: 8 });
  const steps = fc.array(fc.nat(), { maxLength: 8 });
  fc.assert(
    fc.property(lists, steps, (held, releases) => {
      const pins = new Pins();
      const holders = held.map((list) => ({ list, pin: pins.hold(list) }));
      for (const release of releases) {
        const [gone] = holders.splice(release % Math.max(holders.length, 1), 1);
        gone?.pin[Symbol.dispose]();
        for (const id of ids) {
          assert.equal(
            pins.isHeld(id),
            holders.some(({ list }) => list.includes(id)),
            id,
          );
        }
      }
    }),
  );
});
