import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { sha256 } from '../../src/lib/node/sha256.ts';
import { leafSizeBytes, toHex, treeHash } from '../../src/protocol/tree-hash.ts';

/** A stretch of the source, and what a client has to know about it to upload it. */
export interface Stretch {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly treeHash: string;
}

/** A file of random bytes, as a whole and in parts. */
export interface PartSource extends Stretch {
  readonly file: string;
  readonly partSizeBytes: number;
  readonly parts: readonly Stretch[];
}

/** All parts are of the same size, which is a power of two, but perhaps the last one. */
export function makePartSource(
  file: string,
  { mib, partMib }: { readonly mib: number; readonly partMib: number },
): PartSource {
  const whole = createHash('sha256');
  const leaves: Uint8Array[] = [];
  const parts: Stretch[] = [];
  const bytes = Buffer.alloc(partMib * leafSizeBytes);
  const descriptor = openSync(file, 'wx');
  try {
    for (let at = 0; at < mib; at += partMib) {
      const part = bytes.subarray(0, Math.min(partMib, mib - at) * leafSizeBytes);
      randomFillSync(part);
      writeSync(descriptor, part);
      whole.update(part);
      const own = leavesOf(part);
      leaves.push(...own);
      parts.push({
        offsetBytes: at * leafSizeBytes,
        sizeBytes: part.length,
        sha256: toHex(sha256(part)),
        treeHash: treeHashOf(own),
      });
    }
  } finally {
    closeSync(descriptor);
  }
  return {
    file,
    partSizeBytes: partMib * leafSizeBytes,
    parts,
    offsetBytes: 0,
    sizeBytes: mib * leafSizeBytes,
    sha256: whole.digest('hex'),
    treeHash: treeHashOf(leaves),
  };
}

/** The tree hash of bytes whose leaves are given. */
export function treeHashOf(leaves: readonly Uint8Array[]): string {
  return toHex(treeHash(Buffer.concat(leaves), sha256));
}

function leavesOf(bytes: Buffer): Uint8Array[] {
  const leaves: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += leafSizeBytes) {
    leaves.push(sha256(bytes.subarray(at, at + leafSizeBytes)));
  }
  return leaves;
}
