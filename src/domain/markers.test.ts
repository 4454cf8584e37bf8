import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { GlacierError } from '../protocol/errors.ts';
import { Markers, type Place, timeAndId } from './markers.ts';

fc.configureGlobal({ seed: 20_260_131 });

const markers = new Markers(new Uint8Array(32).fill(7));
const places: fc.Arbitrary<Place> = fc.array(fc.oneof(fc.string(), fc.integer()));

function isRefused(open: () => unknown, marker: string): void {
  assert.throws(open, (error) => {
    assert.ok(error instanceof GlacierError);
    assert.equal(error.code, 'InvalidParameterValueException');
    assert.equal(error.message, `Invalid marker: ${marker}`);
    return true;
  });
}

test('a marker opens to the place that was sealed, also after a restart', () => {
  fc.assert(
    fc.property(fc.string(), places, (scope, place) => {
      const marker = markers.seal(scope, place);
      const again = new Markers(new Uint8Array(32).fill(7));
      assert.deepEqual(again.open(scope, marker), place);
    }),
  );
});

test('a marker has only letters that need no escaping in a URL', () => {
  fc.assert(
    fc.property(places, (place) => {
      assert.match(markers.seal('jobs/1', place), /^[A-Za-z0-9_-]+$/);
    }),
  );
});

test('a marker of another list, or of another server, is refused', () => {
  const marker = markers.seal('jobs/one', [1, 'a']);
  isRefused(() => markers.open('jobs/other', marker), marker);
  isRefused(() => markers.open('inventory/one', marker), marker);
  isRefused(() => new Markers(new Uint8Array(32)).open('jobs/one', marker), marker);
});

test('a marker of which one letter was changed is refused', () => {
  const marker = markers.seal('jobs/one', [1_769_869_593_031, 'x'.repeat(92)]);
  for (let at = 0; at < marker.length; at += 1) {
    const changed = marker.slice(0, at) + (marker[at] === 'A' ? 'B' : 'A') + marker.slice(at + 1);
    isRefused(() => markers.open('jobs/one', changed), changed);
  }
});

test('a marker that was cut, prolonged or written differently is refused', () => {
  const marker = markers.seal('jobs/one', [1, 'a']);
  const others = [
    '',
    marker.slice(0, 10),
    marker.slice(0, -1),
    `${marker}A`,
    `${marker}=`,
    ` ${marker}`,
    `${marker}\n`,
    Buffer.from(marker, 'base64url').subarray(0, 16).toString('base64url'),
  ];
  for (const other of others) isRefused(() => markers.open('jobs/one', other), other);
});

/** Any UTF-16 code unit, halves of pairs included. */
const anyUnit = fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code));

test('no text whatever makes opening throw anything but 400', () => {
  const texts = fc.oneof(
    fc.string({ unit: anyUnit }),
    fc.base64String(),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  );
  fc.assert(fc.property(texts, (text) => isRefused(() => markers.open('jobs/one', text), text)));
});

test('a place of another form than time and id is refused', () => {
  assert.deepEqual(timeAndId([5, 'a'], 'marker'), { atMs: 5, id: 'a' });
  for (const place of [[], [5], ['a', 5], ['5', 'a']]) {
    isRefused(() => timeAndId(place, 'marker'), 'marker');
  }
});
