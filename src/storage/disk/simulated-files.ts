import { basename, dirname } from 'node:path';
import { type FileDeed, fileError } from './faulty-files.ts';
import type { FileSystemRoom, Files, OpenFile } from './files.ts';

/** Whether one thing that was not synced outlives a crash. Asked for each sector and each name. */
export type Survives = () => boolean;

const sectorBytes = 512;

/**
 * A file system in memory that forgets at a crash what was not synced.
 *
 * 1. A file's bytes and size are durable after `sync`; a name, or its absence, after
 *    `syncDirectory`. A rename is either done or not.
 * 2. Of what was not synced, `crash` keeps what it is told to: any sectors of a write, in any
 *    combination, and any names. Directories themselves are durable at once.
 * 3. Files that were open at a crash fail from then on.
 */
export class SimulatedFiles implements Files {
  /** What all files together may take. Only told: a write that finds no room succeeds. */
  sizeBytes = Number.POSITIVE_INFINITY;
  readonly #directories = new Map<string, SimulatedDirectory>();
  #epoch = 0;

  constructor(root: string) {
    this.#directories.set(root, new SimulatedDirectory());
  }

  async create(path: string): Promise<OpenFile> {
    const directory = this.#directory(dirname(path), 'create');
    if (directory.now.has(basename(path))) throw fileError('EEXIST', 'create');
    const node = new SimulatedNode();
    directory.change({ added: [basename(path), node] });
    return this.#open(node);
  }

  async open(path: string): Promise<OpenFile> {
    return this.#open(this.#node(path, 'open'));
  }

  async rename(from: string, to: string): Promise<void> {
    const node = this.#node(from, 'rename');
    const added: Change = { added: [basename(to), node], isDurable: false };
    this.#directory(dirname(to), 'rename').change(added);
    this.#directory(dirname(from), 'rename').change({ removed: basename(from), after: added });
  }

  async unlink(path: string): Promise<void> {
    this.#node(path, 'unlink');
    this.#directory(dirname(path), 'unlink').change({ removed: basename(path) });
  }

  async *list(directory: string): AsyncGenerator<string> {
    const names = [...this.#directory(directory, 'list').now.keys()];
    for (const path of this.#directories.keys()) {
      if (path !== directory && dirname(path) === directory) names.push(basename(path));
    }
    yield* names;
  }

  async makeDirectory(path: string): Promise<void> {
    if (this.#directories.has(path)) return;
    this.#directory(dirname(path), 'makeDirectory');
    this.#directories.set(path, new SimulatedDirectory());
  }

  async syncDirectory(path: string): Promise<void> {
    this.#directory(path, 'syncDirectory').sync();
  }

  async room(): Promise<FileSystemRoom> {
    const takenBytes = [...this.sizes().values()].reduce((sum, size) => sum + size, 0);
    return { sizeBytes: this.sizeBytes, freeBytes: Math.max(0, this.sizeBytes - takenBytes) };
  }

  /** Forgets what was not synced, but for what `survives`. */
  crash(survives: Survives = () => false): void {
    this.#epoch += 1;
    const directories = [...this.#directories.values()];
    for (const directory of directories) directory.keepChanges(survives, { ofRenames: false });
    for (const directory of directories) directory.keepChanges(survives, { ofRenames: true });
    for (const directory of directories) directory.forget(survives);
  }

  /** The size of every file, by its path. */
  sizes(): Map<string, number> {
    const sizes = new Map<string, number>();
    for (const [path, directory] of this.#directories) {
      for (const [name, node] of directory.now) sizes.set(`${path}/${name}`, node.now.length);
    }
    return sizes;
  }

  #open(node: SimulatedNode): OpenFile {
    const epoch = this.#epoch;
    return new SimulatedFile(node, (deed) => {
      if (epoch !== this.#epoch) throw fileError('EIO', deed);
    });
  }

  #node(path: string, deed: FileDeed): SimulatedNode {
    const node = this.#directory(dirname(path), deed).now.get(basename(path));
    if (node === undefined) throw fileError('ENOENT', deed);
    return node;
  }

  #directory(path: string, deed: FileDeed): SimulatedDirectory {
    const directory = this.#directories.get(path);
    if (directory === undefined) throw fileError('ENOENT', deed);
    return directory;
  }
}

interface Change {
  readonly added?: readonly [name: string, node: SimulatedNode];
  readonly removed?: string;
  /** The other half of a rename: until it is durable this one cannot be. */
  readonly after?: Change;
  isDurable?: boolean;
}

class SimulatedDirectory {
  now = new Map<string, SimulatedNode>();
  readonly #durable = new Map<string, SimulatedNode>();
  #unsynced: Change[] = [];

