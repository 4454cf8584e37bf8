import { assert } from '../lib/assert.ts';

/** SHA-256 of `data`, as 32 fresh bytes. A value, because a browser computes it otherwise. */
export type Sha256 = (data: Uint8Array) => Uint8Array;

/** Developer guide, "Computing Checksums": the data is cut into chunks of 1 MB, which are MiB. */
export const leafSizeBytes = 2 ** 20;

/** Length of one SHA-256 digest, and so of every node of the tree. */
export const digestSizeBytes = 32;

/**
 * The tree hash of data whose leaves are given: the SHA-256 of each MiB, 32 bytes each, one behind
 * the other. The same procedure combines the tree hashes of parts, as long as every part but the
 * last is 2^k MiB long. No leaves at all stand for empty data.
 */
export function treeHash(leaves: Uint8Array, sha256: Sha256): Uint8Array {
  assert(leaves.length % digestSizeBytes === 0, 'Leaves are whole digests');
  const tree = new RunningTreeHash(sha256);
  for (let offset = 0; offset < leaves.length; offset += digestSizeBytes) {
    tree.add(leaves.subarray(offset, offset + digestSizeBytes));
  }
  return tree.digest();
}

/** The digests of each MiB of `data`, 32 bytes each, one behind the other. */
export function leavesOf(data: Uint8Array, sha256: Sha256): Uint8Array {
  const count = Math.ceil(data.length / leafSizeBytes);
  const leaves = new Uint8Array(count * digestSizeBytes);
  for (let leaf = 0; leaf < count; leaf++) {
    const chunk = data.subarray(leaf * leafSizeBytes, (leaf + 1) * leafSizeBytes);
    leaves.set(sha256(chunk), leaf * digestSizeBytes);
  }
  return leaves;
}

/**
 * A tree hash that is fed leaf by leaf and keeps one node per level. Node k, where there is one,
 * covers 2^k leaves: the set of nodes is the number of leaves in binary, and adding a leaf is
 * adding one.
 */
export class RunningTreeHash {
  readonly #sha256: Sha256;
  readonly #pending: (Uint8Array | undefined)[] = [];
  readonly #pair = new Uint8Array(2 * digestSizeBytes);

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  /** Takes the next leaf, 32 bytes. They are copied: the caller may use the array again. */
  add(leaf: Uint8Array): void {
    assert(leaf.length === digestSizeBytes, 'A leaf is one digest');
    let node: Uint8Array = Uint8Array.from(leaf);
    let level = 0;
    for (let left = this.#pending[level]; left !== undefined; left = this.#pending[level]) {
      node = this.#parent(left, node);
      this.#pending[level] = undefined;
      level++;
    }
    this.#pending[level] = node;
  }

  /** The tree hash of the leaves taken so far. More may follow. */
  digest(): Uint8Array {
    let root: Uint8Array | undefined;
    for (const left of this.#pending) {
      if (left === undefined) continue;
      // Developer guide, "Computing Checksums": a node without a neighbour is promoted unchanged.
      root = root === undefined ? left : this.#parent(left, root);
    }
    return root === undefined ? this.#sha256(new Uint8Array(0)) : Uint8Array.from(root);
  }

  #parent(left: Uint8Array, right: Uint8Array): Uint8Array {
    this.#pair.set(left, 0);
    this.#pair.set(right, digestSizeBytes);
    return this.#sha256(this.#pair);
  }
}

/** Bytes as lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex;
}

/** The bytes that hexadecimal digits of either case stand for; nothing when they are not such. */
export function fromHex(hex: string): Uint8Array | undefined {
  if (hex.length % 2 !== 0 || !/^[0-9A-Fa-f]*$/.test(hex)) return undefined;
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  }
  return bytes;
}
