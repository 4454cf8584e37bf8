import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runStorm } from './storm.ts';
import { runStorms } from './storms.ts';

describe('a storm of operations, faults, crashes and restarts', () => {
  for (const seed of [1, 2, 3, 4]) {
    test(`breaks no promise, seed ${seed}`, async (context) => {
      const { steps } = await runStorms({ seed, runs: 25 });
      context.diagnostic(`${steps} steps`);
      assert.ok(steps >= 700, 'as many as there were');
    });
  }

  test('keeps a batch that was read after the process died, when the machine dies next', async () => {
    for (let deed = 0; deed < 24; deed += 1) {
      await runStorm(
        [
          { do: 'append', count: 1 },
          { do: 'kill at', deed },
          { do: 'crash', chance: 0 },
        ],
        1,
      );
    }
  });
});
