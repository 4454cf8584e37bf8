import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runScript } from './child.ts';
import type { Load, Loaded } from './load.ts';

/** Requests that are sent again and again, in a file where each generator finds them. */
export type Prepared = Pick<Load, 'file' | 'requestSizesBytes' | 'numberAt'>;

/** One load, which comes from several processes so that none of them is what limits it. */
export interface SharedLoad extends Omit<Load, 'firstNumber'> {
  readonly generators: number;
}

/** Ten digits of each number; so many uploads one process never makes. */
const numbersPerGenerator = 1_000_000_000;

export function prepare(
  directory: string,
  requests: readonly Buffer[],
  numberAt: number | null = null,
): Prepared {
  const file = join(directory, 'requests.bin');
  writeFileSync(file, Buffer.concat(requests));
  return { file, requestSizesBytes: requests.map(({ length }) => length), numberAt };
}

/** Has every generator do its share at the same time. */
export async function load({ generators, ...whole }: SharedLoad): Promise<Loaded> {
  const shares = Array.from({ length: generators }, (_, at): Load => {
    const share = (of: number) =>
      Math.floor((of * (at + 1)) / generators) - Math.floor((of * at) / generators);
    const { until } = whole;
    return {
      ...whole,
      firstNumber: at * numbersPerGenerator,
      connections: share(whole.connections),
      until: until !== 'broken' && 'count' in until ? { count: share(until.count) } : until,
    };
  });
  const loaded = await Promise.all(
    shares.map(async (share) => (await runScript('load.ts', share)) as Loaded),
  );
  return {
    acknowledged: sum(loaded.map(({ acknowledged }) => acknowledged)),
    perSecond: sum(loaded.map(({ perSecond }) => perSecond)),
    latencies: merged(loaded.map(({ latencies }) => latencies)),
    intervals: merged(loaded.map(({ intervals }) => intervals)),
    cpuShare: sum(loaded.map(({ cpuShare }) => cpuShare)),
    samples: loaded.flatMap(({ samples }) => samples),
  };
}

/** What a share of the uploads did not exceed, in milliseconds. */
export function latencyMs({ latencies }: Loaded, share: number): number {
  const total = sum(latencies.map(([, count]) => count));
  let seen = 0;
  for (const [tenthsMs, count] of latencies) {
    seen += count;
    if (seen > total * share) return tenthsMs / 10;
  }
  return Number.NaN;
}

type Counts = readonly (readonly [key: number, count: number])[];

/** The counts of all, smallest key first. */
function merged(all: readonly Counts[]): Counts {
  const counts = new Map<number, number>();
  for (const [key, count] of all.flat()) counts.set(key, (counts.get(key) ?? 0) + count);
  return [...counts].sort(([a], [b]) => a - b);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
