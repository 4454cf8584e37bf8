import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runScript } from './support/child.ts';
import { settle } from './support/disk.ts';
import { ManyParts } from './support/many-parts.ts';
import type { Measurement, Settings } from './support/measurement.ts';
import { makePartSource, type PartSource } from './support/part-source.ts';
import { Figures } from './support/report.ts';
import { startServer } from './support/server.ts';
import type { Transferred } from './support/transfer.ts';
import { UploadClient } from './support/upload-client.ts';
import { VaultClient } from './support/vault-client.ts';
import { writeSeconds } from './support/yardsticks.ts';

const connections = 8;
const partMib = 16;
/** How much there is of different bytes for many small parts. */
const smallSourceMib = 64;
const vaultName = 'parts';

const aims = { partsToOne: 'at least 1.0' } as const;

export const parts: Measurement = {
  name: 'parts',
  summary: 'multipart uploads: beside one request, completion, abort, retrieval',
  isOnDemand: true,
  async run(settings) {
    const { directory, memoryDirectory, mib, parts: count, repeats, say } = settings;
    say(`parts: making ${mib} MiB of random bytes`);
    const place = memoryDirectory ?? directory;
    const source = makePartSource(join(place, 'source.bin'), { mib, partMib });
    const small = makePartSource(join(place, 'small.bin'), { mib: smallSourceMib, partMib: 1 });
    const figures = new Figures();
    // Not counted: whoever writes below finds the blocks of a virtual disk that this leaves.
    writeSeconds(directory, 3 * mib, Buffer.alloc(2 ** 20, 'bench'));
    for (let repeat = 1; repeat <= repeats; repeat++) {
      say(`parts: pair ${repeat} of ${repeats}`);
      const isFirst = repeat % 2 === 1;
      await measurePair(settings, { source, figures, isFirst, where: '' });
      if (memoryDirectory === undefined) continue;
      const inMemory = { ...settings, directory: memoryDirectory };
      await measurePair(inMemory, { source, figures, isFirst, where: 'in memory: ' });
    }
    // Its memory is wanted for what the servers have in the page cache.
    rmSync(source.file);
    for (let repeat = 1; repeat <= repeats; repeat++) {
      say(`parts: ${count} parts, ${repeat} of ${repeats}`);
      await measureMany(settings, small, figures);
    }
    return {
      measurement: 'parts',
      about:
        `${mib} MiB in parts of ${partMib} MiB over ${connections} connections, beside one request, ` +
        `${repeats} pairs, each upload on a new server; uploads of ${count} parts of 1 MiB`,
      figures: figures.list(),
      notes: [
        'The rate of parts counts from InitiateMultipartUpload to the reply of its completion.',
        'Each archive was downloaded once, not timed, and had the right SHA-256; of those with ' +
          `${count} parts, pieces were and had the right tree hash.`,
        'a request meanwhile: DescribeVault over another connection, one after the other, 2 ms apart.',
      ],
    };
  },
};

interface Pair {
  readonly source: PartSource;
  readonly figures: Figures;
  /** Whether the parts go before the one request. */
  readonly isFirst: boolean;
  /** Goes before the name of each figure. */
  readonly where: string;
}

/** In parts, and in one request: the same bytes, from the same client, each to a new server. */
async function measurePair(settings: Settings, pair: Pair): Promise<void> {
  const { figures, isFirst, where } = pair;
  const early = isFirst ? await measureUpload(settings, pair, uploadParts) : undefined;
  const one = await measureUpload(settings, pair, uploadWhole);
  const parts = early ?? (await measureUpload(settings, pair, uploadParts));
  figures.add(`${where}in parts`, 'MiB/s', parts.rate);
  figures.add(`${where}in one request`, 'MiB/s', one.rate);
  figures.add(`${where}in parts / in one request`, '', parts.rate / one.rate, aims.partsToOne);
  const perGib = (cpuSeconds: number) => cpuSeconds / (pair.source.sizeBytes / 2 ** 30);
  for (const [name, upload] of Object.entries({ parts, 'one request': one })) {
    const about = `${where}${name}: `;
    figures.add(`${about}processor, server`, 's/GiB', perGib(upload.serverCpuSeconds));
    figures.add(`${about}processor, client`, 's/GiB', perGib(upload.clientCpuSeconds));
    figures.add(`${about}peak memory, server`, 'MiB', upload.peakMemoryMib);
  }
}

/** What an upload came to. */
interface Uploaded {
  readonly archiveId: string;
  readonly seconds: number;
  readonly clientCpuSeconds: number;
}

type Upload = (client: UploadClient, source: PartSource, directory: string) => Promise<Uploaded>;

async function measureUpload(settings: Settings, { source }: Pair, upload: Upload) {
  const directory = join(settings.directory, 'firn');
  mkdirSync(directory);
  try {
    await using server = await startServer({ ...settings, directory });
    using client = new UploadClient(server.port, vaultName);
    await client.createVault();
    await settle(directory);
    const cpuBefore = server.cpuSeconds();
    const uploaded = await upload(client, source, directory);
    const serverCpuSeconds = server.cpuSeconds() - cpuBefore;
    const peakMemoryMib = server.peakMemoryMib();
    await checkBytes(server.port, uploaded.archiveId, source);
    const rate = source.sizeBytes / 2 ** 20 / uploaded.seconds;
    return { ...uploaded, rate, serverCpuSeconds, peakMemoryMib };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const uploadParts: Upload = async (client, source, directory) => {
  const initiatedAtMs = performance.now();
  const upload = await client.initiate(source.partSizeBytes);
  const initiateMs = performance.now() - initiatedAtMs;
  const sender = { bodies: source.file, directory, connections };
  const { parts } = source;
  const sent = await client.putParts(upload, { parts, offsetBytes: 0 }, sender);
  const { archiveId, ms } = await client.complete(upload, source);
  const seconds = sent.seconds + (initiateMs + ms) / 1000;
  return { archiveId, seconds, clientCpuSeconds: sent.cpuSeconds };
};

const uploadWhole: Upload = async (client, source, directory) => {
  const sender = { bodies: source.file, directory, connections: 1 };
  const { archiveId, seconds, cpuSeconds } = await client.putWhole(source, sender);
  return { archiveId: archiveId ?? '', seconds, clientCpuSeconds: cpuSeconds };
};

async function checkBytes(port: number, archiveId: string, source: PartSource): Promise<void> {
  const vault = new VaultClient(port, vaultName);
  const { jobId } = await vault.retrieve(archiveId);
  const task = { port, head: vault.outputHead(jobId), isHashed: true };
  const { replySha256 } = (await runScript('transfer.ts', task)) as Transferred;
  if (replySha256 !== source.sha256) throw new Error('What came back has other bytes.');
}

/** On two servers, one after the other, so that the disk never has both uploads. */
async function measureMany(
  settings: Settings,
  source: PartSource,
  figures: Figures,
): Promise<void> {
  const directory = join(settings.directory, 'firn');
  const works = [
    async (many: ManyParts) => many.measureRetrieval(await many.measureCompletion()),
    (many: ManyParts) => many.measureAbort(),
  ];
  for (const work of works) {
    mkdirSync(directory);
    try {
      const own = { ...settings, directory };
      await using server = await startServer(own);
      using many = new ManyParts(own, server, source, figures);
      await many.createVault();
      await work(many);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }
}
