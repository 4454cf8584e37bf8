import { sectorBytes } from './faulty-files.ts';
import type { DiskChange, DiskImage, DiskTree, WriteChange } from './simulated-files-image.ts';

/**
 * What becomes of a change that was not synced: `whole`, `lost`; of a write also `zeros`, `stale`,
 * `first:n`, `from:n` and `odd`, which are told below.
 */
export type Fate = string;

/** What a crash may leave, and how it came to that: a line for each change that was not synced. */
export interface CrashState {
  readonly tree: DiskTree;
  /** Equal for states that look the same. */
  readonly fingerprint: string;
  readonly fates: readonly Fate[];
}

/** How far the possible states are gone through. */
export interface CrashEffort {
  /** Every subset of so many changes that were not synced; of more, the ends and a sample. */
  readonly subsetsOf: number;
  /** How many subsets are drawn where not all are tried. */
  readonly samples: number;
  /** At how many sector borders each write is torn. */
  readonly cuts: number;
  /** A number from 0 to below `below`, drawn. */
  readonly draw: (below: number) => number;
}

/**
 * The states in which a crash may leave the disk, some more than once. The faults, and why a store
 * that is right survives each of them:
 *
 * - Any subset of what was not synced is lost. File systems write back data, sizes and names when
 *   and in which order they like; nothing that was not synced was told to anybody.
 * - Bytes survive that were written later than others that are lost. So nothing may be taken for
 *   whole because something behind it is there: what tells that is a checksum.
 * - `first:n`, `from:n`, `odd`: of a write only the first n sectors survive, or those from the n-th
 *   on, or every other one. Disks write sectors of 512 bytes whole or not at all, and no more than
 *   that at once: a mark of 8 bytes that lies within a sector is never torn.
 * - `zeros`: the file is as long as the write made it, but the bytes never came. The size of a file
 *   and its data are written back apart.
 * - `stale`: the same, but what shows are bytes of another file: a file system that keeps no order
 *   between its journal and its data gives blocks to a file that were another's. What is read must
 *   prove that it belongs where it stands.
 * - Names are made and unmade in any combination, but for the order of those that concern the same
 *   name, and a rename never loses the file: that much a journal of names gives, and a store may
 *   count on it.
 *
 * Not here, since no store on one disk survives it: loss of what was synced.
 */
export function* crashStates(image: DiskImage, effort: CrashEffort): Generator<CrashState> {
  const { pending } = image;
  for (const fates of subsets(pending, effort)) yield stateOf(image, fates);
  for (const [index, change] of pending.entries()) {
    if (change.kind !== 'write') continue;
    for (const fate of partialFates(change, effort)) {
      for (const others of surroundings(pending, index)) {
        yield stateOf(image, possible(pending, others.with(index, fate)));
      }
    }
  }
}

/** One state, in which each name and each sector of a write `survives` or not. */
export function survivors(image: DiskImage, survives: () => boolean): DiskTree {
  const { pending } = image;
  const wishes = pending.map(({ kind }) => (kind === 'write' || survives() ? 'whole' : 'lost'));
  const fates = possible(pending, wishes);
  const tree = image.durable.copy();
  for (const [index, change] of pending.entries()) {
    if (change.kind !== 'write') applyFate(tree, change, fates[index] ?? 'lost');
    else for (const sector of sectorsOf(change)) if (survives()) tree.apply(sector);
  }
  return tree;
}

function stateOf(image: DiskImage, fates: readonly Fate[]): CrashState {
  const tree = image.durable.copy();
  for (const [index, change] of image.pending.entries()) {
    applyFate(tree, change, fates[index] ?? 'lost');
  }
  return { tree, fingerprint: tree.fingerprint(), fates };
}

function* subsets(
  pending: readonly DiskChange[],
  { subsetsOf, samples, draw }: CrashEffort,
): Generator<Fate[]> {
  const count = pending.length;
  const choose = (keep: (index: number) => boolean) =>
    possible(
      pending,
      pending.map((_, index) => (keep(index) ? 'whole' : 'lost')),
    );
  if (count <= subsetsOf) {
    for (let mask = 0; mask < 2 ** count; mask++)
      yield choose((index) => (mask >> index) % 2 === 1);
    return;
  }
  for (let length = 0; length <= count; length++) yield choose((index) => index < length);
  for (let one = 0; one < count; one++) {
    yield choose((index) => index !== one);
    yield choose((index) => index === one);
  }
  for (let sample = 0; sample < samples; sample++) yield choose(() => draw(2) === 0);
}

