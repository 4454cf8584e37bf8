import fc from 'fast-check';
import { runStorm } from './storm.ts';
import { stormSteps } from './storm-steps.ts';

/** How much there was. */
export interface Storms {
  readonly steps: number;
}

/**
 * Lets `runs` storms loose, the same ones for the same seed. Throws with the seed, and with the
 * history, made as short as may be, of one that broke a promise.
 */
export async function runStorms({
  seed,
  runs,
}: {
  readonly seed: number;
  readonly runs: number;
}): Promise<Storms> {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(stormSteps, fc.nat(), async (steps, survivors) => {
      count += steps.length;
      await runStorm(steps, survivors);
    }),
    { seed, numRuns: runs, interruptAfterTimeLimit: 600_000, markInterruptAsFailure: true },
  );
  return { steps: count };
}
