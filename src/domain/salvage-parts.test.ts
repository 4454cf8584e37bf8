import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { limits } from '../protocol/limits.ts';
import type { BlobId } from '../storage/blob-store.ts';
import type { PartRow } from '../storage/rows.ts';
import { treeHashOfParts } from './archive-hashes.ts';
import type { UploadedArchiveLabel } from './blob-labels.ts';
import { FoundParts, partsOfArchive } from './salvage-parts.ts';

fc.configureGlobal({ seed: 20_260_131 });

const partSizeBytes = 10;

/** A part that was put in its place as the `version`-th. */
function part(index: number, version = 0, sizeBytes = partSizeBytes): PartRow {
  const treeHash = `${index}a${version}b${sizeBytes}`.padStart(64, '0');
  return { index, blobId: `${index}.${version}` as BlobId, sizeBytes, treeHash };
}

/** The label of an archive of these parts. */
function labelOf(parts: readonly PartRow[]): UploadedArchiveLabel {
  return {
    ...{ kind: 'uploaded-archive', version: 1, accountId: '1', region: 'r', vaultName: 'v' },
    ...{ vaultId: 'vault', archiveId: 'archive', description: '', createdAtMs: 0 },
    sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    treeHash: treeHashOfParts(parts.map(({ treeHash }) => treeHash)),
    ...{ uploadId: 'upload', partSizeBytes, partCount: parts.length },
  };
}

function found(parts: readonly PartRow[]): FoundParts {
  const all = new FoundParts();
  for (const each of parts) all.add(each);
  return all;
}

/** Why no archive can be made of the parts. */
function problemOf(label: UploadedArchiveLabel, parts: readonly PartRow[]): string {
  const outcome = partsOfArchive(label, found(parts));
  assert.ok('problem' in outcome);
  return outcome.problem;
}

test('whatever was put in some places before, and in whatever order it is found, the right are taken', () => {
  const versions = fc.integer({ min: 0, max: 2 });
  const history = fc.record({
    used: fc.array(versions, { minLength: 1, maxLength: 12 }),
    others: fc.array(fc.tuple(fc.nat({ max: 14 }), versions), { maxLength: 6 }),
    order: fc.infiniteStream(fc.nat()),
    last: fc.integer({ min: 1, max: partSizeBytes }),
  });
  fc.assert(
    fc.property(history, ({ used, others, order, last }) => {
      const parts = used.map((version, index) =>
        part(index, version, index === used.length - 1 ? last : partSizeBytes),
      );
      const replaced = others.map(([index, version]) => part(index, version));
      const keyed = [...parts, ...replaced].map((each) => ({ each, key: order.next().value ?? 0 }));
      const shuffled = keyed.toSorted((a, b) => a.key - b.key).map(({ each }) => each);
      const outcome = partsOfArchive(labelOf(parts), found(shuffled));
      assert.ok('parts' in outcome);
      assert.deepEqual(
        outcome.parts.map(({ treeHash }) => treeHash),
        parts.map(({ treeHash }) => treeHash),
      );
    }),
  );
});

test('parts that are missing, or have another size, are told in ranges, counted from 1', () => {
  const all = Array.from({ length: 12 }, (_, index) => part(index));
  const label = labelOf(all);
  assert.equal(
    problemOf(label, all.toSpliced(4, 3).toSpliced(1, 1)),
    'Of its 12 parts these are missing: 2, 5-7',
  );
  const shorter = all.with(11, part(11, 0, 9));
  assert.equal(problemOf(label, shorter), 'Of its 12 parts these are missing: 12');
});

test('of very many missing parts not all are told', () => {
  const all = Array.from({ length: 300 }, (_, index) => part(index));
  const odd = all.filter(({ index }) => index % 2 === 1);
  assert.match(problemOf(labelOf(all), odd), /: 1, 3, .*, 197, 199 and others$/);
});

test('parts that do not make up the tree hash are not taken', () => {
  const all = [part(0), part(1)];
  const label = { ...labelOf(all), treeHash: '0'.repeat(64) };
  const problem = 'The parts in its 2 places do not make up its tree hash';
  assert.equal(problemOf(label, all), problem);
  assert.equal(problemOf(label, [...all, part(1, 1)]), problem);
});

test('the search among very many parts comes to an end', () => {
  const all = Array.from({ length: limits.partsPerUploadMax }, (_, index) => part(index));
  const replaced = all.map(({ index }) => part(index, 1));
  const label = { ...labelOf(all), treeHash: '0'.repeat(64) };
  assert.match(problemOf(label, [...replaced, ...all]), /do not make up its tree hash/);
});

test('a label that contradicts itself makes nothing', () => {
  const all = [part(0), part(1)];
  const label = labelOf(all);
  for (const change of [
    { partCount: 3 },
    { partCount: 0 },
    { sizeBytes: 21 },
    { partCount: 1e9 },
  ]) {
    assert.equal(problemOf({ ...label, ...change }, all), 'Its label contradicts itself');
  }
});

test('a part that a row names is taken rather than a copy of it', () => {
  const all = [part(0), part(1)];
  const parts = found(all);
  const named = { ...part(1), blobId: 'named' as BlobId };
  parts.addNamed(named);
  parts.add(part(1));
  assert.deepEqual(parts.at(1), [named]);
  assert.deepEqual(partsOfArchive(labelOf(all), parts), { parts: [all[0], named] });
});
