// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policies write their variables so.
import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';
import test from 'node:test';
import fc from 'fast-check';
import { parseIpRange } from './ip-range.ts';

const v4 = (first: bigint, prefixBits: number) => ({ family: 4, first, prefixBits });
const v6 = (first: bigint, prefixBits: number) => ({ family: 6, first, prefixBits });

for (const [written, range] of [
  ['10.0.0.0/8', v4(0x0a000000n, 8)],
  ['203.0.113.7', v4(0xcb007107n, 32)],
  ['203.0.113.7/24', v4(0xcb007100n, 24)],
  ['0.0.0.0/0', v4(0n, 0)],
  ['::/0', v6(0n, 0)],
  ['::1', v6(1n, 128)],
  ['2001:db8::/32', v6(0x2001_0db8n << 96n, 32)],
  ['2001:DB8:0:0:0:0:0:1', v6((0x2001_0db8n << 96n) | 1n, 128)],
  ['2001:db8::192.0.2.33', v6((0x2001_0db8n << 96n) | 0xc0000221n, 128)],
  ['::ffff:10.0.0.0/104', v4(0x0a000000n, 8)],
  ['::ffff:0:0/95', v6(0xfffen << 32n, 95)],
  ['::ffff:a00:1', v4(0x0a000001n, 32)],
] as const) {
  test(`${written} is read as a range`, () => {
    assert.deepEqual(parseIpRange(written), range);
  });
}

for (const written of [
  ...['', '/8', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0', '256.0.0.1'],
  ...['010.0.0.1', '10.0.0.1.1', '10.0.0.*', ' 10.0.0.1', '0x0a.0.0.1', 'localhost', ':', ':::'],
  ...[
    '::1/129',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    '::1.2.3',
    'fe80::1%eth0',
  ],
  ...['1:2:3:4:5:6:7::8', '1.2.3.4::', '::1.2.3.4:5', '${aws:SourceIp}'],
]) {
  test(`${JSON.stringify(written)} is no range`, () => {
    assert.equal(parseIpRange(written), undefined);
  });
}

const addressText = (range: { family: 4 | 6; first: bigint }) => {
  const [count, width, base] = range.family === 4 ? [4, 8n, 10] : [8, 16n, 16];
  const groups = Array.from({ length: count }, (_, index) =>
    ((range.first >> (BigInt(count - 1 - index) * width)) & ((1n << width) - 1n)).toString(base),
  );
  return groups.join(range.family === 4 ? '.' : ':');
};

test('what is an address to Node is one here, and has the same value', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      assert.notEqual(isIP(address), 0);
      const range = parseIpRange(address);
      assert.ok(range !== undefined, address);
      const list = new BlockList();
      list.addAddress(addressText(range), `ipv${range.family}`);
      assert.ok(list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6'), address);
    }),
    { numRuns: 1000 },
  );
});

test('what is no address to Node is none here', () => {
  const hostile = fc
    .array(fc.constantFrom('::', ':', '.', '0', '1', '255', '256', 'ffff', 'g', '1.2.3.4'))
    .map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(hostile, (written) => {
      assert.equal(parseIpRange(written) !== undefined, isIP(written) !== 0, written);
    }),
    { numRuns: 3000 },
  );
});
