import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  isMegabyteAligned,
  isTreeHashAligned,
  parseRangeHeader,
  parseRetrievalByteRange,
} from './byte-range.ts';

const MiB = 2 ** 20;

/** The ranges of leaves below each node of a tree of `leafCount` leaves, built level by level. */
function nodesOf(leafCount: number): Set<string> {
  const nodes = new Set<string>();
  let level = Array.from({ length: leafCount }, (_, leaf): [number, number] => [leaf, leaf + 1]);
  for (;;) {
    for (const [from, to] of level) nodes.add(`${from}-${to}`);
    if (level.length <= 1) return nodes;
    const above: [number, number][] = [];
    for (let at = 0; at < level.length; at += 2) {
      const [from, to] = level[at] ?? [0, 0];
      above.push([from, level[at + 1]?.[1] ?? to]);
    }
    level = above;
  }
}

function leafRange(from: number, to: number, sizeBytes: number) {
  return { firstByte: from * MiB, lastByte: Math.min(to * MiB, sizeBytes) - 1 };
}

test('a range is tree-hash aligned exactly when it is a node, for 1 to 69 leaves', () => {
  for (let leafCount = 1; leafCount <= 69; leafCount++) {
    const nodes = nodesOf(leafCount);
    for (const sizeBytes of [leafCount * MiB, leafCount * MiB - 1, (leafCount - 1) * MiB + 1]) {
      for (let from = 0; from < leafCount; from++) {
        for (let to = from + 1; to <= leafCount; to++) {
          const range = leafRange(from, to, sizeBytes);
          const what = `[${from}, ${to}) of ${leafCount}`;
          assert.equal(isTreeHashAligned(range, sizeBytes), nodes.has(`${from}-${to}`), what);
          assert.ok(isMegabyteAligned(range, sizeBytes), what);
        }
      }
    }
  }
});

test('inside an aligned range, counting from its start or from the archive gives the same', () => {
  for (let leafCount = 1; leafCount <= 33; leafCount++) {
    const sizeBytes = leafCount * MiB - 7;
    for (const node of nodesOf(leafCount)) {
      const [nodeFrom = 0, nodeTo = 0] = node.split('-').map(Number);
      const outer = leafRange(nodeFrom, nodeTo, sizeBytes);
      const innerSize = outer.lastByte - outer.firstByte + 1;
      for (let from = 0; from < nodeTo - nodeFrom; from++) {
        for (let to = from + 1; to <= nodeTo - nodeFrom; to++) {
          const inside = isTreeHashAligned(leafRange(from, to, innerSize), innerSize);
          const absolute = leafRange(nodeFrom + from, nodeFrom + to, sizeBytes);
          assert.equal(inside, isTreeHashAligned(absolute, sizeBytes));
        }
      }
    }
  }
});

test('the aligned ranges of 6.5 MiB are the thirteen that the guide counts', () => {
  const sizeBytes = 6.5 * MiB;
  const aligned: string[] = [];
  for (let from = 0; from < 7; from++) {
    for (let to = from + 1; to <= 7; to++) {
      const range = leafRange(from, to, sizeBytes);
      if (isTreeHashAligned(range, sizeBytes)) aligned.push(`${from}-${Math.min(to, 6.5)}`);
    }
  }
  const expected = '0-1 0-2 0-4 0-6.5 1-2 2-3 2-4 3-4 4-5 4-6 4-6.5 5-6 6-6.5';
  assert.equal(aligned.join(' '), expected);
});

test('a range that starts or ends within a MiB is not aligned', () => {
  fc.assert(
    fc.property(fc.nat(40 * MiB), fc.nat(40 * MiB), fc.nat(40 * MiB), (first, length, rest) => {
      const range = { firstByte: first, lastByte: first + length };
      const sizeBytes = first + length + 1 + rest;
      const endsWell = (first + length + 1) % MiB === 0 || rest === 0;
      assert.equal(isMegabyteAligned(range, sizeBytes), first % MiB === 0 && endsWell);
      if (isTreeHashAligned(range, sizeBytes)) assert.ok(isMegabyteAligned(range, sizeBytes));
    }),
  );
});

test('a range that leaves the archive is not aligned', () => {
  assert.equal(isMegabyteAligned({ firstByte: 0, lastByte: 2 * MiB - 1 }, MiB), false);
  assert.equal(isTreeHashAligned({ firstByte: 0, lastByte: 2 * MiB - 1 }, MiB), false);
  assert.equal(isMegabyteAligned({ firstByte: MiB, lastByte: 0 }, 4 * MiB), false);
  assert.equal(isMegabyteAligned({ firstByte: 0, lastByte: 0 }, 0), false);
});

