import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemRandomBytes } from '../../lib/node/random.ts';
import {
  decodeFileHeader,
  encodeFileHeader,
  type FileHeader,
  type FileIdentity,
  type FileKind,
  fileHeaderBytes,
  fileKinds,
  newDataKey,
  openDataKey,
  rewrap,
} from './file-header.ts';
import { MasterKeys } from './master-keys.ts';

const masterKeys = new MasterKeys([new Uint8Array(32).fill(1)]);
const means = { masterKeys, randomBytes: systemRandomBytes };

describe('the header of a file', () => {
  test('what is written is read', () => {
    for (const kind of Object.keys(fileKinds) as FileKind[]) {
      const { header } = newHeader({ kind });
      const bytes = encodeFileHeader(header);
      assert.equal(bytes.length, fileHeaderBytes);
      assert.deepEqual(decodeFileHeader(bytes), header);
    }
  });

  test('a header of which a byte was changed, or that is not whole, is none', () => {
    const bytes = encodeFileHeader(newHeader().header);
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x20;
      assert.equal(typeof decodeFileHeader(changed), 'string', `byte ${at}`);
    }
    assert.match(`${decodeFileHeader(bytes.subarray(1))}`, /ends within a header/);
    assert.match(`${decodeFileHeader(Buffer.alloc(fileHeaderBytes))}`, /fails its checksum/);
  });

  test('a header of another version is refused by name', () => {
    const bytes = encodeFileHeader(newHeader().header);
    bytes[7] = 3;
    assert.match(`${decodeFileHeader(bytes)}`, /version 3, and this program reads version 2/);
  });

  test('the data key opens for the file that it was made for, and no other', () => {
    const { header, keyBytes } = newHeader();
    assert.deepEqual(new Uint8Array(openDataKey(header, masterKeys) ?? []), keyBytes);
    const others: Partial<FileIdentity>[] = [
      { kind: 'journal' },
      { storeId: 'f'.repeat(32) },
      { fileId: 'f'.repeat(32) },
      { number: 8 },
      { createdAtMs: 1 },
    ];
    for (const other of others) {
      assert.equal(openDataKey({ ...header, ...other }, masterKeys), undefined);
    }
    // They are not bound: the description of a file vouches for its size.
    const longer = { ...header, contentBytes: 1, descriptionBytes: 1 };
    assert.deepEqual(new Uint8Array(openDataKey(longer, masterKeys) ?? []), keyBytes);
  });

  test('each file has a key of its own', () => {
    assert.notDeepEqual(newHeader().keyBytes, newHeader().keyBytes);
  });

  test('a header that is wrapped anew opens with the new master key, and is else the same', () => {
    const { header, keyBytes } = newHeader();
    const rotated = new MasterKeys([new Uint8Array(32).fill(2)]);
    const rewrapped = rewrap(header, keyBytes, { ...means, masterKeys: rotated });
    assert.deepEqual({ ...rewrapped, wrappedKey: header.wrappedKey }, header);
    assert.deepEqual(new Uint8Array(openDataKey(rewrapped, rotated) ?? []), keyBytes);
    assert.throws(() => openDataKey(rewrapped, masterKeys), /encrypted under the master key/);
  });

  test('ids that are not 128 bits are a defect of the caller', () => {
    const short = { fileId: '12' };
    assert.throws(() => newHeader(short), { name: 'AssertionFailed' });
  });
});

function newHeader(other: Partial<FileIdentity> = {}): {
  readonly header: FileHeader;
  readonly keyBytes: Uint8Array;
} {
  const identity: FileIdentity = {
    kind: 'large',
    storeId: '000102030405060708090a0b0c0d0e0f',
    fileId: 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
    number: 7,
    createdAtMs: Date.UTC(2026, 0, 1),
    ...other,
  };
  const { key, wrappedKey } = newDataKey(identity, means);
  const header = { ...identity, wrappedKey, contentBytes: 300_000, descriptionBytes: 348 };
  return { header, keyBytes: new Uint8Array(key.bytes) };
}
