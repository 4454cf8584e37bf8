import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { hmacSha256, runningSha256, sha256, sha256Hex, sha256Pooled } from './sha256.ts';

fc.configureGlobal({ seed: 20_260_131 });

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('the digest of "abc" is the one of FIPS 180-4', () => {
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  assert.equal(sha256Hex('abc'), expected);
  assert.equal(hex(sha256(Buffer.from('abc'))), expected);
});

test('the code of RFC 4231, test case 2, is the one written there', () => {
  const expected = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
  assert.equal(hex(hmacSha256('Jefe', 'what do ya want for nothing?')), expected);
});

test('at once, on the pool and piece by piece give the same digest', async () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(pieces, async (parts) => {
      const whole = new Uint8Array(Buffer.concat(parts));
      const running = runningSha256();
      for (const part of parts) running.update(part);
      const expected = hex(sha256(whole));
      assert.equal(running.digestHex(), expected);
      assert.equal(hex(await sha256Pooled(whole)), expected);
      assert.equal(sha256Hex(whole), expected);
    }),
  );
});