test('alignment is exact for the largest archive', () => {
  const sizeBytes = 40_000 * 2 ** 30;
  const half = 2 ** 25 * MiB;
  assert.ok(isTreeHashAligned({ firstByte: 0, lastByte: half - 1 }, sizeBytes));
  assert.ok(isTreeHashAligned({ firstByte: half, lastByte: sizeBytes - 1 }, sizeBytes));
  assert.equal(isTreeHashAligned({ firstByte: MiB, lastByte: half - 1 }, sizeBytes), false);
});

// biome-ignore format: a table reads best as a table
const headers: readonly [value: string | undefined, result: string][] = [
  [undefined,              'whole'],
  ['',                     'whole'],
  ['bytes=0-0',            '0-0'],
  ['bytes=0-99',           '0-99'],
  ['bytes=0-98',           '0-98'],
  ['bytes=99-99',          '99-99'],
  ['bytes=0-100',          '0-99'],
  ['bytes=50-4194303',     '50-99'],
  ['bytes=1-99999999999999999999999', '1-99'],
  ['bytes=007-010',        '7-10'],
  ['Bytes=1-2',            '1-2'],
  ['bytes= 1-2',           '1-2'],
  ['bytes=100-100',        'past-end'],
  ['bytes=8388608-12582911', 'past-end'],
  ['bytes=100-',           'past-end'],
  ['bytes=99999999999999999999-99999999999999999999', 'past-end'],
  ['bytes=9007199254740993-9007199254740992', 'whole'],
  ['bytes=10-',            '10-99'],
  ['bytes=0-',             '0-99'],
  ['bytes=-10',            '90-99'],
  ['bytes=-100',           '0-99'],
  ['bytes=-1000',          '0-99'],
  ['bytes=-0',             'past-end'],
  ['bytes=-',              'whole'],
  ['bytes=9-8',            'whole'],
  ['bytes 0-99/200',       'whole'],
  ['Range: bytes=0-99',    'whole'],
  ['0-99/493',             'whole'],
  ['0-99',                 'whole'],
  ['bytes=0-9,20-29',      'whole'],
  ['bytes=0-9, 20-29',     'whole'],
  ['bytes=a-b',            'whole'],
  ['bytes=+1-2',           'whole'],
  ['bytes=1.5-2',          'whole'],
  ['bytes=1e1-20',         'whole'],
  ['bytes=0x1-0x2',        'whole'],
  ['bytes=٠-٩',            'whole'],
  ['items=0-9',            'whole'],
];

for (const [value, result] of headers) {
  test(`of 100 bytes, the Range header ${JSON.stringify(value)} gives ${result}`, () => {
    const range = parseRangeHeader(value, 100);
    const text = typeof range === 'string' ? range : `${range.firstByte}-${range.lastByte}`;
    assert.equal(text, result);
  });
}

test('of an empty output every first byte is past the end', () => {
  assert.equal(parseRangeHeader('bytes=0-', 0), 'past-end');
  assert.equal(parseRangeHeader('bytes=0-9', 0), 'past-end');
  assert.equal(parseRangeHeader('bytes=-9', 0), 'whole');
});

test('a range that was understood lies within the output', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(), (first, last, sizeBytes) => {
      const range = parseRangeHeader(`bytes=${first}-${last}`, sizeBytes);
      if (last < first) assert.equal(range, 'whole');
      else if (first >= sizeBytes) assert.equal(range, 'past-end');
      else assert.deepEqual(range, { firstByte: first, lastByte: Math.min(last, sizeBytes - 1) });
    }),
  );
});

test('any Range header at all is either understood or without effect', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((s) => `bytes=${s}`),
      ),
      (value) => {
        const range = parseRangeHeader(value, 1000);
        if (typeof range === 'string') return;
        assert.ok(0 <= range.firstByte && range.firstByte <= range.lastByte);
        assert.ok(range.lastByte < 1000);
      },
    ),
  );
});

test('a retrieval byte range is two decimal numbers', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
      const [firstByte, lastByte] = a <= b ? [a, b] : [b, a];
      assert.deepEqual(parseRetrievalByteRange(`${firstByte}-${lastByte}`), {
        firstByte,
        lastByte,
      });
      if (a !== b) assert.equal(parseRetrievalByteRange(`${lastByte}-${firstByte}`), undefined);
    }),
  );
});

const malformed = [
  '',
  '-',
  '0',
  '0-',
  '-1',
  '1-0',
  ' 0-1',
  '0-1 ',
  '0-1\n',
  '0 - 1',
  '+0-1',
  '0-1e3',
  '0x0-0x1',
  'bytes=0-1',
  '0-9007199254740992',
  '9007199254740992-9007199254740993',
  '٠-١',
];
for (const text of malformed) {
  test(`${JSON.stringify(text)} is not a retrieval byte range`, () => {
    assert.equal(parseRetrievalByteRange(text), undefined);
  });
}