  change(change: Change): void {
    apply(change, this.now);
    this.#unsynced.push(change);
  }

  sync(): void {
    for (const change of this.#unsynced) this.#keep(change);
    this.#unsynced = [];
  }

  keepChanges(survives: Survives, { ofRenames }: { ofRenames: boolean }): void {
    for (const change of this.#unsynced) {
      if (ofRenames !== (change.after !== undefined)) continue;
      if (change.after?.isDurable !== false && survives()) this.#keep(change);
    }
  }

  forget(survives: Survives): void {
    this.now = new Map(this.#durable);
    this.#unsynced = [];
    for (const node of this.now.values()) node.crash(survives);
  }

  #keep(change: Change): void {
    apply(change, this.#durable);
    change.isDurable = true;
  }
}

function apply({ added, removed }: Change, names: Map<string, SimulatedNode>): void {
  if (added !== undefined) names.set(...added);
  if (removed !== undefined) names.delete(removed);
}

type Write = { readonly offset: number; readonly bytes: Uint8Array } | { readonly size: number };

/** The content of a file: as it is read now, and as it would be after a crash. */
class SimulatedNode {
  readonly now = new GrowingBytes();
  readonly #durable = new GrowingBytes();
  readonly #unsynced: Write[] = [];

  change(write: Write): void {
    this.now.apply(write);
    this.#unsynced.push(write);
  }

  get unsyncedCount(): number {
    return this.#unsynced.length;
  }

  sync(count: number): void {
    for (const write of this.#unsynced.splice(0, count)) this.#durable.apply(write);
  }

  crash(survives: Survives): void {
    for (const write of this.#unsynced.splice(0)) {
      for (const part of sectorsOf(write)) if (survives()) this.#durable.apply(part);
    }
    this.now.become(this.#durable);
  }
}

function* sectorsOf(write: Write): Generator<Write> {
  if ('size' in write) {
    yield write;
    return;
  }
  const { offset, bytes } = write;
  for (let at = 0; at < bytes.length; ) {
    const length = sectorBytes - ((offset + at) % sectorBytes);
    yield { offset: offset + at, bytes: bytes.subarray(at, at + length) };
    at += length;
  }
}

class GrowingBytes {
  length = 0;
  #bytes = new Uint8Array(0);

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  become(other: GrowingBytes): void {
    this.#bytes = other.bytes.slice();
    this.length = other.length;
  }

  apply(write: Write): void {
    if ('size' in write) {
      this.#bytes.fill(0, write.size);
      this.length = write.size;
      return;
    }
    const end = write.offset + write.bytes.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(write.bytes, write.offset);
    this.length = Math.max(this.length, end);
  }
}

class SimulatedFile implements OpenFile {
  readonly #node: SimulatedNode;
  readonly #check: (deed: FileDeed) => void;

  constructor(node: SimulatedNode, check: (deed: FileDeed) => void) {
    this.#node = node;
    this.#check = check;
  }

  async read(buffer: Uint8Array, offset: number): Promise<number> {
    this.#check('read');
    const found = this.#node.now.bytes.subarray(offset, offset + buffer.length);
    buffer.set(found);
    return found.length;
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    this.#check('write');
    // Like a disk it takes its time: who changes the bytes meanwhile writes the wrong ones.
    await Promise.resolve();
    this.#check('write');
    if (bytes.length > 0) this.#node.change({ offset, bytes: bytes.slice() });
  }

  async sync(): Promise<void> {
    this.#check('sync');
    // What is written while the sync is under way is not covered by it.
    const covered = this.#node.unsyncedCount;
    await Promise.resolve();
    this.#check('sync');
    this.#node.sync(covered);
  }

  async truncate(size: number): Promise<void> {
    this.#check('truncate');
    this.#node.change({ size });
  }

  async size(): Promise<number> {
    return this.#node.now.length;
  }

  async close(): Promise<void> {}
}
