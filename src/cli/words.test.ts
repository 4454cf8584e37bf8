import assert from 'node:assert/strict';
import test from 'node:test';
import { bytesText, countText, dateText, durationText, factLines } from './words.ts';

test('bytes have the unit that keeps the number short', () => {
  const texts = {
    0: '0 B',
    1023: '1023 B',
    1024: '1.0 KiB',
    1536: '1.5 KiB',
    104857600: '100 MiB',
  };
  for (const [bytes, text] of Object.entries(texts)) assert.equal(bytesText(Number(bytes)), text);
  assert.equal(bytesText(2 ** 60), '1024 PiB');
});

test('counts agree with their nouns', () => {
  assert.equal(countText(1, 'archive'), '1 archive');
  assert.equal(countText(1234, 'archive'), '1,234 archives');
  assert.equal(countText(0, 'batch', 'batches'), '0 batches');
});

test('durations and dates are written out', () => {
  assert.equal(durationText(400), '0 s');
  assert.equal(durationText(125_000), '2 min 5 s');
  assert.equal(durationText(12_000_000), '3 h 20 min');
  assert.equal(dateText(0), '1970-01-01T00:00:00.000Z');
  assert.equal(dateText(null), 'never');
});

test('facts are aligned', () => {
  assert.equal(
    factLines([
      ['a', '1'],
      ['long', '2'],
    ]),
    'a     1\nlong  2\n',
  );
});
