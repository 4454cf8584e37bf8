import { defined } from '../lib/assert.ts';
import { limits } from '../protocol/limits.ts';
import type { PartRow } from '../storage/rows.ts';
import { treeHashOfParts } from './archive-hashes.ts';
import type { UploadedArchiveLabel } from './blob-labels.ts';

/** Of the parts that were put in one place so many are told apart. */
const candidatesMax = 16;
/** How many combinations of such parts are tried, and how many hashes that may take. */
const combinationsMax = 4096;
const hashesMax = 1024 * 1024;
/** How many ranges of missing parts are told. */
const rangesMax = 100;

/** The parts of an upload that were found, by their places: several of one that was put again. */
export class FoundParts {
  readonly #byIndex = new Map<number, PartRow[]>();

  /** One with the same bytes as another is a copy, and passed over. */
  add(part: PartRow): void {
    const known = this.#byIndex.get(part.index);
    if (known === undefined) {
      this.#byIndex.set(part.index, [part]);
      return;
    }
    const isCopy = known.some(({ treeHash }) => treeHash === part.treeHash);
    if (!isCopy && known.length < candidatesMax) known.push(part);
  }

  /** The part that a row names is taken rather than a copy of it. */
  addNamed(part: PartRow): void {
    const others = this.at(part.index).filter(({ treeHash }) => treeHash !== part.treeHash);
    this.#byIndex.set(part.index, [part, ...others]);
  }

  at(index: number): readonly PartRow[] {
    return this.#byIndex.get(index) ?? [];
  }
}

/**
 * The parts that are the archive of which the label tells: one for each place, of the right sizes, whose
 * tree hashes make up its own. Or why there are none, as a sentence without its full stop.
 */
export function partsOfArchive(
  label: UploadedArchiveLabel,
  found: FoundParts,
): { readonly parts: readonly PartRow[] } | { readonly problem: string } {
  const { partCount, partSizeBytes, sizeBytes } = label;
  const isPossible = partCount > 0 && partCount <= limits.partsPerUploadMax;
  if (!isPossible || Math.ceil(sizeBytes / partSizeBytes) !== partCount) {
    return { problem: 'Its label contradicts itself' };
  }
  const places = Array.from({ length: partCount }, (_, index) => {
    const expected = Math.min(partSizeBytes, sizeBytes - index * partSizeBytes);
    return found.at(index).filter((part) => part.sizeBytes === expected);
  });
  const missing = places.flatMap((parts, index) => (parts.length === 0 ? [index] : []));
  if (missing.length > 0) {
    return { problem: `Of its ${partCount} parts these are missing: ${namesOf(missing)}` };
  }
  for (const parts of combinationsOf(places)) {
    if (treeHashOfParts(parts.map(({ treeHash }) => treeHash)) === label.treeHash) return { parts };
  }
  return { problem: `The parts in its ${partCount} places do not make up its tree hash` };
}

/** One of each place, in as many ways as there are; not all of very many. */
function* combinationsOf(places: readonly (readonly PartRow[])[]): Generator<readonly PartRow[]> {
  const chosen = places.map(() => 0);
  const triesMax = Math.max(1, Math.min(combinationsMax, Math.floor(hashesMax / places.length)));
  for (let tries = 0; tries < triesMax; tries += 1) {
    yield places.map((parts, index) => defined(parts[chosen[index] ?? 0], 'a part of this place'));
    // As an odometer goes on: the first place that has another one, and all before it start again.
    const next = places.findIndex((parts, index) => (chosen[index] ?? 0) + 1 < parts.length);
    if (next === -1) return;
    chosen.fill(0, 0, next);
    chosen[next] = (chosen[next] ?? 0) + 1;
  }
}

/** Parts as people call them, counted from 1: `2, 5-9`. */
function namesOf(indexes: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const index of indexes) {
    const range = ranges.at(-1);
    if (range?.last === index) range.last = index + 1;
    else ranges.push({ first: index + 1, last: index + 1 });
  }
  const named = ranges
    .slice(0, rangesMax)
    .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
  const more = ranges.length > rangesMax ? ' and others' : '';
  return `${named.join(', ')}${more}`;
}
