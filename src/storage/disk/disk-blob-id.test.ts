import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatBlobId, parseBlobId } from './disk-blob-id.ts';

const nonce = 'fedcba98765432100123456789abcdef';

test('an id is parsed to what it was made of', () => {
  const number = fc.nat({ max: 2 ** 40 });
  fc.assert(
    fc.property(number, number, fc.nat({ max: 2 ** 20 }), (segment, block, sizeBytes) => {
      const offsetBytes = (block % 2 ** 30) * 64;
      const small = { kind: 'small', segment, offsetBytes, sizeBytes, nonce } as const;
      assert.deepEqual(parseBlobId(formatBlobId(small)), small);
      const large = { kind: 'large', writtenAtMs: segment, sizeBytes: block, nonce } as const;
      assert.deepEqual(parseBlobId(formatBlobId(large)), large);
    }),
    { seed: 20_260_104 },
  );
});

test('what no store made is no id', () => {
  const malformed = [
    '',
    'l.1.2',
    `l.01.2.${nonce}`,
    `l.1.2.${nonce.toUpperCase()}`,
    `l.1.2.${nonce}0`,
    `l.1.2.${nonce}\n`,
    `l.1/../2.3.${nonce}`,
    `l.-1.2.${nonce}`,
    `l.1e3.2.${nonce}`,
    `l.1234567890123456.2.${nonce}`,
    `s.1.63.2.${nonce}`,
    `s.1.64.1048577.${nonce}`,
    `s.1.64.${nonce}`,
    `x.1.64.2.${nonce}`,
  ];
  for (const id of malformed) assert.equal(parseBlobId(id), undefined, JSON.stringify(id));
});
