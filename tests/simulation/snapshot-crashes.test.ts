import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SimulatedClock } from '../../src/lib/clock.ts';
import { chunked, sampleBytes } from '../../src/storage/blob-specimen.ts';
import type { Snapshots } from '../../src/storage/snapshots.ts';
import { assertExplored, type Exploration, explore, type Stage } from './explore.ts';
import { openVolume, strayFiles } from './volume.ts';

type SnapshotNote =
  | { readonly writing: number }
  | { readonly written: string; readonly sequence: number }
  | { readonly removing: string }
  | { readonly removed: string };

/** The snapshot of a batch: another size, and other bytes, for each. */
function bytesOf(sequence: number): Uint8Array {
  return sampleBytes(20_000 * sequence, sequence);
}

async function takeSnapshot(
  snapshots: Snapshots,
  sequence: number,
  { note }: Pick<Stage<SnapshotNote>, 'note'>,
): Promise<string> {
  note({ writing: sequence });
  const { name } = await snapshots.write(chunked(bytesOf(sequence)), sequence);
  note({ written: name, sequence });
  return name;
}

async function removeSnapshot(
  snapshots: Snapshots,
  name: string,
  { note }: Pick<Stage<SnapshotNote>, 'note'>,
): Promise<void> {
  note({ removing: name });
  await snapshots.remove(name);
  note({ removed: name });
}

/** Every snapshot that is listed, by its name. */
async function lookAtAll(snapshots: Snapshots): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  for (const { name, sequence, sizeBytes } of await snapshots.list()) {
    const chunks = await Array.fromAsync(snapshots.read(name), (chunk) => Buffer.from(chunk));
    const expected = bytesOf(sequence);
    assert.equal(sizeBytes, expected.length);
    assert.ok(Buffer.concat(chunks).equals(expected), `the snapshot ${name} has wrong bytes`);
    seen.set(name, sequence);
  }
  return seen;
}

const exploration: Exploration<SnapshotNote, Map<string, number>> = {
  run: async (stage) => {
    const clock = new SimulatedClock();
    const { snapshots } = await openVolume(stage.files, { clock });
    const first = await takeSnapshot(snapshots, 1, stage);
    stage.begin();
    clock.advance(1000);
    await takeSnapshot(snapshots, 3, stage);
    await removeSnapshot(snapshots, first, stage);
    clock.advance(1000);
    await takeSnapshot(snapshots, 5, stage);
  },
  observe: async (files) => {
    const volume = await openVolume(files);
    const seen = await lookAtAll(volume.snapshots);
    const name = await takeSnapshot(volume.snapshots, 7, { note: () => undefined });
    assert.equal((await lookAtAll(volume.snapshots)).get(name), 7);
    await volume.snapshots.remove(name);
    await volume[Symbol.asyncDispose]();
    assert.deepEqual(strayFiles(files), [], 'nothing is left of what was under way');
    return seen;
  },
  judge: (seen, notes) => {
    const expected = new Map<string, number>();
    const inDoubt = new Set<number>();
    for (const note of notes) {
      if ('writing' in note) inDoubt.add(note.writing);
      else if ('written' in note) {
        inDoubt.delete(note.sequence);
        expected.set(note.written, note.sequence);
      } else if ('removing' in note) {
        inDoubt.add(expected.get(note.removing) ?? 0);
        expected.delete(note.removing);
      } else inDoubt.delete(1);
    }
    for (const [name, sequence] of expected) assert.equal(seen.get(name), sequence, 'one is lost');
    for (const [name, sequence] of seen) {
      assert.ok(expected.has(name) || inDoubt.has(sequence), `the snapshot ${name} should be gone`);
    }
  },
  resume: async (stage) => {
    const { snapshots } = await openVolume(stage.files);
    await takeSnapshot(snapshots, 2, stage);
  },
};

describe('snapshots, after a crash at any moment', () => {
  test('of writing and removing them', async (context) => {
    const floor = { crashPoints: 22, states: 230, verdicts: 250, secondStates: 160 };
    context.diagnostic(assertExplored(await explore(exploration, { killStride: 5 }), floor));
  });
});
