import { basename, dirname } from 'node:path';
import { type FileDeed, fileError } from './faulty-files.ts';
import type { FileSystemRoom, Files, OpenFile } from './files.ts';
import { survivors } from './simulated-files-crash.ts';
import { DiskImage, type DiskTree, type NodeNumber } from './simulated-files-image.ts';
import { type DiskTrace, replay, type TraceEvent } from './simulated-files-trace.ts';

/** Whether one thing that was not synced outlives a crash. Asked for each sector and each name. */
export type Survives = () => boolean;

/** What becomes of bytes whose sync failed: gone from the disk alone, or seen to be gone, too. */
export type Dropped = 'unseen' | 'seen';

/**
 * A file system in memory that forgets at a crash what was not synced.
 *
 * 1. A file's bytes and size are durable after `sync`; a name, or its absence, after
 *    `syncDirectory` of the directory that it is in. A rename is either done or not.
 * 2. Of what was not synced, `crash` keeps what it is told to: any sectors of a write, in any
 *    combination, and any names. What a crash may leave otherwise, see `crashStates`.
 * 3. Files that were open at a crash fail from then on.
 */
export class SimulatedFiles implements Files {
  /** What all files together may take. Only told: a write that finds no room succeeds. */
  sizeBytes = Number.POSITIVE_INFINITY;
  readonly #trace: DiskTrace<unknown> | undefined;
  #now: DiskTree;
  #image: DiskImage;
  #lastNumber: number;
  #epoch = 0;