/** What a write may be but whole or lost. */
function partialFates({ offset, bytes }: WriteChange, { cuts, draw }: CrashEffort): Fate[] {
  const first = Math.floor(offset / sectorBytes);
  const borders = Math.floor((offset + bytes.length - 1) / sectorBytes) - first;
  const numbers = new Set<number>();
  if (borders <= cuts) for (let border = 1; border <= borders; border++) numbers.add(border);
  else for (const border of [1, borders, borders >> 1]) numbers.add(border);
  while (numbers.size < Math.min(cuts, borders)) numbers.add(1 + draw(borders));
  const torn = [...numbers].flatMap((number) => [`first:${number}`, `from:${number}`]);
  return [...torn, ...(borders > 1 ? ['odd'] : []), 'zeros', 'stale'];
}

/** What may be around a write that is told apart: all, nothing but names, what came before. */
function surroundings(pending: readonly DiskChange[], index: number): Fate[][] {
  return [
    pending.map(() => 'whole'),
    pending.map(({ kind }) => (kind === 'name' ? 'whole' : 'lost')),
    pending.map((_, other) => (other < index ? 'whole' : 'lost')),
  ];
}

/** `wishes`, but what cannot survive without something that is lost is lost, too. */
function possible(pending: readonly DiskChange[], wishes: readonly Fate[]): Fate[] {
  const lost = new Set<number>();
  const lostNames = new Set<string>();
  return pending.map((change, index) => {
    const wish = wishes[index] ?? 'lost';
    if (change.kind !== 'name') return wish;
    const name = `${change.home}/${change.name}`;
    const needsLost = change.requires !== undefined && lost.has(change.requires);
    if (wish === 'whole' && !needsLost && !lostNames.has(name)) return wish;
    lost.add(change.number);
    lostNames.add(name);
    return 'lost';
  });
}

function applyFate(tree: DiskTree, change: DiskChange, fate: Fate): void {
  if (fate === 'lost') return;
  if (fate === 'whole' || change.kind !== 'write') tree.apply(change);
  else if (fate === 'zeros' || fate === 'stale') lengthen(tree, change, fate);
  else tear(tree, change, fate);
}

/** Does that part of the write which `first:n`, `from:n` or `odd` leaves of it. */
function tear(tree: DiskTree, change: WriteChange, fate: Fate): void {
  const { offset, bytes } = change;
  const [how, number] = fate.split(':');
  const border = (Math.floor(offset / sectorBytes) + Number(number)) * sectorBytes - offset;
  if (how === 'first') {
    tree.apply({ ...change, bytes: bytes.subarray(0, border) }, fate);
    return;
  }
  if (how === 'from') {
    tree.apply({ ...change, offset: offset + border, bytes: bytes.subarray(border) }, fate);
    return;
  }
  const left = new Uint8Array(bytes.length);
  left.set(tree.contentOf(change.home).bytes.subarray(offset, offset + bytes.length));
  let end = 0;
  for (const [index, sector] of [...sectorsOf(change)].entries()) {
    if (index % 2 === 0) continue;
    left.set(sector.bytes, sector.offset - offset);
    end = sector.offset - offset + sector.bytes.length;
  }
  tree.apply({ ...change, bytes: left.subarray(0, end) }, fate);
}

/** Makes the file as long as the write would have made it, with bytes that are not the write's. */
function lengthen(tree: DiskTree, change: WriteChange, fate: 'zeros' | 'stale'): void {
  const { length } = tree.contentOf(change.home);
  const end = change.offset + change.bytes.length;
  if (end <= length) return;
  tree.apply({ kind: 'size', number: change.number, home: change.home, size: end }, fate);
  const others = [...tree.files().values()].filter((node) => node !== change.home);
  const donor = others.sort((a, b) => b - a).map((node) => tree.contentOf(node).bytes)[0];
  if (fate === 'zeros' || donor === undefined || donor.length === 0) return;
  // At the same place as in the other file: headers and records then look most like the real ones.
  const offset = Math.max(length, change.offset);
  const bytes = new Uint8Array(end - offset);
  for (let at = 0; at < bytes.length; ) {
    const from = (offset + at) % donor.length;
    const part = donor.subarray(from, from + bytes.length - at);
    bytes.set(part, at);
    at += part.length;
  }
  tree.apply({ ...change, offset, bytes }, fate);
}

function* sectorsOf(change: WriteChange): Generator<WriteChange> {
  const { offset, bytes } = change;
  for (let at = 0; at < bytes.length; ) {
    const length = sectorBytes - ((offset + at) % sectorBytes);
    yield { ...change, offset: offset + at, bytes: bytes.subarray(at, at + length) };
    at += length;
  }
}
