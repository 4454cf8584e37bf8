import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '../src/lib/node/sha256.ts';
import { runScript, startNode } from './support/child.ts';
import type { Load, Loaded } from './support/load.ts';
import type { Measurement, Settings } from './support/measurement.ts';
import { Figures } from './support/report.ts';
import { startServer } from './support/server.ts';
import { VaultClient } from './support/vault-client.ts';
import { appendsPerSecond } from './support/yardsticks.ts';

const bodySizeBytes = 16 * 1024;
/** How many different uploads there are; they are sent again and again. */
const distinctUploads = 256;
const retrievals = 8;
const warmUpSeconds = 2;

export const small: Measurement = {
  name: 'small',
  summary: 'small archives: uploads of 16 KiB over many connections at once',
  async run(settings) {
    const { seconds, connections, repeats, say } = settings;
    const figures = new Figures();
    const bodies = Array.from({ length: distinctUploads }, () => randomBytes(bodySizeBytes));
    await using server = await startServer(settings);
    await using hashing = await startNode(
      [join(import.meta.dirname, 'support/hashing-server.ts')],
      {
        pattern: /port (\d+)/,
        errorTo: 'inherit',
      },
    );
    const vault = new VaultClient(server.port, 'small');
    await vault.create();
    let acknowledged = 0;
    for (let repeat = 1; repeat <= repeats; repeat++) {
      say(`small: repeat ${repeat} of ${repeats}`);
      const prepared = prepareRequests(settings, vault, bodies);
      const appends = appendsPerSecond(settings.directory, {
        group: connections,
        seconds: Math.min(seconds, 3),
        record: bodies[0] ?? new Uint8Array(),
      });
      const hashed = await load({ ...prepared, port: Number(hashing.matched) });
      const cpuBefore = server.cpuSeconds();
      const stored = await load({ ...prepared, port: server.port });
      const cpuSeconds = server.cpuSeconds() - cpuBefore;
      acknowledged += stored.acknowledged;
      addFigures(figures, { appends, hashed, stored, cpuSeconds });
      await checkSamples(vault, bodies, stored);
    }
    await checkCount(vault, acknowledged);
    figures.add('peak memory of the server', 'MiB', server.peakMemoryMib());
    return {
      measurement: 'small',
      about:
        `16 KiB an upload, ${connections} connections, ${seconds} s after ${warmUpSeconds} s of ` +
        `warm-up, ${repeats} repeats on one server`,
      figures: figures.list(),
      notes: [
        `The vault counts ${acknowledged} archives, as many as were acknowledged; ` +
          `${retrievals * repeats} of them were retrieved and had the right bytes.`,
      ],
    };
  },
};

interface Repeat {
  readonly appends: number;
  readonly hashed: Loaded;
  readonly stored: Loaded;
  readonly cpuSeconds: number;
}

function addFigures(figures: Figures, { appends, hashed, stored, cpuSeconds }: Repeat): void {
  figures.add('uploads', '/s', stored.perSecond);
  figures.add('latency, p50', 'ms', stored.p50Ms);
  figures.add('latency, p99', 'ms', stored.p99Ms);
  figures.add('disk: grouped appends, `fdatasync`', '/s', appends);
  figures.add('`node:http`: hashes, keeps nothing', '/s', hashed.perSecond);
  figures.add('uploads / appends', '', stored.perSecond / appends);
  figures.add('uploads / `node:http`', '', stored.perSecond / hashed.perSecond);
  const cpuMicroseconds = (cpuSeconds * 1e6) / stored.acknowledged;
  figures.add('processor time of the server', 'µs/upload', cpuMicroseconds);
  figures.add('processor time of the client', 'of a core', stored.cpuShare);
}

/** Signs anew: signatures are good for five minutes. */
function prepareRequests(
  { directory, seconds, connections }: Settings,
  vault: VaultClient,
  bodies: readonly Buffer[],
): Omit<Load, 'port'> {
  const requests = bodies.map((body, at) => {
    const sha256 = sha256Hex(body);
    // Up to one MiB the tree hash is the hash of the whole.
    const upload = { sizeBytes: body.length, sha256, treeHash: sha256, description: `no. ${at}` };
    return Buffer.concat([Buffer.from(vault.uploadHead(upload), 'latin1'), body]);
  });
  const file = join(directory, 'requests.bin');
  writeFileSync(file, Buffer.concat(requests));
  const requestSizesBytes = requests.map(({ length }) => length);
  return { file, requestSizesBytes, connections, warmUpSeconds, seconds };
}

async function load(task: Load): Promise<Loaded> {
  return (await runScript('load.ts', task)) as Loaded;
}

async function checkSamples(
  vault: VaultClient,
  bodies: readonly Buffer[],
  { samples }: Loaded,
): Promise<void> {
  for (let at = 0; at < retrievals; at++) {
    const sample = samples[Math.floor((at * samples.length) / retrievals)];
    if (sample === undefined) throw new Error('Too few uploads were acknowledged to check any.');
    const { jobId } = await vault.retrieve(sample.archiveId);
    const body = await vault.output(jobId);
    if (bodies[sample.request]?.equals(body) !== true) {
      throw new Error(`Archive ${sample.archiveId} came back with other bytes.`);
    }
  }
}

async function checkCount(vault: VaultClient, acknowledged: number): Promise<void> {
  const counted = await vault.numberOfArchives();
  if (counted !== acknowledged) {
    throw new Error(`${acknowledged} uploads were acknowledged; the vault counts ${counted}.`);
  }
}