  /** `image` is the disk as it is found; `trace`, which starts there, is told of all that happens. */
  constructor(
    root = '/',
    { image = new DiskImage(), trace }: { image?: DiskImage; trace?: DiskTrace<unknown> } = {},
  ) {
    this.#image = image.copy();
    this.#now = this.#image.visible();
    this.#lastNumber = this.#now.highestNumber;
    this.#trace = trace;
    if (this.#now.find(root) === undefined) throw fileError('ENOENT', 'open');
  }

  async create(path: string): Promise<OpenFile> {
    const home = this.#directory(dirname(path), 'create');
    if (this.#now.namesIn(home).has(basename(path))) throw fileError('EEXIST', 'create');
    const node = this.#addNode('file');
    this.#name({ home, name: basename(path), node }, `create ${path}`);
    return this.#open(node, path);
  }

  async open(path: string): Promise<OpenFile> {
    const node = this.#node(path, 'open');
    if (this.#now.isDirectory(node)) throw fileError('EISDIR', 'open');
    return this.#open(node, path);
  }

  async rename(from: string, to: string): Promise<void> {
    const node = this.#node(from, 'rename');
    const homes = [dirname(to), dirname(from)].map((path) => this.#directory(path, 'rename'));
    const [added = 0, removed = 0] = homes;
    const text = `rename ${from} to ${to}`;
    const requires = this.#name({ home: added, name: basename(to), node }, text);
    const old = { home: removed, name: basename(from), node: undefined, requires };
    this.#name(old, `${text}, its old name`);
  }

  async unlink(path: string): Promise<void> {
    if (this.#now.isDirectory(this.#node(path, 'unlink'))) throw fileError('EPERM', 'unlink');
    const home = this.#directory(dirname(path), 'unlink');
    this.#name({ home, name: basename(path), node: undefined }, `unlink ${path}`);
  }

  async *list(directory: string): AsyncGenerator<string> {
    yield* [...this.#now.namesIn(this.#directory(directory, 'list')).keys()];
  }

  async makeDirectory(path: string): Promise<void> {
    if (this.#now.find(path) !== undefined) return;
    const home = this.#directory(dirname(path), 'makeDirectory');
    const node = this.#addNode('directory');
    this.#name({ home, name: basename(path), node }, `make directory ${path}`);
  }

  async syncDirectory(path: string): Promise<void> {
    const home = this.#directory(path, 'syncDirectory');
    // What is named while the sync is under way is not covered by it.
    const through = this.#lastNumber;
    const epoch = this.#epoch;
    await Promise.resolve();
    if (epoch !== this.#epoch) throw fileError('EIO', 'syncDirectory');
    this.#happen({ kind: 'sync', home, through, text: `sync directory ${path}` });
  }

  async room(): Promise<FileSystemRoom> {
    const takenBytes = [...this.sizes().values()].reduce((sum, size) => sum + size, 0);
    return { sizeBytes: this.sizeBytes, freeBytes: Math.max(0, this.sizeBytes - takenBytes) };
  }

  /** Forgets what was not synced, but for what `survives`. */
  crash(survives: Survives = () => false): void {
    this.#epoch += 1;
    this.#now = survivors(this.#image, survives).withoutUnreachable();
    this.#image = new DiskImage(this.#now.copy());
  }

  /** Loses what was done to a file, or to the names in a directory, since its last sync. */
  drop(path: string, dropped: Dropped): void {
    const home = this.#now.find(path);
    if (home === undefined) return;
    this.#happen({ kind: 'drop', home, through: this.#lastNumber, text: `drop ${path}` });
    if (dropped === 'seen') this.#now.restore(home, this.#image.durable);
  }

  /** Flips a bit of a file, as a disk that rots: of what is seen, and of what is durable. */
  flip(path: string, offset: number, bit: number): void {
    const node = this.#node(path, 'open');
    for (const tree of [this.#now, this.#image.durable]) tree.flip(node, offset, bit);
  }

  /** The size of every file, by its path. */
  sizes(): Map<string, number> {
    const sizes = new Map<string, number>();
    for (const [path, node] of this.#now.files()) sizes.set(path, this.#now.contentOf(node).length);
    return sizes;
  }

  #open(node: NodeNumber, path: string): OpenFile {
    const epoch = this.#epoch;
    return new SimulatedFile({
      check: (deed) => {
        if (epoch !== this.#epoch) throw fileError('EIO', deed);
      },
      bytes: () => this.#now.contentOf(node).bytes,
      write: (bytes, offset) => {
        const change = { kind: 'write', number: this.#take(), home: node, offset, bytes } as const;
        const text = `write ${bytes.length} bytes at ${offset} of ${path}`;
        this.#happen({ kind: 'change', change, text });
      },
      resize: (size) => {
        const change = { kind: 'size', number: this.#take(), home: node, size } as const;
        this.#happen({ kind: 'change', change, text: `make ${path} ${size} bytes long` });
      },
      lastNumber: () => this.#lastNumber,
      sync: (through) => {
        this.#happen({ kind: 'sync', home: node, through, text: `sync ${path}` });
      },
    });
  }

  #addNode(of: 'file' | 'directory'): NodeNumber {
    const node = this.#take();
    this.#now.addNode(node, of);
    this.#happen({ kind: 'node', node, of });
    return node;
  }

  #name(
    name: {
      readonly home: NodeNumber;
      readonly name: string;
      readonly node: NodeNumber | undefined;
      readonly requires?: number;
    },
    text: string,
  ): number {
    const change = { kind: 'name', number: this.#take(), requires: undefined, ...name } as const;
    this.#happen({ kind: 'change', change, text });
    return change.number;
  }

  #happen(event: TraceEvent<unknown>): void {
    if (event.kind === 'change') this.#now.apply(event.change);
    replay(this.#image, event);
    this.#trace?.add(event);
  }

  #take(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }

  #node(path: string, deed: FileDeed): NodeNumber {
    const node = this.#now.find(path);
    if (node === undefined) throw fileError('ENOENT', deed);
    return node;
  }

  #directory(path: string, deed: FileDeed): NodeNumber {
    const node = this.#node(path, deed);
    if (!this.#now.isDirectory(node)) throw fileError('ENOTDIR', deed);
    return node;
  }
}

/** What an open file can do to the file system that it belongs to. */
interface Deeds {
  check(deed: FileDeed): void;
  bytes(): Uint8Array;
  write(bytes: Uint8Array, offset: number): void;
  resize(size: number): void;
  lastNumber(): number;
  sync(through: number): void;
}

class SimulatedFile implements OpenFile {
  readonly #do: Deeds;

  constructor(deeds: Deeds) {
    this.#do = deeds;
  }

  async read(buffer: Uint8Array, offset: number): Promise<number> {
    this.#do.check('read');
    const found = this.#do.bytes().subarray(offset, offset + buffer.length);
    buffer.set(found);
    return found.length;
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    this.#do.check('write');
    // Like a disk it takes its time: who changes the bytes meanwhile writes the wrong ones.
    await Promise.resolve();
    this.#do.check('write');
    // A copy, which `slice` of a Buffer is not: its owner fills it with other bytes next.
    if (bytes.length > 0) this.#do.write(new Uint8Array(bytes), offset);
  }

  async sync(): Promise<void> {
    this.#do.check('sync');
    // What is written while the sync is under way is not covered by it.
    const through = this.#do.lastNumber();
    await Promise.resolve();
    this.#do.check('sync');
    this.#do.sync(through);
  }

  async truncate(size: number): Promise<void> {
    this.#do.check('truncate');
    this.#do.resize(size);
  }

  async size(): Promise<number> {
    return this.#do.bytes().length;
  }

  async close(): Promise<void> {}
}
