import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { runScript } from './support/child.ts';
import { settle } from './support/disk.ts';
import { databaseIn, FilledStores, putArchive } from './support/filled-stores.ts';
import type { Measurement, Settings } from './support/measurement.ts';
import { percentile } from './support/percentile.ts';
import type { RawInventory, RawInventoryTaken } from './support/raw-inventory.ts';
import { headerOf } from './support/reply-reader.ts';
import { Figures } from './support/report.ts';
import { startServer } from './support/server.ts';
import { SignedConnection } from './support/signed-connection.ts';

const vaultName = 'inventory';
const path = `/-/vaults/${vaultName}`;
/** How often a client asks whether the job is done: these are the requests meanwhile, too. */
const pollMs = 10;
const warmUpRequests = 200;

const aims = { perSecond: 'at least 200000', wholeToQuarter: 'at most 1.1' } as const;

export const inventory: Measurement = {
  name: 'inventory',
  summary: 'the inventory of a vault with a million archives: rate, and memory',
  isOnDemand: true,
  async run(settings) {
    const { count, repeats, say } = settings;
    const figures = new Figures();
    say(`inventory: putting in ${count} archives`);
    const vaultId = await fill(settings);
    for (let repeat = 1; repeat <= repeats; repeat++) {
      say(`inventory: ${repeat} of ${repeats}`);
      // Which goes first alternates: what comes later finds the files in the page cache.
      if (repeat % 2 === 0) await measureRaw(settings, vaultId, figures);
      const memoryMib: number[] = [];
      for (const part of [4, 2, 1]) {
        memoryMib.push(await measureJob(settings, Math.floor(count / part), figures));
      }
      const [quarter = Number.NaN, , whole = Number.NaN] = memoryMib;
      figures.add('peak memory, whole / quarter', '', whole / quarter, aims.wholeToQuarter);
      if (repeat % 2 === 1) await measureRaw(settings, vaultId, figures);
    }
    addRatio(figures);
    return {
      measurement: 'inventory',
      about: `a vault of ${count} archives of 1 KiB; each job on a server that was just started`,
      figures: figures.list(),
      notes: [
        'A rate counts from the request for the job until it is told that the job has succeeded.',
        'bare rows: a line of JSON for each row, by one statement of node:sqlite, into a file that ' +
          'is synced. Nothing is hashed, encrypted, or left free for others meanwhile.',
        'Each inventory had as many archives as it should.',
      ],
    };
  },
};

/** Answers the id of the vault. */
async function fill(settings: Settings): Promise<string> {
  {
    await using server = await startServer(settings);
    using connection = new SignedConnection(server.port);
    await connection.send('PUT', path);
  }
  const { count, directory } = settings;
  await using stores = await FilledStores.open(directory);
  const { vaultId } = await stores.vault(vaultName);
  const firstAtMs = Date.now() - count;
  // One each millisecond, up to now.
  await stores.put(count, (rows, index) =>
    putArchive(rows, { vaultId, index, atMs: firstAtMs + index }),
  );
  return vaultId;
}

/** Answers how much memory the server had at most. */
async function measureJob(settings: Settings, limit: number, figures: Figures): Promise<number> {
  await settle(settings.directory);
  await using server = await startServer(settings);
  using connection = new SignedConnection(server.port);
  for (let request = 0; request < warmUpRequests; request++) await connection.send('GET', path);
  const part = limit === settings.count ? 'whole' : `${limit} archives`;
  const cpuBefore = server.cpuSeconds();
  const { jobId, seconds, latenciesMs } = await runJob(connection, limit);
  const memoryMib = server.peakMemoryMib();
  if (limit === settings.count) {
    figures.add('inventory', '/s', limit / seconds, aims.perSecond);
    const cpuMicroseconds = ((server.cpuSeconds() - cpuBefore) * 1e6) / limit;
    figures.add('processor time of the server', 'µs/archive', cpuMicroseconds);
    figures.add('a request meanwhile, p50', 'ms', percentile(latenciesMs, 0.5));
    figures.add('a request meanwhile, p99', 'ms', percentile(latenciesMs, 0.99));
    figures.add('a request meanwhile, slowest', 'ms', Math.max(...latenciesMs));
  }
  figures.add(`peak memory, ${part}`, 'MiB', memoryMib);
  await checkOutput(connection, jobId, limit);
  return memoryMib;
}

async function runJob(connection: SignedConnection, limit: number) {
  const startedAtMs = performance.now();
  const started = await connection.send(
    'POST',
    `${path}/jobs`,
    JSON.stringify({
      Type: 'inventory-retrieval',
      InventoryRetrievalParameters: { Limit: String(limit) },
    }),
  );
  const jobId = headerOf(started.head, 'x-amz-job-id') ?? '';
  const latenciesMs: number[] = [];
  for (;;) {
    const { body, ms } = await connection.send('GET', `${path}/jobs/${jobId}`);
    const { StatusCode } = JSON.parse(body.toString()) as { StatusCode: string };
    latenciesMs.push(ms);
    if (StatusCode === 'Succeeded') break;
    if (StatusCode === 'Failed') throw new Error(`The inventory failed: ${body}`);
    await sleep(pollMs);
  }
  return { jobId, seconds: (performance.now() - startedAtMs) / 1000, latenciesMs };
}

async function checkOutput(connection: SignedConnection, jobId: string, count: number) {
  const { body } = await connection.send('GET', `${path}/jobs/${jobId}/output`);
  let found = 0;
  for (let at = body.indexOf('"ArchiveId"'); at >= 0; at = body.indexOf('"ArchiveId"', at + 1)) {
    found++;
  }
  if (found !== count) throw new Error(`The inventory shows ${found} archives, not ${count}.`);
}

async function measureRaw(settings: Settings, vaultId: string, figures: Figures): Promise<void> {
  const { directory, count } = settings;
  await settle(directory);
  const file = join(directory, 'raw-inventory.jsonl');
  const task: RawInventory = { database: databaseIn(directory), vaultId, file };
  const taken = (await runScript('raw-inventory.ts', task)) as RawInventoryTaken;
  if (taken.archiveCount !== count) throw new Error(`${taken.archiveCount} rows, not ${count}.`);
  figures.add('bare rows', '/s', count / taken.seconds);
}

function addRatio(figures: Figures): void {
  const valuesOf = (wanted: string) =>
    figures.list().find(({ name }) => name === wanted)?.values ?? [];
  const bare = valuesOf('bare rows');
  for (const [at, rate] of valuesOf('inventory').entries()) {
    figures.add('inventory / bare rows', '', rate / (bare[at] ?? Number.NaN));
  }
}
