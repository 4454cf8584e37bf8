import { describe, test } from 'node:test';
import { runStorm } from './storm.ts';
import { runStorms } from './storms.ts';

describe('a storm of operations, faults, crashes and restarts', () => {
  for (const seed of [1, 2, 3, 4]) {
    test(`breaks no promise, seed ${seed}`, async (context) => {
      const { steps } = await runStorms({ seed, runs: 25 });
      context.diagnostic(`${steps} steps`);
    });
  }

  test('was survived before, and still is: an empty one', async () => {
    await runStorm([], 1);
  });
});
