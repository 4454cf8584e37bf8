import type { Bell } from '../lib/bell.ts';
import type { Clock } from '../lib/clock.ts';

/**
 * Resolves when the bell rings, or in `waitMs` when that is not null, whichever comes first.
 * Rejects with the signal's reason.
 */
export async function waitForBellOrTime(options: {
  readonly bell: Bell;
  readonly clock: Clock;
  readonly waitMs: number | null;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { bell, clock, waitMs, signal } = options;
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const waits = [bell.wait(either)];
  if (waitMs !== null) waits.push(clock.sleep(waitMs, either));
  try {
    await Promise.race(waits);
  } finally {
    over.abort();
    await Promise.allSettled(waits);
  }
}
