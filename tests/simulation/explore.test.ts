import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Files } from '../../src/storage/disk/files.ts';
import { type Exploration, explore } from './explore.ts';

/** What the notebook below can do wrong. The explorer must find each out. */
type Mistake =
  | 'no sync'
  | 'no sync of the name'
  | 'name before sync'
  | 'sync after the answer'
  | 'name reused';

/** Keeps lines, each in a file of its own: the smallest store that can be right or wrong. */
async function keep(files: Files, line: string, answer: () => void, mistake?: Mistake) {
  const path = mistake === 'name reused' ? '/line' : `/line-${line}`;
  const file = await files.create(mistake === 'name before sync' ? path : '/new');
  await file.write(Buffer.from(`${line.padEnd(600, '.')}!`), 0);
  if (mistake === 'sync after the answer') answer();
  if (mistake === 'name before sync') await files.syncDirectory('/');
  if (mistake !== 'no sync') await file.sync();
  if (mistake !== 'name before sync') await files.rename('/new', path);
  if (mistake !== 'no sync of the name') await files.syncDirectory('/');
  answer();
}

type Note = { readonly begun: string } | { readonly kept: string };

function notebook(mistake?: Mistake): Exploration<Note, string[]> {
  return {
    run: async ({ files, note }) => {
      for (const line of ['one', 'two', 'three']) {
        note({ begun: line });
        await keep(files, line, () => note({ kept: line }), mistake);
      }
    },
    observe: async (files) => {
      const lines: string[] = [];
      for await (const name of files.list('/')) {
        if (!name.startsWith('line')) continue;
        const bytes = Buffer.alloc(601);
        const length = await (await files.open(`/${name}`)).read(bytes, 0);
        const isWhole = length === 601 && bytes.at(-1) === 33 && bytes.at(511) === 46;
        lines.push(isWhole ? bytes.toString('latin1', 0, 5) : 'torn');
      }
      return lines.map((line) => line.replaceAll('.', ''));
    },
    judge: (seen, notes) => {
      const begun = new Set(notes.flatMap((note) => ('begun' in note ? [note.begun] : [])));
      for (const line of seen) assert.ok(begun.has(line), `nobody wrote ${line}`);
      for (const note of notes) if ('kept' in note) assert.ok(seen.includes(note.kept), 'lost');
    },
    resume: async ({ files, note }) => {
      const names = await Array.fromAsync(files.list('/'));
      if (names.includes('new')) await files.unlink('/new');
      note({ begun: 'four' });
      await keep(files, 'four', () => note({ kept: 'four' }), mistake);
    },
  };
}

describe('explore', () => {
  test('finds nothing wrong with a store that is right', async () => {
    const explored = await explore(notebook(), {
      ...{ resumeStride: 1, killStride: 1, secondStride: 1 },
    });
    assert.ok(explored.crashPoints >= 20 && explored.states >= 20, JSON.stringify(explored));
    assert.ok(explored.secondStates >= 300, JSON.stringify(explored));
  });

  for (const mistake of [
    'no sync',
    'no sync of the name',
    'name before sync',
    'sync after the answer',
    'name reused',
  ] as const) {
    test(`finds out a store that does this wrong: ${mistake}`, async () => {
      await assert.rejects(explore(notebook(mistake)), /breaks a promise/);
    });
  }
});
