import { join } from 'node:path';
import { defined } from '../../lib/assert.ts';
import { SimulatedContent } from './simulated-files-content.ts';

/** Numbers a file or a directory, whatever its name is. */
export type NodeNumber = number;

export const rootNode: NodeNumber = 0;

/** The smallest thing that a disk does or does not do. */
export type DiskChange = NameChange | WriteChange | SizeChange;

export interface NameChange {
  readonly kind: 'name';
  readonly number: number;
  /** The directory that the name is in. */
  readonly home: NodeNumber;
  readonly name: string;
  /** What bears the name from now on; nothing when it goes. */
  readonly node: NodeNumber | undefined;
  /** The change without which this one cannot be: the new name of what loses its old one. */
  readonly requires: number | undefined;
}

export interface WriteChange {
  readonly kind: 'write';
  readonly number: number;
  /** The file that is written to. */
  readonly home: NodeNumber;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface SizeChange {
  readonly kind: 'size';
  readonly number: number;
  readonly home: NodeNumber;
  readonly size: number;
}

interface SimulatedFileNode {
  readonly content: SimulatedContent;
  /** What was done to the content: two of the same node with equal keys have equal bytes. */
  readonly key: string;
}

/** Files and directories, at one moment. */
export class DiskTree {
  readonly #directories = new Map<NodeNumber, Map<string, NodeNumber>>();
  readonly #files = new Map<NodeNumber, SimulatedFileNode>();
  #highestNumber = rootNode;

  /** No node and no change in here has a higher number. */
  get highestNumber(): number {
    return this.#highestNumber;
  }

  static empty(): DiskTree {
    const tree = new DiskTree();
    tree.addNode(rootNode, 'directory');
    return tree;
  }

