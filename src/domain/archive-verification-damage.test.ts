import assert from 'node:assert/strict';
import test from 'node:test';
import type { BlobId } from '../storage/blob-store.ts';
import { ArchiveDamage } from './archive-verification-damage.ts';

const one = 'one' as BlobId;
const two = 'two' as BlobId;

function described(...stretches: readonly (readonly [BlobId, number, number, string])[]) {
  const damage = new ArchiveDamage();
  for (const [blobId, firstByte, lastByte, reason] of stretches) {
    damage.addBytes({ blobId, partName: null, firstByte, lastByte, reason });
  }
  return damage.describe();
}

test('no damage is described by nothing', () => {
  assert.equal(described(), null);
});

test('damage names the blob, every range, and the first reason', () => {
  assert.equal(
    described([one, 0, 9, 'bad sector'], [one, 20, 29, 'worse']),
    'Bytes 0-9, 20-29 are damaged, in blob one: bad sector.',
  );
});

test('ranges that adjoin are one, but not across blobs', () => {
  assert.equal(
    described([one, 0, 9, 'a'], [one, 10, 19, 'b'], [two, 20, 24, 'c'], [two, 25, 29, 'd']),
    'Bytes 0-19 are damaged, in blob one: a. Bytes 20-29 are damaged, in blob two: c.',
  );
});

test('what is wrong with the whole comes first', () => {
  const damage = new ArchiveDamage();
  damage.addBytes({ blobId: one, partName: null, firstByte: 3, lastByte: 4, reason: 'bad' });
  damage.add('The label is another archive’s');
  assert.equal(
    damage.describe(),
    'The label is another archive’s. Bytes 3-4 are damaged, in blob one: bad.',
  );
});

test('a hundred stretches are named, and the others are counted', () => {
  const every = (count: number) =>
    Array.from({ length: count }, (_, index) => [one, index * 4, index * 4 + 1, 'bad'] as const);
  const full = described(...every(100));
  assert.match(full ?? '', /396-397 are damaged, in blob one: bad\.$/);
  const more = described(...every(102), [one, 406, 407, 'bad']);
  assert.equal(more, `${full} So are 2 further stretches of bytes.`);
});

test('a part is named before the blob that it is', () => {
  const damage = new ArchiveDamage();
  damage.addBytes({ blobId: two, partName: 'part 7', firstByte: 3, lastByte: 4, reason: 'bad' });
  assert.equal(damage.describe(), 'Bytes 3-4 are damaged, in part 7, blob two: bad.');
});

test('a hundred sentences are told, and the others are counted', () => {
  const damage = new ArchiveDamage();
  for (let part = 1; part <= 110; part += 1) damage.add(`The label of part ${part} is wrong`);
  const described = damage.describe() ?? '';
  assert.match(
    described,
    /The label of part 100 is wrong\. There are 10 further faults like these\.$/,
  );
});
