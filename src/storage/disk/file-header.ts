import { assert } from '../../lib/assert.ts';
import { sha256 } from '../../lib/node/sha256.ts';
import type { RandomBytes } from '../../lib/random.ts';
import { SealingKey } from './data-key.ts';
import {
  dataKeyBytes,
  type MasterKeys,
  masterKeyIdBytes,
  type WrappedKey,
  wrappedKeyBytes,
} from './master-keys.ts';

/** Every file of the store has this header twice, apart, since its data key stands in it. */
export const fileHeaderBytes = 4096;
export const formatVersion = 2;

export const fileKinds = { segment: 1, large: 2, journal: 3, snapshot: 4 } as const;
export type FileKind = keyof typeof fileKinds;

/** Which file it is. Bound to its data key: the key of one file opens no other. */
export interface FileIdentity {
  readonly kind: FileKind;
  /** Of the store: 32 hexadecimal digits. */
  readonly storeId: string;
  /** Random, of this file alone: 32 hexadecimal digits. */
  readonly fileId: string;
  /** The number in the name of a segment or journal file; 0 for others. */
  readonly number: number;
  readonly createdAtMs: number;
}

/** What the header of a file says. FORMAT.md has every byte. */
export interface FileHeader extends FileIdentity {
  readonly wrappedKey: WrappedKey;
  /** Of a file that holds one blob: its size, and that of its sealed description; else 0. */
  readonly contentBytes: number;
  readonly descriptionBytes: number;
}

const magic = Buffer.from('FIRNHDR\x02', 'latin1');
const identityBytes = 64;
const wrappedKeyOffset = identityBytes;
const extentOffset = 160;
const checksumOffset = fileHeaderBytes - 32;

/** A key for a new file, and as it is wrapped for its header. */
export function newDataKey(
  identity: FileIdentity,
  { masterKeys, randomBytes }: { masterKeys: MasterKeys; randomBytes: RandomBytes },
): { readonly key: SealingKey; readonly wrappedKey: WrappedKey } {
  const bytes = Uint8Array.from(randomBytes(dataKeyBytes));
  const wrappedKey = masterKeys.wrap(bytes, encodeIdentity(identity), randomBytes);
  return { key: new SealingKey(bytes), wrappedKey };
}

/** The data key of a file that is there; nothing when its wrapping is damaged. */
export function openDataKey(header: FileHeader, masterKeys: MasterKeys): Uint8Array | undefined {
  return masterKeys.unwrap(header.wrappedKey, encodeIdentity(header));
}

/** The header with its data key wrapped anew, under the current master key. */
export function rewrap(
  header: FileHeader,
  dataKey: Uint8Array,
  { masterKeys, randomBytes }: { masterKeys: MasterKeys; randomBytes: RandomBytes },
): FileHeader {
  const wrappedKey = masterKeys.wrap(dataKey, encodeIdentity(header), randomBytes);
  return { ...header, wrappedKey };
}

export function encodeFileHeader(header: FileHeader): Buffer {
  const bytes = Buffer.alloc(fileHeaderBytes);
  bytes.set(encodeIdentity(header), 0);
  const { masterKeyId, nonce, sealed } = header.wrappedKey;
  const wrapped = Buffer.concat([masterKeyId, nonce, sealed]);
  assert(wrapped.length === masterKeyIdBytes + wrappedKeyBytes, 'a wrapped key is whole');
  bytes.set(wrapped, wrappedKeyOffset);
  bytes.writeBigUInt64BE(BigInt(header.contentBytes), extentOffset);
  bytes.writeBigUInt64BE(BigInt(header.descriptionBytes), extentOffset + 8);
  bytes.set(sha256(bytes.subarray(0, checksumOffset)), checksumOffset);
  return bytes;
}

/** What `bytes` say, or in a sentence why they are not an intact header of this format. */
export function decodeFileHeader(bytes: Buffer): FileHeader | string {
  if (bytes.length < fileHeaderBytes) return 'the file ends within a header';
  const isOurs = magic.subarray(0, -1).equals(bytes.subarray(0, magic.length - 1));
  const version = bytes[magic.length - 1];
  if (isOurs && version !== formatVersion) {
    return `the file is in format version ${version}, and this program reads version ${formatVersion}`;
  }
  const checksum = sha256(bytes.subarray(0, checksumOffset));
  if (!isOurs || Buffer.compare(checksum, bytes.subarray(checksumOffset)) !== 0) {
    return 'a header of the file fails its checksum';
  }
  const kind = kindOf(bytes.readUInt8(8));
  if (kind === undefined) return 'the file is of a kind that this program does not know';
  const wrapped = bytes.subarray(wrappedKeyOffset + masterKeyIdBytes);
  return {
    kind,
    storeId: bytes.toString('hex', 16, 32),
    fileId: bytes.toString('hex', 32, 48),
    number: Number(bytes.readBigUInt64BE(48)),
    createdAtMs: Number(bytes.readBigUInt64BE(56)),
    wrappedKey: {
      masterKeyId: Uint8Array.from(bytes.subarray(wrappedKeyOffset, wrappedKeyOffset + 8)),
      nonce: Uint8Array.from(wrapped.subarray(0, 12)),
      sealed: Uint8Array.from(wrapped.subarray(12, wrappedKeyBytes)),
    },
    contentBytes: Number(bytes.readBigUInt64BE(extentOffset)),
    descriptionBytes: Number(bytes.readBigUInt64BE(extentOffset + 8)),
  };
}

function encodeIdentity(identity: FileIdentity): Buffer {
  const bytes = Buffer.alloc(identityBytes);
  bytes.set(magic, 0);
  bytes.writeUInt8(fileKinds[identity.kind], 8);
  const ids = `${identity.storeId}${identity.fileId}`;
  assert(/^[0-9a-f]{64}$/.test(ids), 'ids of a store and a file have 128 bits each');
  bytes.write(ids, 16, 'hex');
  bytes.writeBigUInt64BE(BigInt(identity.number), 48);
  bytes.writeBigUInt64BE(BigInt(identity.createdAtMs), 56);
  return bytes;
}

function kindOf(number: number): FileKind | undefined {
  return (Object.keys(fileKinds) as FileKind[]).find((kind) => fileKinds[kind] === number);
}
