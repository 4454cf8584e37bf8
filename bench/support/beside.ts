import { setTimeout as sleep } from 'node:timers/promises';
import { SignedConnection } from './signed-connection.ts';

/** How long nothing else happens before the work begins. */
const quietRequests = 100;
const everyMs = 2;

export interface Beside<T> {
  readonly value: T;
  /** What each cheap request took before the work, and while it was under way. */
  readonly beforeMs: readonly number[];
  readonly meanwhileMs: readonly number[];
}

/**
 * Does work, and asks for `target` meanwhile over a connection of its own, one request after the
 * other: what the slowest of them took is how long others were kept waiting.
 */
export async function beside<T>(
  port: number,
  target: string,
  work: () => Promise<T>,
): Promise<Beside<T>> {
  using connection = new SignedConnection(port);
  const beforeMs: number[] = [];
  const meanwhileMs: number[] = [];
  const ask = async (times: number[]) => {
    const { ms } = await connection.send('GET', target);
    times.push(ms);
    await sleep(everyMs);
  };
  // The first ones open the connection, and are compiled.
  for (let request = 0; request < quietRequests; request++) await ask([]);
  for (let request = 0; request < quietRequests; request++) await ask(beforeMs);
  let isDone = false;
  const working = work().finally(() => {
    isDone = true;
  });
  const asking = (async () => {
    while (!isDone) await ask(meanwhileMs);
  })();
  const [value] = await Promise.all([working, asking]);
  return { value, beforeMs, meanwhileMs };
}
