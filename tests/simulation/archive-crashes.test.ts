import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { defined } from '../../src/lib/assert.ts';
import { FaultyFiles } from '../../src/storage/disk/faulty-files.ts';
import { SimulatedFiles } from '../../src/storage/disk/simulated-files.ts';
import { crashStates } from '../../src/storage/disk/simulated-files-crash.ts';
import { DiskImage } from '../../src/storage/disk/simulated-files-image.ts';
import { DiskTrace, imageAfter } from '../../src/storage/disk/simulated-files-trace.ts';
import { photos } from '../support/domain.ts';
import { TemporaryDirectory } from '../support/temporary-directory.ts';
import {
  type ArchiveNote,
  judgeArchives,
  lookAtArchives,
  openStore,
  removeArchive,
  type SeenArchives,
  storeArchive,
} from './archive-crashes.ts';
import { assertExplored, type Exploration, everyday, explore, type Stage } from './explore.ts';
import { seededDraw } from './seeded-draw.ts';

type ArchiveStage = Pick<Stage<ArchiveNote>, 'files' | 'note'>;

/** Stores and removes archives, one by one and together. */
async function work({ files, note }: ArchiveStage, options: { database?: string } = {}) {
  const store = await openStore(files, options);
  await store.vaults.create(photos);
  note({ created: 'vault' });
  const first = await storeArchive(store, '900-1', { note });
  const both = ['40-2', '262145-3'].map((description) =>
    storeArchive(store, description, { note }),
  );
  const [second = ''] = await Promise.all(both);
  await Promise.all([
    removeArchive(store, first, { note }),
    storeArchive(store, '1500-4', { note }),
  ]);
  await removeArchive(store, second, { note });
  await storeArchive(store, '70-5', { note });
  return store;
}

/** Looks at all that is there, and stores and removes one more. */
async function observe(files: SimulatedFiles, options: { database?: string } = {}) {
  await using store = await openStore(files, options);
  const seen = await lookAtArchives(store);
  await store.vaults.create(photos);
  const noting = { note: () => undefined };
  const archiveId = await storeArchive(store, '600-9', noting);
  assert.equal((await lookAtArchives(store))?.get(archiveId), '600-9');
  await removeArchive(store, archiveId, noting);
  assert.deepEqual(await lookAtArchives(store), seen ?? new Map());
  return seen;
}

const exploration: Exploration<ArchiveNote, SeenArchives> = {
  run: async (stage) => {
    await work(stage);
  },
  observe,
  judge: judgeArchives,
  resume: async ({ files, note }) => {
    const store = await openStore(files);
    await store.vaults.create(photos);
    note({ created: 'vault' });
    // What somebody has seen in an inventory must stay: it counts as stored.
    for (const [archiveId, stored] of (await lookAtArchives(store)) ?? []) {
      note({ stored, archiveId });
    }
    await storeArchive(store, '80-7', { note });
  },
};

/** Each look at a state opens everything, and makes all rows again. */
const rarely = { killStride: 16, secondStride: 8, resumeStride: 160 };
const floor = { crashPoints: 55, states: 300, verdicts: 320, secondStates: 60 };

describe('archives, after a crash at any moment', () => {
  test('with the loss of the database', async (context) => {
    context.diagnostic(assertExplored(await explore(exploration, rarely), floor));
  });

  test('with a database that is as old as it can be', async (context) => {
    using directory = new TemporaryDirectory();
    const trace = new DiskTrace<ArchiveNote>();
    const database = join(directory.path, 'now', 'metadata.sqlite');
    mkdirSync(join(directory.path, 'now'));
    const copies: { readonly length: number; readonly path: string }[] = [];
    const files = new SimulatedFiles('/', { trace });
    const copy = () => {
      copies.push({ length: trace.events.length, path: copyOf(database, copies.length) });
    };
    const note = (each: ArchiveNote) => {
      trace.note(each);
      copy();
    };
    // Before each sync, too: what is committed by then, and not in the journal, would be too early.
    const watched = new FaultyFiles(files, (deed) => {
      if (deed === 'sync') copy();
    });
    await using _ = await work({ files: watched, note }, { database });
    let states = 0;
    const draw = seededDraw(everyday.seed);
    for (let length = copies[0]?.length ?? 0; length <= trace.events.length; length += 1) {
      const image = imageAfter(trace, length);
      const known = copies.filter((copy) => copy.length <= length);
      const found = [...crashStates(image, { ...everyday, draw })];
      const { tree } = defined(found[draw(found.length)], 'a state');
      for (const chosen of new Set([known[0], known.at(-1), known[draw(known.length)]])) {
        const path = defined(chosen, 'a copy').path;
        const own = copyOf(path, `${length}-${states}`);
        const left = new SimulatedFiles('/', { image: new DiskImage(tree) });
        judgeArchives(await observe(left, { database: own }), trace.notes(length));
        states += 1;
      }
    }
    context.diagnostic(`${states} pairs of a database and a disk`);
    assert.ok(states >= 120, 'as many as there were');
  });
});

/** Copies a database with its log, as the death of the machine may leave it. */
function copyOf(path: string, name: string | number): string {
  const directory = join(path, '../..', `copy-${name}`);
  mkdirSync(directory);
  const copy = join(directory, 'metadata.sqlite');
  for (const suffix of ['', '-wal']) {
    if (existsSync(`${path}${suffix}`)) copyFileSync(`${path}${suffix}`, `${copy}${suffix}`);
  }
  return copy;
}
