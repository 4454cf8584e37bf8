import { createHash } from 'node:crypto';

export const mebibyte = 1024 * 1024;

const sha256 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/**
 * The SHA-256 tree hash by its definition, level by level, as slow as that is: hashes of 1 MiB
 * chunks are paired until one is left, and one without a partner goes up as it is.
 */
export function treeHashOf(data: Uint8Array): string {
  return nodesOf(data).at(-1)?.[0]?.toString('hex') ?? '';
}

/** All levels of the tree, the leaves first. */
function nodesOf(data: Uint8Array): Buffer[][] {
  let level: Buffer[] = [];
  for (let at = 0; at < data.length || at === 0; at += mebibyte) {
    level.push(sha256(data.subarray(at, at + mebibyte)));
  }
  const levels = [level];
  while (level.length > 1) {
    const above: Buffer[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = [level[at], level[at + 1]];
      if (left !== undefined) above.push(right === undefined ? left : sha256(left, right));
    }
    level = above;
    levels.push(level);
  }
  return levels;
}

/**
 * Whether the bytes from `first` to `last` are just the leaves below one node of the tree over
 * `sizeBytes`. Found by walking over every node there is, not by arithmetic.
 */
export function isNodeOfTree(first: number, last: number, sizeBytes: number): boolean {
  let spans = Array.from({ length: Math.ceil(sizeBytes / mebibyte) }, (_, leaf) => ({
    first: leaf * mebibyte,
    last: Math.min((leaf + 1) * mebibyte, sizeBytes) - 1,
  }));
  for (;;) {
    if (spans.some((span) => span.first === first && span.last === last)) return true;
    if (spans.length <= 1) return false;
    const above: typeof spans = [];
    for (let at = 0; at < spans.length; at += 2) {
      const [left, right] = [spans[at], spans[at + 1]];
      if (left !== undefined) above.push({ first: left.first, last: (right ?? left).last });
    }
    spans = above;
  }
}

/** A node of the tree over some data: the bytes that lie below it, both ends included. */
export interface TreeNode {
  readonly first: number;
  readonly last: number;
  readonly treeHash: string;
}

/** Every node of the tree over `data`: the whole tree is built. */
export function wholeTreeOf(data: Uint8Array): TreeNode[] {
  return nodesOf(data).flatMap((level, height) =>
    level.map((node, index) => {
      const widthBytes = mebibyte * 2 ** height;
      const first = index * widthBytes;
      const last = Math.min(first + widthBytes, data.length) - 1;
      return { first, last, treeHash: node.toString('hex') };
    }),
  );
}

/** The hash of the node below which just these bytes lie; undefined when there is no such node. */
export function nodeHashOf(
  tree: readonly TreeNode[],
  first: number,
  last: number,
): string | undefined {
  return tree.find((node) => node.first === first && node.last === last)?.treeHash;
}
