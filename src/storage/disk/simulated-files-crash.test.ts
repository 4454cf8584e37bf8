import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SimulatedFiles } from './simulated-files.ts';
import { type CrashEffort, crashStates } from './simulated-files-crash.ts';
import { DiskTrace, imageAfter } from './simulated-files-trace.ts';

const effort: CrashEffort = { subsetsOf: 8, samples: 50, cuts: 4, draw: drawer() };

/** Runs `work` on an empty disk and answers every state that a crash after it may leave. */
async function statesAfter(
  work: (files: SimulatedFiles) => Promise<void>,
  { subsetsOf = effort.subsetsOf } = {},
): Promise<string[]> {
  const trace = new DiskTrace();
  await work(new SimulatedFiles('/', { trace }));
  const image = imageAfter(trace, trace.events.length);
  const states = [...crashStates(image, { ...effort, subsetsOf })].map(({ tree }) => look(tree));
  return [...new Set(states)].sort();
}

/** The files of a disk, with the first letter of each sector. */
function look(tree: ReturnType<typeof imageAfter>['durable']): string {
  const files = [...tree.files()].map(([path, node]) => {
    const { bytes } = tree.contentOf(node);
    const letters = bytes.filter((_, at) => at % 512 === 0);
    return `${path}:${Buffer.from(letters).toString('latin1').replaceAll('\0', '0')}`;
  });
  return files.sort().join(' ');
}

const sectors = (letters: string) =>
  Buffer.concat([...letters].map((letter) => Buffer.alloc(512, letter)));

describe('crashStates', () => {
  test('any subset of unsynced writes survives, later ones without earlier ones too', async () => {
    const states = await statesAfter(async (files) => {
      const file = await files.create('/a');
      await files.syncDirectory('/');
      for (const [index, letter] of [...'abc'].entries()) {
        await file.write(sectors(letter), index * 512);
      }
    });
    const subsets = ['', 'a', '0b', 'ab', '00c', 'a0c', '0bc', 'abc'];
    for (const subset of subsets) assert.ok(states.includes(`/a:${subset}`), subset);
    assert.ok(states.includes('/a:ab0'), 'a file is longer than what came of it');
  });

  test('a write is torn at every border of a sector, from both sides', async () => {
    const states = await statesAfter(async (files) => {
      const file = await files.create('/a');
      await files.syncDirectory('/');
      await file.write(sectors('abcd'), 0);
    });
    const torn = ['a', 'ab', 'abc', '0bcd', '00cd', '000d', '0b0d', '0000'];
    for (const each of torn) assert.ok(states.includes(`/a:${each}`), each);
  });

  test('a write within a sector is never torn', async () => {
    const states = await statesAfter(async (files) => {
      const file = await files.create('/a');
      await file.write(sectors('a'), 0);
      await file.sync();
      await files.syncDirectory('/');
      await file.write(Buffer.alloc(8, 'b'), 0);
    });
    assert.deepEqual(states, ['/a:a', '/a:b']);
  });

  test('a file that grew may show what another file held', async () => {
    const states = await statesAfter(async (files) => {
      const other = await files.create('/a');
      await other.write(sectors('xy'), 0);
      await other.sync();
      const file = await files.create('/b');
      await files.syncDirectory('/');
      await file.write(sectors('pq'), 0);
    });
    assert.ok(states.includes('/a:xy /b:xy'));
  });

  test('names come and go in any combination, those of one name in their order', async () => {
    const states = await statesAfter(async (files) => {
      await files.create('/a');
      await files.unlink('/a');
      await files.create('/b');
      await files.rename('/b', '/c');
    });
    assert.deepEqual(states, [
      '',
      '/a:',
      '/a: /b:',
      '/a: /b: /c:',
      '/a: /c:',
      '/b:',
      '/b: /c:',
      '/c:',
    ]);
  });

  test('what was synced is in every state', async () => {
    const states = await statesAfter(async (files) => {
      const file = await files.create('/a');
      await file.write(sectors('a'), 0);
      await file.sync();
      await files.syncDirectory('/');
      await file.write(sectors('b'), 512);
      await files.create('/b');
    });
    for (const state of states) assert.match(state, /^\/a:a/);
  });

  test('of many changes the ends, each one alone and each one missing are tried', async () => {
    const letters = 'abcdefghij';
    const states = await statesAfter(
      async (files) => {
        const file = await files.create('/a');
        await files.syncDirectory('/');
        for (const [index, letter] of [...letters].entries()) {
          await file.write(sectors(letter), index * 512);
        }
      },
      { subsetsOf: 4 },
    );
    for (const [index, letter] of [...letters].entries()) {
      assert.ok(states.includes(`/a:${letters.slice(0, index)}`));
      assert.ok(states.includes(`/a:${'0'.repeat(index)}${letter}`));
      if (index < 9) assert.ok(states.includes(`/a:${letters.replace(letter, '0')}`));
    }
  });

  test('a crash after any event of a trace is that of the disk at that moment', async () => {
    const trace = new DiskTrace<string>();
    const files = new SimulatedFiles('/', { trace });
    trace.note('begun');
    const file = await files.create('/a');
    await file.write(sectors('a'), 0);
    const length = trace.events.length;
    await file.sync();
    await files.syncDirectory('/');
    trace.note('done');
    assert.equal(imageAfter(trace, length).pending.length, 2);
    assert.equal(imageAfter(trace, trace.events.length).pending.length, 0);
    assert.deepEqual(trace.notes(length), ['begun']);
    assert.deepEqual(trace.notes(), ['begun', 'done']);
  });
});

function drawer(): CrashEffort['draw'] {
  let state = 1;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
