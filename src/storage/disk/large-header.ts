import { assert } from '../../lib/assert.ts';
import { sha256 } from '../../lib/node/sha256.ts';

/** What the header of a blob's own file says. FORMAT.md has every byte. */
export interface LargeHeader {
  readonly writtenAtMs: number;
  readonly nonce: string;
  readonly sizeBytes: number;
  /** The SHA-256 of the leaf hashes, which follow the blob. */
  readonly leavesSha256: Uint8Array;
}

/** The blob begins after as many bytes, so that its frames lie on whole pages. */
export const largeHeaderBytes = 4096;

const magic = Buffer.from('FIRNBLB\x01', 'latin1');
const checksumOffset = largeHeaderBytes - 32;

export function encodeLargeHeader(header: LargeHeader): Buffer {
  assert(header.nonce.length === 32 && header.leavesSha256.length === 32, 'header is whole');
  const bytes = Buffer.alloc(largeHeaderBytes);
  bytes.set(magic, 0);
  bytes.writeBigUInt64BE(BigInt(header.writtenAtMs), 8);
  bytes.write(header.nonce, 16, 'hex');
  bytes.writeBigUInt64BE(BigInt(header.sizeBytes), 32);
  bytes.set(header.leavesSha256, 40);
  bytes.set(sha256(bytes.subarray(0, checksumOffset)), checksumOffset);
  return bytes;
}

/** What `bytes` say, or in a sentence why they are not an intact header. */
export function decodeLargeHeader(bytes: Buffer): LargeHeader | string {
  if (bytes.length < largeHeaderBytes) return 'its file ends within the header';
  const version = bytes[magic.length - 1];
  const isOurs = magic.subarray(0, -1).equals(bytes.subarray(0, magic.length - 1));
  if (isOurs && version !== magic.at(-1)) {
    return `its file says format version ${version}, and this program reads version 1`;
  }
  const checksum = sha256(bytes.subarray(0, checksumOffset));
  if (!isOurs || Buffer.compare(checksum, bytes.subarray(checksumOffset)) !== 0) {
    return 'the header of its file fails its checksum';
  }
  return {
    writtenAtMs: Number(bytes.readBigUInt64BE(8)),
    nonce: bytes.toString('hex', 16, 32),
    sizeBytes: Number(bytes.readBigUInt64BE(32)),
    leavesSha256: Uint8Array.from(bytes.subarray(40, 72)),
  };
}
