import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { settle } from './support/disk.ts';
import { load, prepare, type SharedLoad } from './support/generators.ts';
import { intervalMs, type Loaded } from './support/load.ts';
import type { Measurement, Settings } from './support/measurement.ts';
import { Figures, median } from './support/report.ts';
import { type BenchServer, startServer } from './support/server.ts';
import { signedUploads, VaultClient } from './support/vault-client.ts';

/** The smallest of small archives, so that what is kept per archive weighs most. */
const bodySizeBytes = 1024;
const distinctUploads = 256;
/** Requests are signed for each leg: a signature is good for five minutes. */
const legs = 20;
const warmUpUploads = 20_000;
const restarts = 3;
/** How long uploads run before the server is killed in their midst. */
const killedAfterMs = 3000;

const aims = {
  endToStart: 'at least 0.9',
  restartSeconds: 'at most 3',
  memoryMib: 'at most 350',
} as const;

export const million: Measurement = {
  name: 'million',
  summary: 'a million small archives: what the last ones cost, restarts, memory',
  isOnDemand: true,
  async run(settings) {
    const { count, connections, generators, say } = settings;
    const figures = new Figures();
    const bodies = Array.from({ length: distinctUploads }, () => randomBytes(bodySizeBytes));
    {
      await using server = await startServer(settings);
      say('million: warm-up, into a vault of its own');
      await upload({ settings, server, bodies, vaultName: 'warm-up', count: warmUpUploads });
      const cpuBefore = server.cpuSeconds();
      const perLeg: Loaded[] = [];
      for (let leg = 1; leg <= legs; leg++) {
        const share = Math.floor((count * leg) / legs) - Math.floor((count * (leg - 1)) / legs);
        perLeg.push(await upload({ settings, server, bodies, vaultName: 'million', count: share }));
        const { perSecond } = perLeg[leg - 1] ?? { perSecond: 0 };
        say(
          `million: ${leg} of ${legs}, ${perSecond.toFixed(0)} uploads/s, at most ` +
            `${server.peakMemoryMib().toFixed(0)} MiB`,
        );
      }
      const cpuMicroseconds = ((server.cpuSeconds() - cpuBefore) * 1e6) / count;
      addRates(figures, perLeg);
      figures.add('processor time of the server', 'µs/upload', cpuMicroseconds);
      figures.add('peak memory, uploads', 'MiB', server.peakMemoryMib(), aims.memoryMib);
      await checkCount(server, { atLeast: count, atMost: count });
    }
    await measureRestarts(settings, bodies, figures);
    return {
      measurement: 'million',
      about:
        `${count} uploads of 1 KiB over ${connections} connections (generators: ` +
        `${generators}); each restart with all of them there`,
      figures: figures.list(),
      notes: [
        'The vault counts the archives that were acknowledged; after each kill, these and no more ' +
          'than there were connections beside them.',
      ],
    };
  },
};

function addRates(figures: Figures, perLeg: readonly Loaded[]): void {
  // A leg is 5 %: the first and the last are what is compared.
  const start = rateOf(perLeg[0]);
  const end = rateOf(perLeg.at(-1));
  figures.add('uploads, first 5 %', '/s', start);
  figures.add('uploads, last 5 %', '/s', end);
  figures.add('last / first', '', end / start, aims.endToStart);
  const rates = perLeg.map(({ perSecond }) => perSecond);
  figures.add('uploads, slowest 5 %', '/s', Math.min(...rates));
}

/** The median of what was acknowledged in each half second that was full. */
function rateOf(loaded: Loaded | undefined): number {
  const full = (loaded?.intervals ?? []).slice(1, -1).map(([, count]) => count);
  // A short run has none.
  return full.length === 0 ? (loaded?.perSecond ?? Number.NaN) : (median(full) * 1000) / intervalMs;
}

async function measureRestarts(
  settings: Settings,
  bodies: readonly Buffer[],
  figures: Figures,
): Promise<void> {
  const { count, connections, say } = settings;
  let least = count;
  let most = count;
  const seconds = { stopped: [] as number[], killed: [] as number[] };
  const memoryMib: number[] = [];
  for (let restart = 1; restart <= restarts; restart++) {
    say(`million: restart ${restart} of ${restarts}, and a kill`);
    {
      await using server = await startServer(settings);
      seconds.stopped.push(server.startSeconds);
      await checkCount(server, { atLeast: least, atMost: most });
    }
    await settle(settings.directory);
    const acknowledged = await killWithinUploads(settings, bodies);
    // What was under way may have been kept, or not.
    least += acknowledged;
    most += acknowledged + connections;
    await using server = await startServer(settings);
    seconds.killed.push(server.startSeconds);
    await checkCount(server, { atLeast: least, atMost: most });
    memoryMib.push(server.peakMemoryMib());
  }
  for (const value of seconds.stopped) {
    figures.add('restart after a stop', 's', value, aims.restartSeconds);
  }
  for (const value of seconds.killed) {
    figures.add('restart after `kill -9`', 's', value, aims.restartSeconds);
  }
  for (const value of memoryMib) {
    figures.add('peak memory, restarts', 'MiB', value, aims.memoryMib);
  }
}

/** Answers how many uploads had been acknowledged when the server was killed. */
async function killWithinUploads(settings: Settings, bodies: readonly Buffer[]): Promise<number> {
  await using server = await startServer(settings);
  const loading = runLoad({ settings, server, bodies, vaultName: 'million', until: 'broken' });
  await Promise.race([sleep(killedAfterMs), loading]);
  await server.kill();
  const { acknowledged } = await loading;
  if (acknowledged === 0) throw new Error('Nothing was acknowledged before the server was killed.');
  return acknowledged;
}

interface Uploads {
  readonly settings: Settings;
  readonly server: BenchServer;
  readonly bodies: readonly Buffer[];
  readonly vaultName: string;
}

async function upload({
  count,
  ...uploads
}: Uploads & { readonly count: number }): Promise<Loaded> {
  const loaded = await runLoad({ ...uploads, until: { count } });
  if (loaded.acknowledged === count) return loaded;
  throw new Error(`${loaded.acknowledged} of ${count} uploads were acknowledged.`);
}

async function runLoad({
  settings,
  server,
  bodies,
  vaultName,
  until,
}: Uploads & Pick<SharedLoad, 'until'>): Promise<Loaded> {
  const { directory, connections, generators } = settings;
  const { port } = server;
  const vault = new VaultClient(port, vaultName);
  await vault.create();
  const prepared = prepare(directory, signedUploads(vault, bodies));
  return await load({ ...prepared, port, connections, generators, warmUpSeconds: 0, until });
}

async function checkCount(
  server: BenchServer,
  { atLeast, atMost }: { readonly atLeast: number; readonly atMost: number },
): Promise<void> {
  const counted = await new VaultClient(server.port, 'million').numberOfArchives();
  if (counted >= atLeast && counted <= atMost) return;
  throw new Error(`The vault counts ${counted} archives, not ${atLeast} to ${atMost}.`);
}