  copy(): DiskTree {
    const copy = new DiskTree();
    for (const [node, names] of this.#directories) copy.#directories.set(node, new Map(names));
    for (const [node, { content, key }] of this.#files) {
      copy.#files.set(node, { content: content.copy(), key });
    }
    copy.#highestNumber = this.#highestNumber;
    return copy;
  }

  /** A node that has no name yet. */
  addNode(node: NodeNumber, kind: 'file' | 'directory'): void {
    if (kind === 'directory') this.#directories.set(node, new Map());
    else this.#files.set(node, { content: new SimulatedContent(), key: '' });
    this.#highestNumber = Math.max(this.#highestNumber, node);
  }

  namesIn(directory: NodeNumber): ReadonlyMap<string, NodeNumber> {
    return defined(this.#directories.get(directory), 'a directory');
  }

  isDirectory(node: NodeNumber): boolean {
    return this.#directories.has(node);
  }

  /** What bears the path; nothing when there is none such. */
  find(path: string): NodeNumber | undefined {
    let node: NodeNumber | undefined = rootNode;
    for (const name of path.split('/').filter((part) => part !== '')) {
      node = node === undefined ? undefined : this.#directories.get(node)?.get(name);
    }
    return node;
  }

  contentOf(node: NodeNumber): SimulatedContent {
    return defined(this.#files.get(node), 'a file').content;
  }

  /** Does `change`, which `how` tells apart from the same one done otherwise. */
  apply(change: DiskChange, how = ''): void {
    this.#highestNumber = Math.max(this.#highestNumber, change.number);
    if (change.kind === 'name') {
      const names = defined(this.#directories.get(change.home), 'a directory');
      if (change.node === undefined) names.delete(change.name);
      else names.set(change.name, change.node);
      return;
    }
    const { content, key } = defined(this.#files.get(change.home), 'a file');
    if (change.kind === 'write') content.write(change.bytes, change.offset);
    else content.resize(change.size);
    this.#files.set(change.home, { content, key: `${key} ${change.number}${how}` });
  }

  /** Flips a bit of a file, unless it ends before. Its key stays: this is for no exploration. */
  flip(node: NodeNumber, offset: number, bit: number): void {
    const content = this.contentOf(node);
    const byte = content.bytes[offset];
    if (byte !== undefined) content.write(Uint8Array.of(byte ^ (1 << bit)), offset);
  }

  /** Puts the content of the file as it is in `other`; leaves what is no file as it is. */
  restore(node: NodeNumber, other: DiskTree): void {
    const file = other.#files.get(node);
    if (file !== undefined) this.#files.set(node, { ...file, content: file.content.copy() });
  }

  /** Every file that can be reached, by its path. */
  files(): Map<string, NodeNumber> {
    const found = new Map<string, NodeNumber>();
    for (const [path, node] of this.#walk('/', rootNode)) {
      if (this.#files.has(node)) found.set(path, node);
    }
    return found;
  }

  /** Equal for trees that look the same. */
  fingerprint(): string {
    const parts: string[] = [];
    for (const [path, node] of this.#walk('/', rootNode)) {
      parts.push(`${path}=${node}:${this.#files.get(node)?.key ?? 'd'}`);
    }
    return parts.sort().join('\n');
  }

  /** Only what can be reached. */
  withoutUnreachable(): DiskTree {
    const kept = DiskTree.empty();
    kept.#highestNumber = this.#highestNumber;
    for (const [, node] of [['', rootNode] as const, ...this.#walk('/', rootNode)]) {
      const names = this.#directories.get(node);
      const file = this.#files.get(node);
      if (names !== undefined) kept.#directories.set(node, new Map(names));
      if (file !== undefined) kept.#files.set(node, { ...file, content: file.content.copy() });
    }
    return kept;
  }

  *#walk(path: string, directory: NodeNumber): Generator<readonly [string, NodeNumber]> {
    for (const [name, node] of this.namesIn(directory)) {
      const nodePath = join(path, name);
      yield [nodePath, node];
      if (this.#directories.has(node)) yield* this.#walk(nodePath, node);
    }
  }
}

/**
 * What a disk holds for certain, and what it was told and may have forgotten by tomorrow.
 *
 * 1. What was done to a file, or to the names of a directory, is durable after a sync of it.
 * 2. A name that a rename takes away goes only once the new one is durable: every file system with
 *    a journal promises that much.
 */
export class DiskImage {
  readonly durable: DiskTree;
  #pending: DiskChange[] = [];

  constructor(durable: DiskTree = DiskTree.empty()) {
    this.durable = durable;
  }

  copy(): DiskImage {
    const copy = new DiskImage(this.durable.copy());
    copy.#pending = [...this.#pending];
    return copy;
  }

  /** As who reads the disk sees it: with all that was done, durable or not. */
  visible(): DiskTree {
    const tree = this.durable.copy();
    for (const change of this.#pending) tree.apply(change);
    return tree;
  }

  /** In the order in which it was done. */
  get pending(): readonly DiskChange[] {
    return this.#pending;
  }

  addNode(node: NodeNumber, kind: 'file' | 'directory'): void {
    this.durable.addNode(node, kind);
  }

  change(change: DiskChange): void {
    this.#pending.push(change);
  }

  /** What was done to `home` up to and with change number `through` is durable. */
  sync(home: NodeNumber, through: number): void {
    const covered = new Set<number>();
    for (const change of this.#pending) {
      if (change.home !== home || change.number > through) continue;
      covered.add(change.number);
      if (change.kind === 'name' && change.requires !== undefined) covered.add(change.requires);
    }
    for (const change of this.#pending) if (covered.has(change.number)) this.durable.apply(change);
    this.#pending = this.#pending.filter(({ number }) => !covered.has(number));
  }

  /** What was done to `home` up to change number `through` is lost, although nobody has noticed. */
  drop(home: NodeNumber, through: number): void {
    this.#pending = this.#pending.filter(
      (change) => change.home !== home || change.number > through,
    );
  }
}
